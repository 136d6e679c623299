//! The secret of a token.

use core::fmt;

use rand_core::TryCryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Error;

/// The 16 secret octets from which all tokencodes follow; K_TOKEN of a CT-KIP exchange.
///
/// Wiped on drop, redacted in `Debug`, compared in constant time.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 16]);

impl Seed {
    /// Takes the octets over; wiping the caller's copy is the caller's business.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// Copies a seed out of a slice.
    ///
    /// # Errors
    /// [`Error::InvalidSeed`] unless there are exactly 16 octets.
    pub fn from_slice(octets: &[u8]) -> Result<Self, Error> {
        octets.try_into().map(Self).map_err(|_| Error::InvalidSeed)
    }

    /// Draws a seed.
    ///
    /// # Errors
    /// [`Error::Random`] if the source fails.
    pub fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        let mut seed = Self([0; 16]);
        rng.try_fill_bytes(&mut seed.0).map_err(|_| Error::Random)?;
        Ok(seed)
    }

    /// The octets themselves. Whoever has them can compute every tokencode.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl ConstantTimeEq for Seed {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}
