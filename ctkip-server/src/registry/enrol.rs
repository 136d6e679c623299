//! Enrolling, and what becomes of an enrolment at its operator's hands.

use ctkip_core::message::{InitializationTrigger, Trigger, Version};
use ctkip_core::{ActivationCode, RandomnessFailed, Timestamp};
use ctkip_token::Serial;
use rand_core::TryCryptoRng;

use super::{Registry, RegistryError};
use crate::code::{self, CODE_LENGTH, MAX_CODE_LENGTH, TRIGGER_NONCE};
use crate::enrolment::{Dialect, Enrolment};
use crate::store::{Code, Enrolled, EnrolmentId, Filter, KeyId, Standing, State, StoreError};

/// How often a serial number or a code is drawn that another enrolment has.
const DRAWS: usize = 20;

/// The longest text of an enrolment, in octets (RFC 4758 section 3.8.6).
const MAX_TEXT: usize = 128;

/// What a new code is to be.
#[derive(Debug, Clone, Copy)]
pub struct NewCode {
    /// The number of its digits: 12 to 64. A trigger's nonce has 16 random octets instead.
    pub length: usize,
    /// For how many seconds it is good.
    pub lifetime: u64,
}

impl Default for NewCode {
    /// 12 digits, good for a week.
    fn default() -> Self {
        Self { length: CODE_LENGTH, lifetime: 7 * 86_400 }
    }
}

/// An enrolment with its code, which is shown this once.
#[derive(Debug)]
pub struct Shown {
    /// The enrolment.
    pub enrolled: Enrolled,
    /// The code, or in RFC 4758 the nonce of the trigger.
    pub code: ActivationCode,
    /// The first second in which it is good no more.
    pub expiry: Timestamp,
    /// The RSA key that its bearer is offered.
    pub key: KeyId,
}

impl Shown {
    /// The trigger that starts a run of RFC 4758: what the client is given in the place of a code
    /// (section 4.2.7). `None` in the other dialect.
    #[must_use]
    pub fn trigger(&self, url: Option<&str>) -> Option<Trigger> {
        let enrolment = &self.enrolled.enrolment;
        (enrolment.dialect == Dialect::Rfc4758).then(|| Trigger {
            version: Some(Version::V1_0),
            initialization: Some(InitializationTrigger {
                token_id: enrolment.token_id(),
                trigger_nonce: self.code.expose().to_vec(),
                url: url.map(str::to_owned),
                ..InitializationTrigger::default()
            }),
        })
    }
}

impl Registry {
    /// Enrols users: all, or none. An empty serial number is replaced by a random one that is free.
    ///
    /// # Errors
    /// [`RegistryError::Enrolment`] for what an enrolment cannot be; [`RegistryError::NoKey`] as long
    /// as the register has no RSA key ([`Self::first_key`]); [`RegistryError::Store`], with
    /// [`StoreError::SerialTaken`], and [`RegistryError::Randomness`].
    pub fn enrol<R: TryCryptoRng + ?Sized>(
        &self,
        enrolments: &[Enrolment],
        new: NewCode,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<Shown>, RegistryError> {
        for enrolment in enrolments {
            enrolment.check()?;
        }
        let key = self.current_key()?;
        let mut draws = 0_usize;
        loop {
            let mut shown = Vec::with_capacity(enrolments.len());
            let mut rows = Vec::with_capacity(enrolments.len());
            let first = first_id(now, rng)?;
            for (enrolment, id) in enrolments.iter().zip(first..) {
                let id = EnrolmentId(id);
                let (enrolled, code, secret) = self.row(id, enrolment, new, key, now, rng)?;
                let expiry = code.expiry;
                shown.push(Shown { enrolled: enrolled.clone(), code: secret, expiry, key });
                rows.push((enrolled, code));
            }
            match self.store.enrol(&rows) {
                Err(StoreError::SerialTaken(taken))
                    if draws < DRAWS && enrolments.iter().all(|asked| asked.serial != taken) =>
                {
                    draws = draws.saturating_add(1);
                }
                Err(StoreError::CodeTaken) if draws < DRAWS => draws = draws.saturating_add(1),
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    tracing::info!(target: "audit", event = "enrolled", count = shown.len());
                    return Ok(shown);
                }
            }
        }
    }

    fn row<R: TryCryptoRng + ?Sized>(
        &self,
        id: EnrolmentId,
        enrolment: &Enrolment,
        new: NewCode,
        key: KeyId,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Enrolled, Code, ActivationCode), RegistryError> {
        let mut enrolment = enrolment.clone();
        if enrolment.serial.is_empty() {
            let serial = Serial::random(rng).map_err(|_| RandomnessFailed)?;
            serial.as_str().clone_into(&mut enrolment.serial);
        }
        let (code, secret) = self.code(id, enrolment.dialect, new, key, now, rng)?;
        Ok((Enrolled { id, enrolment, created: now, revoked: None }, code, secret))
    }

    /// A new code, and what to keep of it.
    fn code<R: TryCryptoRng + ?Sized>(
        &self,
        enrolment: EnrolmentId,
        dialect: Dialect,
        new: NewCode,
        key: KeyId,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Code, ActivationCode), RegistryError> {
        let length = u8::try_from(new.length)
            .ok()
            .filter(|_| (CODE_LENGTH..=MAX_CODE_LENGTH).contains(&new.length))
            .ok_or_else(|| RegistryError::Enrolment {
                field: "code length",
                why: format!("a code has {CODE_LENGTH} to {MAX_CODE_LENGTH} digits"),
            })?;
        let (secret, length) = match dialect {
            Dialect::Securid => (code::random(new.length, rng)?, length),
            Dialect::Rfc4758 => {
                let mut nonce = vec![0; TRIGGER_NONCE];
                rng.try_fill_bytes(&mut nonce).map_err(|_| RandomnessFailed)?;
                // As good as 38 digits.
                (ActivationCode::new(nonce), 38)
            }
        };
        let code = Code {
            tag: self.codes.tag(dialect, secret.expose()),
            enrolment,
            key,
            length,
            expiry: Timestamp(now.0.saturating_add(new.lifetime)),
            spent: None,
            withdrawn: None,
        };
        Ok((code, secret))
    }

    /// Gives an enrolment whose token was not seen in use a new code. The code before is good no
    /// more, and a token that came of it is revoked.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Confirmed`], [`RegistryError::Revoked`], and
    /// those of [`Self::enrol`].
    pub fn reissue<R: TryCryptoRng + ?Sized>(
        &self,
        serial: &str,
        new: NewCode,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Shown, RegistryError> {
        let Standing { enrolled, .. } = self.standing(serial)?;
        let key = self.current_key()?;
        let dialect = enrolled.enrolment.dialect;
        let mut draws = 0_usize;
        let (done, code, secret) = loop {
            let (code, secret) = self.code(enrolled.id, dialect, new, key, now, rng)?;
            match self.store.reissue(&code, now) {
                Err(StoreError::CodeTaken) if draws < DRAWS => draws = draws.saturating_add(1),
                done => break (done?, code, secret),
            }
        };
        if !done {
            return Err(match self.standing(serial)?.state(now) {
                State::Revoked => RegistryError::Revoked(serial.into()),
                _ => RegistryError::Confirmed(serial.into()),
            });
        }
        tracing::info!(target: "audit", event = "reissued", serial);
        Ok(Shown { enrolled, code: secret, expiry: code.expiry, key })
    }

    /// Revokes an enrolment: its code is good no more, its token is revoked and its seed forgotten.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Revoked`] when it was before,
    /// [`RegistryError::Store`].
    pub fn revoke(&self, serial: &str, now: Timestamp) -> Result<(), RegistryError> {
        let standing = self.standing(serial)?;
        if !self.store.revoke(standing.enrolled.id, now)? {
            return Err(RegistryError::Revoked(serial.into()));
        }
        tracing::info!(target: "audit", event = "revoked", serial);
        Ok(())
    }

    /// How an enrolment stands.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Store`].
    pub fn standing(&self, serial: &str) -> Result<Standing, RegistryError> {
        let filter = Filter { serial: Some(serial), limit: 1, ..Filter::default() };
        let found = self.store.standings(&filter)?.pop();
        found.ok_or_else(|| RegistryError::Unknown(serial.into()))
    }
}

/// The number of the first of some enrolments. Numbers grow with time, so that a database adds them at its
/// end, and begin anywhere within a second, so that two operators take different ones.
fn first_id<R: TryCryptoRng + ?Sized>(
    now: Timestamp,
    rng: &mut R,
) -> Result<i64, RandomnessFailed> {
    let random = rng.try_next_u32().map_err(|_| RandomnessFailed)?;
    Ok((now.0.cast_signed() & 0x1_FFFF_FFFF) << 30 | i64::from(random >> 2))
}

impl Enrolment {
    /// What an enrolment has to be for a client to take it. An empty serial number is yet to be drawn.
    ///
    /// # Errors
    /// [`RegistryError::Enrolment`].
    pub fn check(&self) -> Result<(), RegistryError> {
        let wrong = |field, why: &str| Err(RegistryError::Enrolment { field, why: why.into() });
        let bad_text = |text: &str| text.len() > MAX_TEXT || text.chars().any(char::is_control);
        let twelve = self.serial.len() == 12 && self.serial.bytes().all(|c| c.is_ascii_digit());
        if !self.serial.is_empty() && !twelve {
            return wrong("serial number", "it has twelve digits");
        }
        if self.user.is_empty() || bad_text(&self.user) {
            return wrong("user", "a name of 1 to 128 octets without control characters");
        }
        if bad_text(&self.service) {
            return wrong("service", "at most 128 octets without control characters");
        }
        if self.device.as_deref().is_some_and(|device| device.is_empty() || bad_text(device)) {
            return wrong("device", "1 to 128 octets without control characters");
        }
        if !(1..=8).contains(&self.digits) {
            return wrong("digits", "1 to 8");
        }
        if ![30, 60].contains(&self.interval) {
            return wrong("interval", "30 or 60 seconds");
        }
        Ok(())
    }
}
