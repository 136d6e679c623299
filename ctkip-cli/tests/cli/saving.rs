//! Nothing earned is lost: what a committed token meets when its place is full, gone or taken.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ctkip_transport_loopback::Enrolment;

use crate::program::{Place, names, ran};
use crate::server::{CODE, SERIAL, Server};

/// The seed in a file, by `ctkip show`.
fn seed(place: &Place, file: &Path) -> String {
    let shown = place.run(&["show".as_ref(), file.as_os_str(), "--seed".as_ref()]).ended(0);
    let line = shown.stdout.lines().find(|line| line.starts_with("Seed")).unwrap().to_owned();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_vanished_folder_leads_to_the_recovery_folder() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    let folder = place.path("gone");
    std::fs::create_dir(&folder).unwrap();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        None
    });
    let ran = place.run(&["provision", &listening.url, CODE, "-o", "gone/t.sdtid"]).ended(5);
    let folder = place.path("state/ctkip");
    let [file] = &*names(&folder) else { panic!("{:?}", names(&folder)) };
    assert!(ran.stderr.contains(file), "the path is told: {}", ran.stderr);
    assert_eq!(seed(&place, &folder.join(file)), server.seeds()[0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(file))), (0o700, 0o600));
    }
}

#[test]
fn no_recovery_folder_leads_to_the_folder_for_temporary_files() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    place.write("state", "a file where a folder should be");
    std::fs::create_dir(place.path("tmp")).unwrap();
    let folder = place.path("gone");
    std::fs::create_dir(&folder).unwrap();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        None
    });
    let args = ["provision", &listening.url, CODE, "-o", "gone/t.sdtid"];
    let ran = ran(place.command(&args).env("TMPDIR", place.path("tmp"))).ended(5);
    let [file] = &*names(&place.path("tmp")) else { panic!("one file") };
    assert!(ran.stderr.contains(file), "the path is told: {}", ran.stderr);
    assert_eq!(seed(&place, &place.path("tmp").join(file)), server.seeds()[0]);
}

#[test]
fn nowhere_at_all_is_said() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    place.write("state", "a file where a folder should be");
    let folder = place.path("gone");
    std::fs::create_dir(&folder).unwrap();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        None
    });
    let args = ["provision", &listening.url, CODE, "-o", "gone/t.sdtid"];
    let ran = ran(place.command(&args).env("TMPDIR", place.path("state"))).ended(5);
    assert!(ran.stderr.contains("the token is lost"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&server.seeds()[0]), "nothing secret but on a terminal");
}

#[test]
fn a_file_that_came_meanwhile_is_left_alone() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    let target = place.path("t.sdtid");
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            std::fs::write(&target, "another's").unwrap();
        }
        None
    });
    let ran = place.run(&["provision", &listening.url, CODE, "-o", "t.sdtid"]).ended(5);
    assert_eq!(place.read("t.sdtid"), "another's");
    let names = place.names();
    let part = names.iter().find(|name| name.ends_with(".part")).expect("the temporary file stays");
    assert!(ran.stderr.contains(part), "the path is told: {}", ran.stderr);
    assert_eq!(seed(&place, &place.path(part)), server.seeds()[0]);
}

#[test]
fn an_existing_file_under_the_serial_number_is_left_alone() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    let name = format!("{SERIAL}.sdtid");
    place.write(&name, "another's");
    place.run(&["provision", &listening.url, CODE]).ended(5).told(".part");
    assert_eq!(place.read(&name), "another's");
    assert_eq!(server.seeds().len(), 1);
}

#[test]
fn an_existing_file_is_refused_before_anything_is_sent() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    place.write("t", "mine");
    place.run(&["provision", &listening.url, CODE, "-o", "t"]).ended(2).told("--force");
    assert!(listening.requests().is_empty());
    assert_eq!(place.read("t"), "mine");
    place.run(&["provision", &listening.url, CODE, "-o", "t", "--force"]).ended(0);
    assert_eq!(seed(&place, &place.path("t")), server.seeds()[0]);
}

#[test]
fn a_failure_before_the_commit_leaves_nothing_behind() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    place.run(&["provision", &listening.url, "000000000000", "-o", "t"]).ended(1);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_serial_number_that_is_none_still_reaches_the_user() {
    let server = Arc::new(Server::with(Enrolment::new("odd key id"), 1024));
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    place
        .run(&["provision", &listening.url, CODE, "-o", "t"])
        .ended(5)
        .told("no SecurID token")
        .told("t.");
    let [file] = &*place.names() else { panic!("{:?}", place.names()) };
    let kept: serde_json::Value = serde_json::from_str(&place.read(file)).unwrap();
    assert_eq!(kept["seed"], *server.seeds()[0]);
    assert_eq!(kept["server"]["key_id"], "odd key id");
}

#[test]
fn a_form_that_cannot_hold_the_token_still_reaches_the_user() {
    let mut enrolment = Enrolment::new(SERIAL);
    enrolment.expiry.year = 2060;
    let server = Arc::new(Server::with(enrolment, 1024));
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    place
        .run(&["provision", &listening.url, CODE, "-o", "t", "--to", "ctf"])
        .ended(5)
        .told("cannot be written as ctf");
    let [file] = &*place.names() else { panic!("{:?}", place.names()) };
    assert_eq!(seed(&place, &place.path(file)), server.seeds()[0]);
}

#[test]
fn a_closed_standard_error_is_no_reason_to_lose_a_token() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    let mut command = Command::new("/bin/sh");
    let line = "exec \"$0\" provision \"$1\" \"$2\" -v -o t >&- 2>&-";
    command.args(["-c", line, env!("CARGO_BIN_EXE_ctkip"), &listening.url, CODE]);
    let status = command.current_dir(place.path("")).status().unwrap();
    assert!(status.code().is_some(), "{status}");
    assert_eq!(seed(&place, &place.path("t")), server.seeds()[0]);
}

/// A file system of its own, as small as it is asked for; it needs root.
struct SmallDisk<'p>(&'p Path);

impl<'p> SmallDisk<'p> {
    /// `None`, said aloud, where it cannot be mounted; a failure where `CTKIP_TEST_TMPFS=1`.
    fn mount(folder: &'p Path, octets: u32) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={octets},mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "ctkip-test"])
            .arg(folder)
            .output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self(folder)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        assert_ne!(std::env::var("CTKIP_TEST_TMPFS").as_deref(), Ok("1"), "no tmpfs: {why}");
        eprintln!("SKIP full tmpfs: {}", why.trim());
        None
    }

    fn fill(&self) {
        // Whatever fits: the last write fails.
        for (name, piece) in [("filler", 4096), ("filler2", 1)] {
            use std::io::Write;
            let mut file = std::fs::File::create(self.0.join(name)).unwrap();
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_sent() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    let folder = place.path("disk");
    let Some(disk) = SmallDisk::mount(&folder, 128 << 10) else { return };
    disk.fill();
    place
        .run(&["provision", &listening.url, CODE, "-o", "disk/t"])
        .ended(2)
        .told("Nothing was sent");
    assert!(listening.requests().is_empty());
    assert_eq!(names(&folder), ["filler", "filler2"]);
}

#[test]
fn a_disk_that_fills_up_meanwhile_does_not_matter() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    let folder = place.path("disk");
    let Some(disk) = SmallDisk::mount(&folder, 128 << 10) else { return };
    let filled = folder.clone();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            let disk = std::mem::ManuallyDrop::new(SmallDisk(&filled));
            disk.fill();
        }
        None
    });
    place.run(&["provision", &listening.url, CODE, "-o", "disk/t"]).ended(0);
    assert_eq!(seed(&place, &folder.join("t")), server.seeds()[0]);
    drop(disk);
}

#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_anything_is_sent() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    // Not even root makes files here.
    let target = format!("/proc/{}/t", std::process::id());
    place
        .run(&["provision", &listening.url, CODE, "-o", &target])
        .ended(2)
        .told("Nothing was sent");
    assert!(listening.requests().is_empty());
}

#[test]
fn a_disk_that_is_taken_away_leads_to_the_recovery_folder() {
    let server = Arc::new(Server::new());
    let place = Place::new();
    let folder = place.path("disk");
    let Some(disk) = SmallDisk::mount(&folder, 128 << 10) else { return };
    let taken = folder.clone();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            let unmounted = Command::new("umount").arg("--lazy").arg(&taken).status();
            assert!(unmounted.unwrap().success());
        }
        None
    });
    place.run(&["provision", &listening.url, CODE, "-o", "disk/t"]).ended(5);
    let kept = names(&place.path("state/ctkip"));
    let [file] = &*kept else { panic!("{kept:?}") };
    assert_eq!(seed(&place, &place.path("state/ctkip").join(file)), server.seeds()[0]);
    drop(disk);
}

#[test]
fn a_folder_that_becomes_read_only_keeps_the_temporary_file() {
    // The permissions of a folder do not stop root; this flag does.
    let chattr = |flag: &str, folder: &Path| {
        Command::new("chattr").arg(flag).arg(folder).output().is_ok_and(|ran| ran.status.success())
    };
    let server = Arc::new(Server::new());
    let place = Place::new();
    let folder = place.path("folder");
    std::fs::create_dir(&folder).unwrap();
    if !chattr("+i", &folder) {
        eprintln!("SKIP read-only folder: chattr +i does not work here");
        return;
    }
    place.run(&["provision", "loopback:", "-o", "folder/t"]).ended(2).told("Nothing was sent");
    assert!(chattr("-i", &folder));
    let closed = folder.clone();
    let listening = server.listen(move |number, _, _| {
        if number == 1 {
            assert!(chattr("+i", &closed));
        }
        None
    });
    let ran = place.run(&["provision", &listening.url, CODE, "-o", "folder/t"]);
    assert!(chattr("-i", &folder));
    let ran = ran.ended(5);
    let kept = names(&folder);
    let [file] = &*kept else { panic!("{kept:?}") };
    assert!(file.ends_with(".part") && ran.stderr.contains(file), "{file}: {}", ran.stderr);
    assert_eq!(seed(&place, &folder.join(file)), server.seeds()[0]);
}

/// An interrupt says what it leaves behind, and leaves no file.
#[cfg(unix)]
#[test]
fn an_interrupt_gives_the_room_back() {
    use std::sync::mpsc::channel;
    for (number, status) in [(0, 3), (1, 6)] {
        let server = Arc::new(Server::new());
        let (arrived, arrives) = channel();
        let (go, gone) = channel::<()>();
        let listening = server.listen(move |n, _, _| {
            if n == number {
                arrived.send(()).unwrap();
                let _ = gone.recv();
            }
            None
        });
        let place = Place::new();
        let args = ["provision", &listening.url, CODE, "-o", "t"];
        let child = place.command(&args).stderr(std::process::Stdio::piped()).spawn().unwrap();
        arrives.recv().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        drop(go);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{told}");
        assert!(told.contains("interrupted"), "{told}");
        assert_eq!(place.names(), [""; 0]);
    }
}
