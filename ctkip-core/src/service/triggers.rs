//! The triggers a server gave out (RFC 4758 section 3.8.2).

use super::Full;
use super::expiring::Expiring;
use crate::message::{ClientHello, InitializationTrigger, Trigger, Version};
use crate::{Grant, Timestamp};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a trigger's nonce, in octets (R067).
const NONCE: usize = 16;

/// Triggers given out by this process, kept in its memory. A trigger couples what the user showed of
/// himself elsewhere to the run that follows (R286): its nonce is random, good for one `ClientHello`
/// with the very identifiers of the trigger, and not for long.
///
/// An [`Issuer`](super::Issuer) asks [`Self::redeem`] when it authorises, and puts what comes of it
/// into [`crate::Credentials::trigger_is_valid`] and [`Granted::grant`](super::Granted::grant).
#[derive(Debug)]
pub struct MemoryTriggers {
    lifetime: u64,
    given: Mutex<Expiring<Vec<u8>, Given>>,
}

/// What a nonce was given out for.
#[derive(Debug)]
struct Given {
    token_id: Option<Vec<u8>>,
    key_id: Option<Vec<u8>>,
    grant: Grant,
}

impl MemoryTriggers {
    /// Room for `capacity` triggers given out within `lifetime` seconds, for which each is good.
    #[must_use]
    pub fn new(capacity: usize, lifetime: u64) -> Self {
        Self { lifetime, given: Mutex::new(Expiring::new(capacity)) }
    }

    /// Gives out a trigger: `wanted` with a new nonce of 16 octets, whatever nonce it had. Its bearer
    /// may have what `grant` says.
    ///
    /// # Errors
    /// [`Full`] when too many were given out lately, or `rng` fails.
    pub fn issue<R: TryCryptoRng + ?Sized>(
        &self,
        wanted: InitializationTrigger,
        grant: Grant,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Trigger, Full> {
        let mut trigger_nonce = vec![0; NONCE];
        rng.try_fill_bytes(&mut trigger_nonce).map_err(|_| Full)?;
        let (token_id, key_id) = (wanted.token_id.clone(), wanted.key_id.clone());
        let given = Given { token_id, key_id, grant };
        let expiry = Timestamp(now.0.saturating_add(self.lifetime));
        self.given().insert(trigger_nonce.clone(), given, expiry, now)?;
        let initialization = InitializationTrigger { trigger_nonce, ..wanted };
        Ok(Trigger { version: Some(Version::V1_0), initialization: Some(initialization) })
    }

    /// What the bearer of this `ClientHello` may have, if its trigger nonce was given out, has not
    /// expired, and stands beside the identifiers of the trigger and no others (R144, R145). The
    /// nonce is spent by this, whatever comes of it (R280).
    #[must_use]
    pub fn redeem(&self, hello: &ClientHello, now: Timestamp) -> Option<Grant> {
        let given = self.given().remove(hello.trigger_nonce.as_ref()?, now)?;
        let same = given.token_id == hello.token_id && given.key_id == hello.key_id;
        same.then_some(given.grant)
    }

    fn given(&self) -> MutexGuard<'_, Expiring<Vec<u8>, Given>> {
        // A panic elsewhere leaves the table whole: every change to it is a single call.
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
