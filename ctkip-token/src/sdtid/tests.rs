use std::vec::Vec;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    document::{self, leaves},
    keys::{BATCH_MAC_IV, KeyInputs, Keys, TOKEN_MAC_IV, key0, key1},
    mac::{Leaf, serialise, signature_input},
    value::{date, integer, octets16 as base64_octets},
};
use crate::{
    block::cbc_mac,
    vectors::{octets, octets16, primitives, text, token_text},
};

#[test]
fn vectors_tokens_sdtid_keys() {
    primitives("sdtid_keys", |item| {
        let [password, dest, name] = ["password", "dest", "name"].map(|key| text(item, key));
        let (serial, secret) = (text(item, "sn"), octets16(item, "secret"));
        let first = key0(password.as_bytes(), dest.as_bytes(), name.as_bytes());
        assert_eq!(first, octets16(item, "key0"), "{item}");
        assert_eq!(key1(&first, name.as_bytes(), &secret), octets16(item, "key1"), "{item}");
        let keys = Keys::derive(&KeyInputs {
            password: &password,
            dest: &dest,
            name: &name,
            secret: &secret,
            serial: &serial,
        });
        assert_eq!(keys.batch_mac, octets16(item, "batch_mac_key"), "{item}");
        assert_eq!(keys.token_mac, octets16(item, "token_mac_key"), "{item}");
        assert_eq!(keys.token_encryption, octets16(item, "token_enc_key"), "{item}");
        assert_eq!(keys.seed_mask, octets16(item, "seed_mask"), "{item}");
    });
}

#[test]
fn vectors_tokens_sdtid_serialisation() {
    primitives("sdtid_serialisation", |item| {
        let xml = text(&token_text(&text(item, "token")), "text");
        let document = document::parse(&xml).unwrap();
        let section = |name| document::sections(&document, name).next().unwrap();
        let mut signed = Vec::new();
        for (name, part, iv, mac_name, key) in [
            ("TKNHeader", "header", BATCH_MAC_IV, "HeaderMAC", "batch_mac_key"),
            ("TKN", "token", TOKEN_MAC_IV, "TokenMAC", "token_mac_key"),
        ] {
            let mut leaves = leaves(section(name)).unwrap();
            let buffer = serialise(&leaves).unwrap();
            assert_eq!(buffer, octets(item, &std::format!("{part}_buffer")), "{item}");
            let mac = cbc_mac(&octets16(item, key), &iv, &buffer);
            assert_eq!(mac, octets16(item, &std::format!("{part}_mac")), "{item}");
            let path = std::format!("{name}.{mac_name}");
            leaves.push(Leaf { path, value: STANDARD.encode(mac).into() });
            signed.append(&mut leaves);
        }
        assert_eq!(signature_input(signed), octets(item, "signature_input"), "{item}");
    });
}

#[test]
fn integers_are_those_of_c() {
    let cases = [
        ("10", 10),
        (" \t+7", 7),
        ("-3", -3),
        ("010", 8),
        ("0", 0),
        ("00", 0),
        ("0x1F", 31),
        ("99999999999999999999", i64::MAX),
    ];
    for (text, number) in cases {
        assert_eq!(integer(text), Some(number), "{text}");
    }
    for text in ["", " ", "x", "7 ", "08", "0x", "1.5", "--1", "+", "0x1g"] {
        assert_eq!(integer(text), None, "{text}");
    }
}

#[test]
fn dates_are_normalised() {
    let cases = [
        ("2031/02/28", "2031-02-28"),
        ("2031/02/30", "2031-03-02"),
        ("2031/2/3", "2031-02-03"),
        ("2030/13/01", "2031-01-01"),
        ("2031/01/00", "2030-12-31"),
        ("2031/02/28T00:00", "2031-02-28"),
        ("2200/01/01", "2200-01-01"),
    ];
    for (text, day) in cases {
        assert_eq!(date(text).map(|day| day.last_day()).as_deref(), Some(day), "{text}");
    }
    for text in ["", " ", "2000/01/01", "1999/12/31", "2031-02-28", "2031/02", "99999999999/1/1"] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn base64_is_strict_but_for_white_space() {
    assert_eq!(base64_octets("AAAAAAAAAAAA\nAAAAAAAAAA==").as_deref(), Some(&[0; 16]));
    for text in [
        "",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "*AAAAAAAAAAAAAAAAAAAAA==",
    ] {
        assert_eq!(base64_octets(text), None, "{text}");
    }
}
