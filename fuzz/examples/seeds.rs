//! Makes seed inputs for all targets from the test vectors and from runs of our own, into
//! `seeds/TARGET`. The corpus that is kept was minimised from what the fuzzer made of them.
//!
//!     cargo run --release --example seeds
//!     RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none TARGET corpus/TARGET seeds/TARGET -- -merge=1

use ctkip_fuzz::{CODE, DEVICE_ID, PASSWORD, Setting, answer};
use ctkip_token::ctf::{self, Form, Link};
use ctkip_token::{
    Digits, ExpiryDay, Flags, Interval, PinMode, Seed, Serial, Token, Unlock, json, sdtid,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let mut seeds = Seeds { made: 0 };
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    for file in files(&vectors) {
        let text = fs::read(&file).expect("a readable file");
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("xml") => seeds.xml(&text),
            Some("json") => strings(&serde_json::from_slice(&text).expect("JSON"), &mut |text| {
                seeds.text(text);
            }),
            _ => {}
        }
    }
    for soap in [false, true] {
        for deployed in [false, true] {
            for rsa in [false, true] {
                seeds.run(Setting { soap, deployed, rsa });
            }
        }
    }
    seeds.tokens();
    println!("{} seeds", seeds.made);
}

struct Seeds {
    made: usize,
}

impl Seeds {
    fn add(&mut self, target: &str, parts: &[&[u8]]) {
        let folder = Path::new("seeds").join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(self.made.to_string()), parts.concat()).expect("a file");
        self.made += 1;
    }

    /// One of the vectors' messages.
    fn xml(&mut self, octets: &[u8]) {
        self.add("xml_tree", &[octets]);
        self.add("pdu", &[octets]);
    }

    /// One of the vectors' strings.
    fn text(&mut self, text: &str) {
        let octets = text.as_bytes();
        if text.contains("TKNBatch") {
            self.add("sdtid", &[b"\0", octets]);
            self.add("xml_tree", &[octets]);
        } else if text.contains("<soapenv:") {
            self.add("xml_tree", &[octets]);
            for choice in [0b0110, 0b0111, 0b1_0110, 0b1_0111] {
                self.add("soap_body", &[&[choice, 0], octets]);
            }
        } else if text.contains("ct-kip#") {
            self.xml(octets);
        } else if text.len() < 2000 {
            for choice in 0..4 {
                self.add("token_text", &[&[choice], octets]);
            }
        }
    }

    /// The four bodies of a run of our own.
    fn run(&mut self, setting: Setting) {
        let Setting { soap, deployed, rsa } = setting;
        let choice = u8::from(soap) << 1 | u8::from(deployed) << 2 | u8::from(rsa) << 3;
        let service = setting.service();
        let (_, request1) = setting.exchange();
        let response1 = answer(&service, &request1.headers, &request1.body);
        let (_, request2) = setting.second(&response1);
        let response2 = answer(&service, &request2.headers, &request2.body);
        let value: &[u8] = if soap { CODE.as_bytes() } else { b"text/xml" };
        let prefix = [value.len() as u8];
        self.add("soap_body", &[&[choice], &prefix, value, &request1.body]);
        self.add("soap_body", &[&[choice | 16], &prefix, value, &request2.body]);
        self.add("soap_body", &[&[choice | 1, 0], &response1.body]);
        self.add("soap_body", &[&[choice | 17, 0], &response2.body]);
    }

    /// Tokens of our own under the password and device id of the targets.
    fn tokens(&mut self) {
        let flags = Flags::new(Digits::default(), Interval::Sixty, PinMode::Add);
        let serial = Serial::new("467550051505").expect("a serial");
        let expiry = ExpiryDay::from_date("2031-02-28").expect("a date");
        let token = Token::new(serial, Seed::new([7; 16]), flags, expiry);
        let mut rng = ctkip_fuzz::Counting::default();
        for choice in 0..4_u8 {
            let unlock = Unlock {
                password: (choice & 1 == 1).then_some(PASSWORD),
                device_id: (choice & 2 == 2).then_some(DEVICE_ID),
            };
            for form in [Form::Plain, Form::Blocks, Form::Link(Link::Android)] {
                let text = ctf::write(&token, form, &unlock).expect("a numeric token");
                self.add("token_text", &[&[choice], text.as_bytes()]);
                self.add("token_text", &[&[choice], b"version 1\ntoken ", text.as_bytes()]);
            }
            let text = ctf::write_v3(&token, Link::Android, &unlock, &mut rng).expect("version 3");
            self.add("token_text", &[&[choice], text.as_bytes()]);
            let options = sdtid::WriteOptions { unlock, ..Default::default() };
            let text = sdtid::write(&token, &options, &mut rng).expect("an sdtid document");
            self.add("sdtid", &[&[choice], text.as_bytes()]);
        }
        let text = json::write(&token, json::WithSeed::Yes);
        self.add("token_text", &[&[0], text.as_bytes()]);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn strings(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(list) => list.iter().for_each(|value| strings(value, each)),
        Value::Object(object) => object.values().for_each(|value| strings(value, each)),
        _ => {}
    }
}
