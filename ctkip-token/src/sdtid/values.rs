//! The values of a token in a document or template, and what they mean
//! (docs/spec/securid-token.md sections 5.1 and 5.2).

use std::{borrow::Cow, string::String};

use zeroize::Zeroizing;

use super::{
    NOT_KNOWN,
    document::Lookup,
    value::{date, integer, octets16},
};
use crate::{Error, Flags, Labels, Seed, Serial, Token};

/// The values of one token, its header's included.
pub(super) struct Values<'a, 'd> {
    pub(super) lookup: Lookup<'a, 'd>,
    pub(super) defaults: Defaults,
}

/// Whose default an absent element has (section 5.2): they differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Defaults {
    /// A reader's, for finished documents.
    Reader,
    /// A writer's, for templates.
    Writer,
}

impl<'d> Values<'_, 'd> {
    pub(super) fn text(&self, element: &'static str) -> Result<Cow<'d, str>, Error> {
        self.lookup.get(element).ok_or(Error::Element { element, problem: "is missing" })
    }

    pub(super) fn octets(&self, element: &'static str) -> Result<Zeroizing<[u8; 16]>, Error> {
        octets16(&self.text(element)?)
            .ok_or(Error::Element { element, problem: "is not base64 of 16 octets" })
    }

    fn integer(&self, element: &'static str, default: i64) -> Result<i64, Error> {
        match self.lookup.get(element) {
            Some(text) => {
                integer(&text).ok_or(Error::Element { element, problem: "is not an integer" })
            }
            None => Ok(default),
        }
    }

    /// All about the token but its seed.
    pub(super) fn describe(&self) -> Result<impl FnOnce(Seed) -> Token + use<>, Error> {
        let (serial, flags, labels) = (self.serial()?, self.flags()?, self.labels());
        let problem = "is not a date Y/M/D after 2000/01/01";
        let expiry =
            date(&self.text("Death")?).ok_or(Error::Element { element: "Death", problem })?;
        Ok(move |seed| Token { labels, ..Token::new(serial, seed, flags, expiry) })
    }

    fn serial(&self) -> Result<Serial, Error> {
        let problem = "is not 1 to 12 digits";
        let text = self.text("SN")?;
        let text = if text.len() <= 12 { text.trim_ascii() } else { "" };
        Serial::new(text).map_err(|_| Error::Element { element: "SN", problem })
    }

    fn flags(&self) -> Result<Flags, Error> {
        let ours = |reader, writer| match self.defaults {
            Defaults::Reader => reader,
            Defaults::Writer => writer,
        };
        // CT-KIP clients in the field misspell it in their templates, where `stoken` overlooks it.
        let add_pin = ours(0, self.integer("AddPin", 1)?);
        let switches = [
            ("TimeDerivedSeeds", Flags::TIME_DERIVED, ours(0, 1)),
            ("AppDerivedSeeds", Flags::APP_DERIVED, 0),
            ("Mode", Flags::MODE, 0),
            ("Alg", Flags::AES, ours(0, 1)),
            ("AddPIN", Flags::ADD_PIN, add_pin),
            ("LocalPIN", Flags::LOCAL_PIN, 0),
        ];
        let mut word = 0;
        for (element, bit, default) in switches {
            if self.integer(element, default)? != 0 {
                word |= bit;
            }
        }
        let digits = self.integer("Digits", ours(6, 8))?.wrapping_sub(1) & 7;
        let interval = u16::from(self.integer("Interval", 60)? == 60);
        Ok(Flags::from_bits(word | ((digits as u16) << 6) | interval))
    }

    fn labels(&self) -> Labels {
        let text = |name| match self.lookup.get(name) {
            Some(text) => String::from(text.trim_ascii()),
            None => String::new(),
        };
        let mut issuer = text("Origin");
        if issuer == NOT_KNOWN {
            issuer.clear();
        }
        let pin_type = self.integer("PinType", 0).ok().and_then(|n| n.try_into().ok());
        Labels {
            issuer,
            user: text("UserLogin"),
            first_name: text("UserFirstName"),
            last_name: text("UserLastName"),
            nickname: text("Nickname"),
            device_id: text("DeviceSerialNumber"),
            pin_type: pin_type.unwrap_or_default(),
        }
    }
}
