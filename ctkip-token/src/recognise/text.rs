//! A file's octets as text.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::MAX_FILE;
use crate::Error;

/// A text, and whether it had to be read as ISO-8859-1 since it is not UTF-8.
pub(super) struct Text<'t> {
    text: Cow<'t, str>,
    latin1: bool,
}

impl<'t> Text<'t> {
    pub(super) fn from_str(text: &'t str) -> Result<Self, Error> {
        check(text.len())?;
        Ok(Self { text: text.into(), latin1: false })
    }

    pub(super) fn from_octets(octets: &'t [u8]) -> Result<Self, Error> {
        check(octets.len())?;
        let text = match octets {
            [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?.into(),
            [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?.into(),
            _ => match core::str::from_utf8(octets) {
                Ok(text) => text.into(),
                Err(_) => return Ok(Self { text: latin1(octets).into(), latin1: true }),
            },
        };
        Ok(Self { text, latin1: false })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "json")]
    pub(super) fn starts_with_ignoring_space(&self, start: &str) -> bool {
        self.text.trim_start_matches('\u{FEFF}').trim_ascii_start().starts_with(start)
    }

    /// A document within the text, by the encoding that it declares.
    pub(super) fn xml<'d>(&self, document: &'d str) -> Result<Cow<'d, str>, Error> {
        if document.is_ascii() {
            return Ok(document.into());
        }
        let (declaration, _) = document.split_once("?>").unwrap_or_default();
        match (declaration.to_ascii_lowercase().contains("iso-8859-1"), self.latin1) {
            (false, false) | (true, true) => Ok(document.into()),
            (true, false) => Ok(latin1(document.as_bytes()).into()),
            (false, true) => {
                Err(Error::Unreadable("the document is neither UTF-8 nor declared ISO-8859-1"))
            }
        }
    }
}

const fn check(length: usize) -> Result<(), Error> {
    match length {
        0 => Err(Error::Unreadable("it is empty")),
        1..=MAX_FILE => Ok(()),
        _ => Err(Error::TooLarge { what: "the input, in octets", limit: MAX_FILE }),
    }
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let (units, _) = octets.as_chunks::<2>();
    let units: Vec<u16> = units.iter().copied().map(unit).collect();
    String::from_utf16(&units).map_err(|_| Error::Unreadable("it is not valid UTF-16"))
}
