//! Serial numbers.

use core::{fmt, str::FromStr};

use rand_core::TryCryptoRng;

use crate::Error;

/// A token's serial number: 12 decimal digits, leading zeros kept. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 12]);

impl Serial {
    /// Reads a serial number of 1 to 12 digits and fills it with zeros on the left to 12.
    ///
    /// # Errors
    /// [`Error::InvalidSerial`] for anything else.
    pub fn new(text: &str) -> Result<Self, Error> {
        let valid = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !valid {
            return Err(Error::InvalidSerial);
        }
        let mut digits = [b'0'; 12];
        for (digit, given) in digits.iter_mut().rev().zip(text.bytes().rev()) {
            *digit = given;
        }
        Ok(Self(digits))
    }

    /// Draws a serial number of 12 random digits.
    ///
    /// # Errors
    /// [`Error::Random`] if the source fails.
    pub fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        let mut octets = [0; 16];
        rng.try_fill_bytes(&mut octets).map_err(|_| Error::Random)?;
        // 128 bits over 12 digits: no digit is favoured by more than 2^-80.
        let mut number = u128::from_be_bytes(octets);
        let mut digits = [0; 12];
        for digit in digits.iter_mut().rev() {
            *digit = ascii_digit((number % 10) as u8);
            number /= 10;
        }
        Ok(Self(digits))
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The last 8 digits as packed BCD, as tokencodes use them (section 2).
    pub(crate) fn bcd(&self) -> [u8; 4] {
        let [_, _, _, _, a, b, c, d, e, f, g, h] = self.0;
        [(a, b), (c, d), (e, f), (g, h)].map(|(high, low)| ((high & 15) << 4) | (low & 15))
    }
}

/// The ASCII digit of a number below 10.
pub(crate) const fn ascii_digit(number: u8) -> u8 {
    b'0' | number
}

impl FromStr for Serial {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}
