//! `~/.stokenrc`: one token, locked or not, and its PIN (docs/spec/securid-token.md section 6).
//!
//! A file that is read and written again keeps its comments and unknown lines.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{
    Error, Opened, Pin, Token, Unlock, block,
    ctf::{
        self, Form,
        mac::mac,
        numeric::{self, DeviceLimit},
        v3,
    },
    hex,
};

/// The content of a stokenrc file.
pub struct StokenRc {
    lines: Vec<Line>,
    token: Option<Zeroizing<String>>,
    pin: Option<Zeroizing<String>>,
}

/// Where the values stand, and the lines that are not ours.
#[derive(PartialEq)]
enum Line {
    Version,
    Token,
    Pin,
    Other(String),
}

impl StokenRc {
    /// A file without a token.
    #[must_use]
    pub fn new() -> Self {
        Self { lines: vec![Line::Version], token: None, pin: None }
    }

    /// Reads a file's content. A later line replaces an earlier one of the same key.
    ///
    /// # Errors
    /// [`Error::RcArgument`] for a known key without value, [`Error::RcVersion`] unless the
    /// version is there and 1.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut rc = Self { lines: Vec::new(), token: None, pin: None };
        let mut version = None;
        // Not `lines`: the carriage return of a line that is not ours stays with it.
        for (index, raw) in text.split_terminator('\n').enumerate() {
            let mut words = raw.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
            let key = words.next().unwrap_or_default().to_ascii_lowercase();
            let (line, slot) = match key.as_str() {
                "version" => (Line::Version, &mut version),
                "token" => (Line::Token, &mut rc.token),
                "pin" => (Line::Pin, &mut rc.pin),
                _ => {
                    rc.lines.push(Line::Other(raw.into()));
                    continue;
                }
            };
            let number = index.saturating_add(1);
            let value = words.next().ok_or(Error::RcArgument { line: number, key })?;
            *slot = Some(Zeroizing::new(value.to_string()));
            rc.lines.retain(|other| *other != line);
            rc.lines.push(line);
        }
        match version {
            Some(version) if leading_integer(&version) == Some(1) => Ok(rc),
            _ => Err(Error::RcVersion),
        }
    }

    /// Lines of unknown keys: their number, counted from 1 among all lines that are kept, and the
    /// key.
    pub fn unknown_keys(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().zip(1..).filter_map(|(line, number)| {
            let Line::Other(text) = line else { return None };
            let key = text.split_ascii_whitespace().next()?;
            (!key.starts_with('#')).then_some((number, key))
        })
    }

    /// Opens the token.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, [`Error::Garbled`] unless it is 81 to 85 digits or a
    /// bare version 3 text; otherwise as [`read_text`](crate::read_text).
    pub fn token(&self, unlock: &Unlock<'_>) -> Result<Opened, Error> {
        let text: &str = self.token.as_ref().ok_or(Error::NotFound)?;
        match text.as_bytes() {
            [b'A' | b'B', ..] => v3::decode(text, *unlock),
            [b'1' | b'2', ..] if text.bytes().all(|octet| octet.is_ascii_digit()) => {
                numeric::decode(text, DeviceLimit::Desktop, *unlock)
            }
            _ => Err(Error::Garbled("in a stokenrc file it is bare digits or bare version 3")),
        }
    }

    /// The stored PIN. `opened` is what [`StokenRc::token`] gave: the PIN of a token that is
    /// locked with a password is encrypted with the same.
    ///
    /// # Errors
    /// [`Error::InvalidPin`] if it is in clear and not 4 to 8 digits, [`Error::PinLocked`] if it
    /// cannot be decrypted. Ask the user for it then.
    pub fn pin(&self, opened: &Opened, password: Option<&str>) -> Result<Option<Pin>, Error> {
        let Some(text) = &self.pin else { return Ok(None) };
        match password.filter(|_| opened.password_locked) {
            Some(password) => open_pin(text, password).map(Some),
            None => Pin::new(text).map(Some),
        }
    }

    /// Stores a token and its PIN, as version 2 and locked anew. Other lines stay.
    ///
    /// A version 2 token knows no labels and no days after 2044-11-08.
    ///
    /// # Errors
    /// As [`ctf::write`]; [`Error::Random`].
    pub fn store<R: TryCryptoRng + ?Sized>(
        &mut self,
        token: &Token,
        pin: Option<&Pin>,
        unlock: &Unlock<'_>,
        rng: &mut R,
    ) -> Result<(), Error> {
        let password = unlock.password()?;
        let text = ctf::write(token, Form::Plain, unlock)?;
        let pin = match (pin, password) {
            (Some(pin), Some(password)) => Some(seal_pin(pin, password, rng)?),
            (Some(pin), None) => Some(Zeroizing::new(pin.expose().into())),
            (None, _) => None,
        };
        (self.token, self.pin) = (Some(Zeroizing::new(text)), pin);
        for line in [Line::Version, Line::Token, Line::Pin] {
            if !self.lines.contains(&line) {
                self.lines.push(line);
            }
        }
        Ok(())
    }

    /// The file's content. It holds the token and should be readable for its owner only.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        for line in &self.lines {
            let (key, value) = match line {
                Line::Version => ("version", Some("1")),
                Line::Token => ("token", self.token.as_ref().map(|text| text.as_str())),
                Line::Pin => ("pin", self.pin.as_ref().map(|text| text.as_str())),
                Line::Other(other) => {
                    text.push_str(other);
                    text.push('\n');
                    continue;
                }
            };
            if let Some(value) = value {
                for part in [key, " ", value, "\n"] {
                    text.push_str(part);
                }
            }
        }
        text
    }
}

impl Default for StokenRc {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for StokenRc {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StokenRc")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("pin", &self.pin.as_ref().map(|_| "…"))
            .finish_non_exhaustive()
    }
}

/// What C's `atoi` makes of a text, but for signs.
fn leading_integer(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// `IV || CT` in lower-case hex (section 6.3).
fn seal_pin<R: TryCryptoRng + ?Sized>(
    pin: &Pin,
    password: &str,
    rng: &mut R,
) -> Result<Zeroizing<String>, Error> {
    let mut iv = [0; 16];
    rng.try_fill_bytes(&mut iv).map_err(|_| Error::Random)?;
    let digits = pin.expose().as_bytes();
    let mut block = Zeroizing::new(block::pad0::<16>(digits));
    let [.., length] = &mut *block;
    *length = digits.len() as u8;
    let key = Zeroizing::new(mac(password.as_bytes()));
    let sealed = block::encrypt(&key, &block::xor(*block, &iv));
    Ok(Zeroizing::new(hex::encode([iv, sealed].as_flattened())))
}

fn open_pin(text: &str, password: &str) -> Result<Pin, Error> {
    let octets: [u8; 32] = hex::decode(text).ok_or(Error::PinLocked)?;
    let ([iv, sealed], _) = octets.as_chunks::<16>() else { return Err(Error::PinLocked) };
    let key = Zeroizing::new(mac(password.as_bytes()));
    let block = Zeroizing::new(block::xor(block::decrypt(&key, sealed), iv));
    let [digits @ .., last, length] = &*block;
    let end = digits.iter().position(|octet| *octet == 0).unwrap_or(digits.len());
    let digits = digits.get(..end).and_then(|digits| core::str::from_utf8(digits).ok());
    match digits {
        Some(digits) if *last == 0 && usize::from(*length) == end => {
            Pin::new(digits).map_err(|_| Error::PinLocked)
        }
        _ => Err(Error::PinLocked),
    }
}
