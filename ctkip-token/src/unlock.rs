//! What the user gives to lock or open a token text.

use core::fmt;

use crate::{Error, Flags, Format, Token};

/// The longest password, in octets of UTF-8 (docs/spec/securid-token.md section 10).
pub const MAX_PASSWORD: usize = 40;

/// Password and device id, for opening a token text or for locking a new one.
///
/// Empty texts count as absent. What a text does not need is ignored when it is opened.
#[derive(Clone, Copy, Default)]
pub struct Unlock<'a> {
    /// The password, at most [`MAX_PASSWORD`] octets.
    pub password: Option<&'a str>,
    /// The device id, as the device shows it; each form filters it in its own way.
    pub device_id: Option<&'a str>,
}

impl<'a> Unlock<'a> {
    /// Neither password nor device id.
    pub const NONE: Self = Self { password: None, device_id: None };

    /// The password, if there is one.
    ///
    /// # Errors
    /// [`Error::PasswordTooLong`]
    pub(crate) fn password(self) -> Result<Option<&'a str>, Error> {
        match self.password.filter(|p| !p.is_empty()) {
            Some(p) if p.len() > MAX_PASSWORD => Err(Error::PasswordTooLong { octets: p.len() }),
            password => Ok(password),
        }
    }

    /// The password of a text that needs one.
    ///
    /// # Errors
    /// [`Error::PasswordMissing`], [`Error::PasswordTooLong`]
    pub(crate) fn required_password(self) -> Result<&'a str, Error> {
        self.password()?.ok_or(Error::PasswordMissing)
    }

    pub(crate) fn device_id(self) -> Option<&'a str> {
        self.device_id.filter(|id| !id.is_empty())
    }
}

impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlock")
            .field("password", &self.password.map(|_| "…"))
            .field("device_id", &self.device_id.map(|_| "…"))
            .finish()
    }
}

/// A token that was read, and how its text was locked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The token.
    pub token: Token,
    /// What the text was.
    pub format: Format,
    /// Whether a password was needed.
    pub password_locked: bool,
    /// Which device id was needed and fitted, if the text was locked to a device.
    pub device: Option<Device>,
}

impl Opened {
    /// The flags word as the text had it, with the lock bits 12 and 13.
    #[must_use]
    pub fn flags_word(&self) -> u16 {
        let device = if self.device.is_some() { Flags::DEVICE_LOCK } else { 0 };
        let password = if self.password_locked { Flags::PASSWORD_LOCK } else { 0 };
        self.token.flags.bits() | device | password
    }
}

/// The device id that opened a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The one the user gave.
    Given,
    /// One of the well-known class ids, since the user gave none
    /// (docs/spec/securid-token.md section 3.4).
    Class(&'static str),
}
