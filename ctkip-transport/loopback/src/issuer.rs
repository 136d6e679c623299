//! An issuer that keeps its tokens in memory.

use ctkip_core::message::{ClientHello, TokenRecord};
use ctkip_core::service::{Bearer, Commit, Denied, Granted, Issued, Issuer};
use ctkip_core::{
    ActivationCode, Date, Grant, PinSettings, RandomnessFailed, Timestamp, TokenKey, TokenSettings,
};
use rand_core::TryCryptoRng;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a server says of a token it gives out.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The serial number, twelve digits.
    pub serial: String,
    /// Whose token it is.
    pub user: String,
    /// The service it is for.
    pub service: String,
    /// The day it expires, at midnight UTC.
    pub expiry: Date,
    /// Digits of a tokencode.
    pub digits: u8,
    /// Seconds between two tokencodes, 30 or 60.
    pub interval: u32,
    /// What is said beside the protocol, in the SOAP binding.
    pub pin: PinSettings,
}

impl Enrolment {
    /// A token of this serial number: eight digits every 60 seconds, until the end of 2035, for
    /// nobody in particular.
    #[must_use]
    pub fn new(serial: impl Into<String>) -> Self {
        Self {
            serial: serial.into(),
            user: String::new(),
            service: "ctkip loopback".into(),
            expiry: Date { year: 2035, month: 12, day: 31 },
            digits: 8,
            interval: 60,
            pin: PinSettings::default(),
        }
    }

    /// The same as it stands in `ServerFinished` (`docs/spec/deployed-profile.md` section 5.4).
    #[must_use]
    pub fn record(&self) -> TokenRecord {
        let mut settings = TokenSettings::new(self.serial.clone());
        settings.expiry = Some(self.expiry);
        settings.issuer.clone_from(&self.service);
        settings.user.clone_from(&self.user);
        settings.digits = self.digits;
        settings.interval = self.interval;
        settings.record()
    }
}

/// A serial number of twelve random digits.
///
/// # Errors
/// [`RandomnessFailed`] when `rng` does.
pub fn random_serial<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<String, RandomnessFailed> {
    let number = rng.try_next_u64().map_err(|_| RandomnessFailed)?;
    Ok(format!("{:012}", number % 1_000_000_000_000))
}

/// Gives out tokens of one enrolment: one, unless told otherwise, to anybody or to whoever has the
/// code. It remembers their keys.
#[derive(Debug)]
pub struct MemoryIssuer {
    enrolment: Enrolment,
    code: Option<ActivationCode>,
    limit: usize,
    keys: Mutex<Vec<TokenKey>>,
}

impl MemoryIssuer {
    /// Gives a token to whoever asks first.
    #[must_use]
    pub fn new(enrolment: Enrolment) -> Self {
        Self { enrolment, code: None, limit: 1, keys: Mutex::default() }
    }

    /// Gives a token to none but who has this code.
    #[must_use]
    pub fn code(mut self, code: ActivationCode) -> Self {
        self.code = Some(code);
        self
    }

    /// Gives out so many tokens, all of the same serial number, instead of one.
    #[must_use]
    pub const fn limit(mut self, tokens: usize) -> Self {
        self.limit = tokens;
        self
    }

    /// The keys of the tokens given out, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<TokenKey> {
        self.table().iter().map(|key| TokenKey::new(key.expose().to_vec())).collect()
    }

    fn table(&self) -> MutexGuard<'_, Vec<TokenKey>> {
        // A panic elsewhere leaves the table whole: all that is ever done to it is a push.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, code: Option<&ActivationCode>) -> bool {
        self.code.as_ref().is_none_or(|own| code.is_some_and(|code| own.matches(code.expose())))
    }
}

impl Issuer for MemoryIssuer {
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        _hello: &ClientHello,
        _now: Timestamp,
    ) -> Result<Granted, Denied> {
        let granted = self.knows(bearer.code) && self.table().len() < self.limit;
        if granted { Ok(Granted::default()) } else { Err(Denied::Refused) }
    }

    fn recognise(&self, bearer: Bearer<'_>, _grant: &Grant, _now: Timestamp) -> Result<(), Denied> {
        if self.knows(bearer.code) { Ok(()) } else { Err(Denied::Refused) }
    }

    fn commit(&self, commit: &Commit<'_>, _now: Timestamp) -> Result<Issued, Denied> {
        let mut keys = self.table();
        if keys.len() >= self.limit {
            return Err(Denied::Refused);
        }
        keys.push(TokenKey::new(commit.key.expose().to_vec()));
        Ok(Issued { record: self.enrolment.record(), pin: self.enrolment.pin, repeated: false })
    }
}
