//! Bodies and headers, at the client and at the server, in both bindings and dialects: a server
//! always has an answer, a client a token or an error.
//!
//! An input is: an octet that chooses role and setting, the length of a header's value, that value,
//! and the body.
#![no_main]
#![forbid(unsafe_code)]

use ctkip_core::wire::{Headers, WireResponse};
use ctkip_core::xml::tree::{Document, Limits};
use ctkip_fuzz::{Counting, Setting, answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [choice, length, rest @ ..] = input else { return };
    let Some((value, body)) = rest.split_at_checked((*length).into()) else { return };
    let bit = |number: u8| choice >> number & 1 == 1;
    let setting = Setting { soap: bit(1), deployed: bit(2), rsa: bit(3) };
    match (bit(0), bit(4)) {
        (false, second) => server(setting, second, value, body),
        (true, false) => client(setting, false, body),
        // A client that waits for the last answer costs a public operation, so not with RSA.
        (true, true) => client(Setting { rsa: false, ..setting }, true, body),
    }
});

/// `second`: a session is open.
fn server(setting: Setting, second: bool, value: &[u8], body: &[u8]) {
    let service = setting.service();
    let (_, hello) = setting.exchange();
    if second {
        let _ = answer(&service, &hello.headers, &hello.body);
    }
    let name = if setting.soap { "authorization" } else { "content-type" };
    let replace = |(known, good): &(std::borrow::Cow<'static, str>, Vec<u8>)| {
        let own = !value.is_empty() && known.eq_ignore_ascii_case(name);
        (known.clone(), if own { value.to_vec() } else { good.clone() })
    };
    let headers: Headers = hello.headers.iter().map(replace).collect();
    let response = answer(&service, &headers, body);
    assert!(matches!(response.status, 200 | 400..=599), "status {}", response.status);
    assert!(!response.body.is_empty(), "no body with status {}", response.status);
    if response.status == 200 {
        let text = std::str::from_utf8(&response.body).expect("we write UTF-8");
        Document::parse(text, &Limits::DEFAULT).expect("we write well-formed XML");
    }
}

/// `second`: the server's first answer was good.
fn client(setting: Setting, second: bool, body: &[u8]) {
    let (mut exchange, request) = setting.exchange();
    if second {
        let hello = answer(&setting.service(), &request.headers, &request.body);
        (exchange, _) = setting.second(&hello);
    }
    let response = WireResponse { status: 200, headers: Headers::new(), body: body.to_vec() };
    let _ = exchange.receive(&response, &mut Counting::default());
}
