//! The user's PIN.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// A PIN: 4 to 8 decimal digits. `0000` adds nothing and stands for "no PIN".
///
/// Wiped on drop, redacted in `Debug`. A PIN is never part of a token's text.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Checks and copies a PIN.
    ///
    /// # Errors
    /// [`Error::InvalidPin`] unless it is 4 to 8 ASCII digits.
    pub fn new(digits: &str) -> Result<Self, Error> {
        let valid = (4..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        valid.then(|| Self(Zeroizing::new(digits.into()))).ok_or(Error::InvalidPin)
    }

    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}
