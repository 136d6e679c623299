//! Issued tokens as JSON, **in clear**, for programs.
//!
//! An array of objects in the given order. `serial`, `user`, `service`, `seed` (32 hexadecimal
//! digits) and `expiry`, `device` are strings, `digits` and `interval` (seconds) numbers; `expiry`
//! (the last valid day, `YYYY-MM-DD`) and `device` are null if there is none. Nothing is checked:
//! texts stand as they are.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::pskc::PskcKey;

/// Writes the tokens, ending in a line feed. Whoever sees the text can compute every tokencode.
#[must_use]
pub fn write(keys: &[PskcKey<'_>]) -> Zeroizing<String> {
    let object = |key: &PskcKey<'_>| {
        json!({
            "serial": key.serial,
            "user": key.user,
            "service": key.service,
            "seed": key.seed.iter().map(|octet| format!("{octet:02x}")).collect::<String>(),
            "digits": key.digits,
            "interval": key.interval,
            "expiry": key.expiry,
            "device": key.device,
        })
    };
    Zeroizing::new(format!("{:#}\n", Value::Array(keys.iter().map(object).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_as_documented() {
        let key = PskcKey {
            serial: "000123456789",
            manufacturer: "",
            issuer: "",
            user: "al\"ice\u{1}",
            service: "VPN",
            seed: &[0x0A; 16],
            digits: 8,
            interval: 60,
            start: None,
            expiry: Some("2031-02-28"),
            device: None,
        };
        let value: Value = serde_json::from_str(&write(&[key])).unwrap();
        let expected = json!([{
            "serial": "000123456789",
            "user": "al\"ice\u{1}",
            "service": "VPN",
            "seed": "0a".repeat(16),
            "digits": 8,
            "interval": 60,
            "expiry": "2031-02-28",
            "device": null,
        }]);
        assert_eq!(value, expected);
        assert_eq!(*write(&[]), "[]\n");
    }
}
