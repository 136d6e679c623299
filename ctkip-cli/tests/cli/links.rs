//! `ctkip provision` from links, pictures and texts.

use std::sync::Arc;

use image::{GrayImage, Luma};
use qrcode::QrCode;

use crate::program::Place;
use crate::server::{CODE, Server};

/// A picture of a text's QR code.
fn picture(text: &str) -> GrayImage {
    let code = QrCode::new(text).unwrap();
    let (width, colors) = (code.width(), code.to_colors());
    let side = u32::try_from(width + 8).unwrap() * 4;
    GrayImage::from_fn(side, side, |x, y| {
        let at = |at: u32| (at as usize / 4).checked_sub(4).filter(|at| *at < width);
        let dark =
            at(x).zip(at(y)).is_some_and(|(x, y)| colors[y * width + x] == qrcode::Color::Dark);
        Luma([if dark { 0 } else { 255 }])
    })
}

#[test]
fn every_kind_of_place_a_link_can_stand_in() {
    for kind in ["picture.png", "picture.jpg", "mail.txt", "-", "argument"] {
        let server = Arc::new(Server::new());
        let listening = server.listen(|_, _, _| None);
        let host = listening.url.strip_prefix("http://").unwrap();
        let link = format!("com.rsa.securid://ctkip?scheme=http&url={host}&activationCode={CODE}");
        let mail = format!(
            "Dear user,\nsee https://help.example.com/ and open\n<{link}>\non your phone.\n"
        );
        let place = Place::new();
        match kind {
            "mail.txt" => drop(place.write(kind, &mail)),
            "-" | "argument" => {}
            picture_file => picture(&link).save(place.path(picture_file)).unwrap(),
        }
        let from = if kind == "argument" { mail.as_str() } else { kind };
        let ran = place.run_with_stdin(&["provision", from, "-o", "t"], &mail).ended(0);
        assert_eq!(server.seeds().len(), 1, "{kind}");
        assert!(!ran.stderr.contains(CODE), "{}", ran.stderr);
    }
}

#[test]
fn a_link_without_a_code_takes_one_from_elsewhere() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let host = listening.url.strip_prefix("http://").unwrap();
    let link = format!("com.rsa.securid://ctkip?scheme=http&url={host}");
    let place = Place::new();
    place.run(&["provision", &link]).ended(2).told("no activation code was given");
    place.run_with_stdin(&["provision", &link, "--code-file", "-"], CODE).ended(0);
}
