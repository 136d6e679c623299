//! A JSON form of our own, for programs.
//!
//! One object; times and dates are UTC:
//!
//! | member | value |
//! |---|---|
//! | `type` | `"securid-software-token"` |
//! | `serial` | 12 digits, a string |
//! | `flags` | the flags word, 4 hexadecimal digits, a string |
//! | `digits`, `interval`, `pin_mode` | what the flags say: 1 to 8, 30 or 60, 0 to 3 |
//! | `expires` | the last valid day, `YYYY-MM-DD` |
//! | `seed` | 32 hexadecimal digits; only if asked for |
//! | `issuer`, `user`, `first_name`, `last_name`, `nickname`, `device_id` | labels, if not empty |
//! | `pin_type` | a number, if not 0 |
//!
//! Readers of this form want `serial`, `flags`, `expires` and `seed`, refuse `digits`, `interval`
//! and `pin_mode` that contradict the flags, and ignore members they do not know.

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{Error, ExpiryDay, Flags, Format, Labels, Opened, Seed, Serial, Token, hex};

const TYPE: &str = "securid-software-token";

/// Whether the seed is written. Whoever sees it can compute every tokencode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithSeed {
    /// The seed is left out; the text cannot be read back.
    No,
    /// The seed is written in clear.
    Yes,
}

/// Writes a token, ending in a line feed.
#[must_use]
pub fn write(token: &Token, seed: WithSeed) -> Zeroizing<String> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.into(), value);
    put("type", TYPE.into());
    put("serial", token.serial.as_str().into());
    put("flags", format!("{:04x}", token.flags.bits()).into());
    for (name, number) in numbers(token.flags) {
        put(name, number.into());
    }
    put("expires", token.expiry.last_day().into());
    for (name, text) in texts(&token.labels) {
        if !text.is_empty() {
            put(name, text.as_str().into());
        }
    }
    if token.labels.pin_type != 0 {
        put("pin_type", token.labels.pin_type.into());
    }
    if seed == WithSeed::Yes {
        put("seed", hex::encode(token.seed.expose()).into());
    }
    Zeroizing::new(format!("{:#}\n", Value::Object(object)))
}

/// Reads a token. Octet order marks and white space around the object do not matter.
///
/// # Errors
/// [`Error::Json`], saying which member is wrong or missing.
pub fn read(text: &str) -> Result<Opened, Error> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{FEFF}'))
        .map_err(|error| Error::Json(error.to_string()))?;
    let wrong = |name: &str| Error::Json(format!("member {name:?} is missing or wrong"));
    let text = |name: &'static str| value.get(name).and_then(Value::as_str);
    if text("type") != Some(TYPE) {
        return Err(wrong("type"));
    }
    let member = |name| text(name).ok_or_else(|| wrong(name));
    let serial = Serial::new(member("serial")?).map_err(|_| wrong("serial"))?;
    let bits = hex::decode(member("flags")?).ok_or_else(|| wrong("flags"))?;
    let flags = Flags::from_bits(u16::from_be_bytes(bits));
    for (name, number) in numbers(flags) {
        if value.get(name).is_some_and(|given| given.as_u64() != Some(number)) {
            return Err(wrong(name));
        }
    }
    let expiry = ExpiryDay::from_date(member("expires")?).map_err(|_| wrong("expires"))?;
    let seed = Seed::new(hex::decode(member("seed")?).ok_or_else(|| wrong("seed"))?);
    let label = |name| String::from(text(name).unwrap_or_default());
    let labels = Labels {
        issuer: label("issuer"),
        user: label("user"),
        first_name: label("first_name"),
        last_name: label("last_name"),
        nickname: label("nickname"),
        device_id: label("device_id"),
        pin_type: value.get("pin_type").and_then(Value::as_u64).unwrap_or_default() as u32,
    };
    let token = Token { labels, ..Token::new(serial, seed, flags, expiry) };
    Ok(Opened { token, format: Format::Json, password_locked: false, device: None })
}

fn numbers(flags: Flags) -> [(&'static str, u64); 3] {
    [
        ("digits", flags.digits().get().into()),
        ("interval", flags.interval().seconds()),
        ("pin_mode", flags.pin_mode().number().into()),
    ]
}

fn texts(labels: &Labels) -> [(&'static str, &String); 6] {
    [
        ("issuer", &labels.issuer),
        ("user", &labels.user),
        ("first_name", &labels.first_name),
        ("last_name", &labels.last_name),
        ("nickname", &labels.nickname),
        ("device_id", &labels.device_id),
    ]
}
