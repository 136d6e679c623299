//! The saving rules, as far as one process can try them; whole runs are in `tests/saving.rs`.

use super::*;
use std::process::Command;

const TOKEN: &[u8] = b"<?xml version=\"1.0\"?>\n<TKNBatch/>\n";

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn room_is_taken_beforehand_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let room = Reservation::make(Some(&folder.path().join("t.sdtid")), false).unwrap();
    let [name] = &*names(folder.path()) else { panic!("one file") };
    assert!(name.starts_with("t.sdtid.") && name.ends_with(".part"), "{name}");
    let data = fs::metadata(folder.path().join(name)).unwrap();
    // A file system that was asked for room has it beyond the end of the file.
    #[cfg(not(target_os = "linux"))]
    assert_eq!(data.len(), 64 << 10);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(data.mode() & 0o777, 0o600);
        assert!(data.blocks() * 512 >= 64 << 10, "the room is there");
    }
    drop(room);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn room_that_cannot_be_asked_for_is_written() {
    let mut file = tempfile::tempfile().unwrap();
    fill_up(&mut file, 64 << 10).unwrap();
    let data = file.metadata().unwrap();
    assert_eq!(data.len(), 64 << 10);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert!(data.blocks() * 512 >= 64 << 10, "no hole");
    }
}

#[test]
fn the_token_replaces_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t.sdtid");
    let room = Reservation::make(Some(&target), false).unwrap();
    assert!(matches!(room.save(TOKEN, &target), Saved::There(path) if path == target));
    assert_eq!(names(folder.path()), ["t.sdtid"]);
    assert_eq!(fs::read(&target).unwrap(), TOKEN);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let blocks = fs::metadata(&target).unwrap().blocks();
        assert!(blocks * 512 < 64 << 10, "what is left of the room is given back");
    }
}

#[test]
fn a_file_that_came_meanwhile_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t.sdtid");
    let room = Reservation::make(Some(&target), false).unwrap();
    fs::write(&target, "another's").unwrap();
    let Saved::Elsewhere { path, .. } = room.save(TOKEN, &target) else { panic!("not there") };
    assert_eq!(fs::read(&target).unwrap(), b"another's");
    assert_eq!(fs::read(path).unwrap(), TOKEN);
}

#[test]
fn force_replaces_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t.sdtid");
    fs::write(&target, "old").unwrap();
    assert_eq!(Reservation::make(Some(&target), false).unwrap_err().kind, "file-exists");
    let room = Reservation::make(Some(&target), true).unwrap();
    assert!(matches!(room.save(TOKEN, &target), Saved::There(_)));
    assert_eq!(fs::read(&target).unwrap(), TOKEN);
    for other in [folder.path(), Path::new("/dev/null"), Path::new("-"), Path::new("..")] {
        assert_eq!(Reservation::make(Some(other), true).unwrap_err().kind, "file-exists");
    }
}

/// A process that dies between the commit and the rename leaves the token behind. This test runs
/// itself again as that process.
#[test]
fn killed_before_the_rename() {
    const FOLDER: &str = "CTKIP_TEST_KILLED_IN";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let room = Reservation::make(Some(&Path::new(&folder).join("t.sdtid")), false).unwrap();
        let _filled = room.fill(TOKEN).unwrap();
        std::process::abort();
    }
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "save::tests::killed_before_the_rename", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(!child.status.success());
    let [name] = &*names(folder.path()) else { panic!("one file") };
    assert_eq!(fs::read(folder.path().join(name)).unwrap(), TOKEN);
}
