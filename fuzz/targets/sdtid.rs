//! sdtid files: what is read can be written, and then reads as the same token.
//!
//! The first octet says whether a password is given.
#![no_main]
#![forbid(unsafe_code)]

use ctkip_fuzz::{Counting, PASSWORD, parts};
use ctkip_token::{Unlock, sdtid};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [choice, document @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(document) else { return };
    let password = (choice & 1 == 1).then_some(PASSWORD);
    let unlock = Unlock { password, ..Unlock::NONE };

    let Ok(batch) = sdtid::Batch::parse(text) else { return };
    let Ok(tokens) = batch.tokens(&unlock) else { return };
    for opened in tokens.take(4).flatten() {
        let unlock = if opened.password_locked { unlock } else { Unlock::NONE };
        let options = sdtid::WriteOptions { unlock, ..Default::default() };
        let written = match sdtid::write(&opened.token, &options, &mut Counting::default()) {
            Ok(written) => written,
            Err(error) => panic!("{:?} cannot be written: {error}", opened.token),
        };
        match sdtid::read(&written, &unlock) {
            Ok(again) => assert_eq!(parts(&again.token), parts(&opened.token)),
            Err(error) => panic!("{error}: {written}"),
        }
    }
});
