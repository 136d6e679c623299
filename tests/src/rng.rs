//! Randomness that a test chooses.

use rand_core::{TryCryptoRng, TryRng};
use std::collections::VecDeque;

/// Gives out the octets it was made of, then fails.
///
/// Recorded exchanges are reproduced with it: R_C and the OAEP seed are all that a client draws, R_S
/// all that a server does.
#[derive(Debug, Default)]
pub struct Scripted {
    script: VecDeque<u8>,
    rest: Option<u64>,
}

impl Scripted {
    /// Randomness that consists of these parts.
    #[must_use]
    pub fn new(parts: &[&[u8]]) -> Self {
        Self { script: parts.concat().into(), rest: None }
    }

    /// The same, followed by octets without end, the same every time: for what is drawn only to blind.
    #[must_use]
    pub fn then_anything(mut self) -> Self {
        self.rest = Some(0);
        self
    }

    /// The number of octets left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.script.len()
    }

    /// One step of SplitMix64.
    fn anything(state: &mut u64) -> u8 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 56) as u8
    }
}

/// The script is at its end.
#[derive(Debug, thiserror::Error)]
#[error("the script of random octets is at its end")]
pub struct AtEnd;

impl TryRng for Scripted {
    type Error = AtEnd;

    fn try_next_u32(&mut self) -> Result<u32, AtEnd> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets).map(|()| u32::from_be_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, AtEnd> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets).map(|()| u64::from_be_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), AtEnd> {
        for place in out {
            *place = match (self.script.pop_front(), &mut self.rest) {
                (Some(octet), _) => octet,
                (None, Some(state)) => Self::anything(state),
                (None, None) => return Err(AtEnd),
            };
        }
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}
