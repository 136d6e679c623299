//! `ctkip export`, `issue`, and what they leave behind.

use crate::program::Place;

const TOKEN: &str =
    "246755005150541133354165002752513227270340207255211507544172154352743132716767577";
const SEED: &str = "9218a24ac26dce67f4d7e445a01b59ca";

#[test]
fn export_writes_every_form_and_reads_it_back() {
    for form in ["sdtid", "ctf", "blocks", "v3", "android", "iphone", "json", "stokenrc"] {
        let place = Place::new();
        let ran = place.run(&["export", TOKEN, "--to", form]).ended(0);
        let shown = place.run_with_stdin(&["show", "-", "--seed"], &ran.stdout).ended(0);
        assert!(shown.stdout.contains(SEED), "{form}: {}", shown.stdout);
        place.run(&["export", TOKEN, "--to", form, "-o", "out"]).ended(0);
        let shown = place.run(&["show", "out", "--seed"]).ended(0);
        assert!(shown.stdout.contains(SEED), "{form}: {}", shown.stdout);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let data = std::fs::metadata(place.path("out")).unwrap();
            assert_eq!(data.mode() & 0o777, 0o600, "{form}");
        }
    }
}

#[test]
fn a_locked_form_opens_with_its_password_only() {
    for form in ["sdtid", "ctf", "blocks", "v3", "android", "iphone", "qr", "stokenrc"] {
        let place = Place::new();
        place.write("p", "correct horse\n");
        let line = ["export", TOKEN, "--to", form, "-o", "t.png", "--new-password-file", "p"];
        place.run(&line).ended(0);
        place.run(&["show", "t.png", "--seed"]).ended(2).told("locked with a password");
        let shown = place.run(&["show", "t.png", "--seed", "--password-file", "p"]).ended(0);
        assert!(shown.stdout.contains(SEED), "{form}: {}", shown.stdout);
        // And what is exported from it is as open, or as locked, as asked.
        let line = ["export", "t.png", "--to", "ctf", "--password-file", "p"];
        let open = place.run(&line).ended(0).told("not protected");
        assert_eq!(open.stdout.trim(), TOKEN);
        let kept = place.run(&[&line[..], &["--keep-password"]].concat()).ended(0);
        assert_ne!(kept.stdout.trim(), TOKEN);
    }
}

#[test]
fn an_existing_file_needs_force() {
    let place = Place::new();
    place.write("out", "mine");
    let line = ["export", TOKEN, "--to", "ctf", "--out", "out"];
    place.run(&line).ended(2).told("--force");
    assert_eq!(place.read("out"), "mine");
    place.run(&[&line[..], &["--force"]].concat()).ended(0);
    assert_eq!(place.read("out").trim(), TOKEN);
    assert_eq!(place.names(), ["out"]);
}

#[test]
fn qr_codes_are_drawn_and_read_back() {
    let place = Place::new();
    let drawn = place.run(&["export", TOKEN, "--to", "qr"]).ended(0).stdout;
    assert!(drawn.lines().count() > 20 && drawn.contains('▀'), "{drawn}");
    place.run(&["export", TOKEN, "--to", "qr", "--out", "t.png"]).ended(0);
    let shown = place.run(&["show", "t.png", "--seed"]).ended(0);
    assert!(shown.stdout.contains(SEED), "{}", shown.stdout);
    place.run(&["export", TOKEN, "--to", "qr", "--out", "t.svg"]).ended(0);
    assert!(place.read("t.svg").contains("<svg"));
}

#[test]
fn a_picture_without_a_code_and_one_that_is_broken() {
    let place = Place::new();
    let empty = image::GrayImage::from_pixel(64, 64, image::Luma([255]));
    empty.save(place.path("empty.png")).unwrap();
    place.run(&["show", "empty.png"]).ended(2).told("no QR code");
    place.write("broken.png", b"\x89PNG\r\n\x1a\nnothing");
    place.run(&["show", "broken.png"]).ended(2).told("picture");
}

#[test]
fn issue_makes_a_token_of_its_own() {
    let place = Place::new();
    place.write("template", "<TKNBatch><TKN><SN>000000000042</SN></TKN></TKNBatch>");
    place.run(&["issue", "-o", "a"]).ended(0);
    place.run(&["issue", "-o", "b", "--template", "template"]).ended(0);
    let [a, b] = ["a", "b"].map(|file| place.run(&["show", file, "--seed"]).ended(0).stdout);
    let line = |text: &str, label: &str| {
        text.lines().find(|line| line.starts_with(label)).unwrap().to_owned()
    };
    assert!(line(&b, "Serial number").ends_with("000000000042"));
    assert_ne!(line(&a, "Seed"), line(&b, "Seed"));
    let ran = place.run(&["issue"]).ended(0);
    assert!(ran.stdout.starts_with("<?xml"));
}

#[test]
fn a_batch_is_shown_whole_and_used_one_by_one() {
    let place = Place::new();
    for serial in ["000000000001", "000000000002"] {
        place.write("t", format!("<TKNBatch><TKN><SN>{serial}</SN></TKN></TKNBatch>"));
        place.run(&["issue", "-o", serial, "--template", "t"]).ended(0);
    }
    // Two tokens under one header: the second one's MACs and keys are another header's, so it is
    // the first that can be opened.
    let (first, second) = (place.read("000000000001"), place.read("000000000002"));
    let start = second.find("<TKN>").unwrap();
    let end = second.find("</TKN>").unwrap() + "</TKN>".len();
    let batch = first.replace("<TKNTrailer>", &format!("{}<TKNTrailer>", &second[start..end]));
    place.write("batch", batch);
    let ran = place.run(&["show", "batch"]).ended(2).told("not every token");
    assert!(ran.stdout.contains("000000000001"), "{}", ran.stdout);
    place.run(&["tokencode", "batch", "--pin", "0000"]).ended(2).told("--serial");
    let line = ["tokencode", "batch", "--pin", "0000", "--serial", "000000000001"];
    let code = place.run(&line).ended(0).stdout;
    assert_eq!(code.trim().len(), 8);
    place.run(&["tokencode", "batch", "--serial", "3"]).ended(2).told("000000000003");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut command = std::process::Command::new("/bin/sh");
    let line = "\"$0\" tokencode \"$1\" --force --pin 0000 --count 1000000 | head -n 1; \
                \"$0\" tokencode \"$1\" --force --pin 0000 > /dev/full; echo $?";
    command.args(["-c", line, env!("CARGO_BIN_EXE_ctkip"), TOKEN]).current_dir(place.path(""));
    let ran = crate::program::ran(&mut command).ended(0);
    assert!(!ran.stderr.contains("panic"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert_eq!(ran.stdout.lines().last(), Some("2"), "a full disk is one");
}
