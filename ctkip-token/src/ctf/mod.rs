//! Compressed token formats: numeric tokens and version 3, as digits or in links
//! (docs/spec/securid-token.md sections 3 and 4). Reading is in [`read_text`](crate::read_text).
//!
//! ```
//! use ctkip_token::{Digits, ExpiryDay, Flags, Interval, PinMode, Seed, Serial, Token, Unlock};
//! use ctkip_token::{ctf, read_text};
//!
//! // The worked example of section 3.6.
//! let token = Token::new(
//!     Serial::new("467550051505")?,
//!     Seed::new(0x9218a24ac26dce67f4d7e445a01b59ca_u128.to_be_bytes()),
//!     Flags::new(Digits::default(), Interval::Sixty, PinMode::Add),
//!     ExpiryDay::from_date("2031-02-28")?,
//! );
//! let text = ctf::write(&token, ctf::Form::Link(ctf::Link::Android), &Unlock::NONE)?;
//! assert!(text.starts_with("http://127.0.0.1/securid/ctf?ctfData=2467550051505"));
//! let opened = read_text(&text, &Unlock::NONE)?;
//! assert_eq!(opened.token.seed.expose(), token.seed.expose());
//! # Ok::<(), ctkip_token::Error>(())
//! ```

pub(crate) mod mac;
pub(crate) mod numeric;
#[cfg(test)]
mod tests;
pub(crate) mod v3;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use rand_core::TryCryptoRng;

use crate::{Device, Error, Token, Unlock};

/// The prefixes by which mobile apps know a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// `com.rsa.securid.iphone://ctf`: older iPhone apps.
    Iphone,
    /// `http://127.0.0.1/securid/ctf`: older Android apps.
    Android,
    /// `com.rsa.securid://ctf`: current apps.
    SecurId,
}

impl Link {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Iphone, Self::Android, Self::SecurId];

    /// The text before `?ctfData=`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Iphone => "com.rsa.securid.iphone://ctf",
            Self::Android => "http://127.0.0.1/securid/ctf",
            Self::SecurId => "com.rsa.securid://ctf",
        }
    }

    fn with(self, data: &str) -> String {
        format!("{}?ctfData={data}", self.prefix())
    }
}

/// How a numeric token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// 81 digits.
    Plain,
    /// Groups of 5 digits joined by `-`.
    Blocks,
    /// A link for a mobile app. A device id is cut at 40 octets instead of 32.
    Link(Link),
}

/// Writes a numeric token of version 2. The same token, form, password and device id give the
/// same text.
///
/// # Errors
/// [`Error::ExpiryRange`] after 2044-11-08, the last day that 14 bits can hold;
/// [`Error::PasswordTooLong`].
pub fn write(token: &Token, form: Form, unlock: &Unlock<'_>) -> Result<String, Error> {
    let limit = match form {
        Form::Link(_) => numeric::DeviceLimit::Smartphone,
        Form::Plain | Form::Blocks => numeric::DeviceLimit::Desktop,
    };
    let digits = numeric::encode(token, limit, *unlock)?;
    Ok(match form {
        Form::Plain => digits,
        Form::Link(link) => link.with(&digits),
        Form::Blocks => {
            let blocks: Vec<_> = digits.as_bytes().chunks(5).map(String::from_utf8_lossy).collect();
            blocks.join("-")
        }
    })
}

/// Writes a token of version 3 as a link. The text differs each time by a random nonce. Of the
/// PIN mode only AddPIN is kept, and flags other than Mode are lost.
///
/// # Errors
/// [`Error::PasswordTooLong`], [`Error::Random`].
pub fn write_v3<R: TryCryptoRng + ?Sized>(
    token: &Token,
    link: Link,
    unlock: &Unlock<'_>,
    rng: &mut R,
) -> Result<String, Error> {
    let mut nonce = [0; 16];
    rng.try_fill_bytes(&mut nonce).map_err(|_| Error::Random)?;
    Ok(link.with(&v3::encode(token, *unlock, &nonce)?))
}

/// Device ids that stand for a class of devices, in the order in which they are tried
/// (section 3.4).
const CLASS_IDS: [(&str, &str); 7] = [
    ("iphone", "556f1985-33dd-442c-9155-3a0e994f21b1"),
    ("android", "a01c4380-fc01-4df0-b113-7fb98ec74694"),
    ("bb", "868c28f8-31bf-4911-9876-ebece5c3f2ab"),
    ("bb10", "b77a1d06-d505-4200-90d3-1bb397748704"),
    ("winphone", "c483b592-63f0-4f19-b4cb-a6bce8e57159"),
    ("win", "8f94b226-d362-4204-ac52-3b21fa333b6f"),
    ("mac", "d0955a53-569b-4ecc-9cf7-6c2a59d4e775"),
];

/// The ids to try on a token that is locked to a device: the user's, else the class ids.
fn device_ids(unlock: Unlock<'_>) -> Vec<(Device, String)> {
    match unlock.device_id() {
        Some(id) => alloc::vec![(Device::Given, id.to_string())],
        None => CLASS_IDS.map(|(class, id)| (Device::Class(class), id.to_string())).into(),
    }
}

/// What to say when none of them fits.
fn no_device_fits(unlock: Unlock<'_>) -> Error {
    match unlock.device_id() {
        Some(_) => Error::DeviceIdWrong,
        None => Error::DeviceIdMissing,
    }
}
