//! Texts that may hold a token, an activation link or an rcfile: what is recognised can be written
//! in the same form, and then reads as the same token.
//!
//! The first octet says whether a password and a device id are given.
#![no_main]
#![forbid(unsafe_code)]

use ctkip_fuzz::{Counting, DEVICE_ID, PASSWORD, parts};
use ctkip_token::ctf::{self, Form, Link};
use ctkip_token::link::{ActivationLink, Http};
use ctkip_token::stokenrc::StokenRc;
use ctkip_token::{Error, Format, Opened, Unlock, json, read_file, read_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [choice, content @ ..] = input else { return };
    let unlock = Unlock {
        password: (choice & 1 == 1).then_some(PASSWORD),
        device_id: (choice >> 1 & 1 == 1).then_some(DEVICE_ID),
    };
    if let Ok(opened) = read_file(content, &unlock) {
        round_trip(&opened, unlock);
    }
    let Ok(text) = std::str::from_utf8(content) else { return };
    if let Ok(opened) = read_text(text, &unlock) {
        round_trip(&opened, unlock);
    }
    if let Ok(rc) = StokenRc::parse(text) {
        let again = StokenRc::parse(&rc.to_text()).expect("our own rcfile");
        assert_eq!(*again.to_text(), *rc.to_text());
        if let Ok(opened) = rc.token(&unlock) {
            let _ = rc.pin(&opened, unlock.password);
        }
    }
    if let Ok(link) = ActivationLink::parse(text, Http::Allow) {
        // Not that it reads as itself: a code in the query of a bare URL is taken out.
        let rest = link.url.strip_prefix("https://").or_else(|| link.url.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?']).next());
        assert!(host.is_some_and(|host| !host.is_empty() && !host.contains('@')), "{}", link.url);
        assert!(!link.url.contains(|c: char| c.is_control() || c.is_whitespace()), "{}", link.url);
    }
});

fn round_trip(opened: &Opened, unlock: Unlock<'_>) {
    let unlock = Unlock {
        password: unlock.password.filter(|_| opened.password_locked),
        device_id: unlock.device_id.filter(|_| opened.device.is_some()),
    };
    let written = match opened.format {
        Format::CtfV1 | Format::CtfV2 => ctf::write(&opened.token, Form::Plain, &unlock),
        Format::CtfV3 | Format::CtfV4 => {
            ctf::write_v3(&opened.token, Link::Android, &unlock, &mut Counting::default())
        }
        Format::Json => Ok(String::from(&**json::write(&opened.token, json::WithSeed::Yes))),
        _ => return,
    };
    match written.and_then(|text| read_file(text.as_bytes(), &unlock)) {
        Ok(again) => assert_eq!(parts(&again.token), parts(&opened.token)),
        Err(error) => excused(&error),
    }
}

/// A token can be read that has no place in the form it is written in.
fn excused(error: &Error) {
    panic!("{error}");
}
