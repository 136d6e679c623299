//! Issued tokens, as their operator sees them.

use ctkip_core::{Timestamp, TokenKey};
use ctkip_token::{Digits, ExpiryDay, FromCtkip, Interval, Pin, Seed, Serial, Token};

use super::{Registry, RegistryError};
use crate::store::{Enrolled, Filter, Issue, Standing};

/// The table that tokens are in.
pub(crate) const TABLE: &str = "token";

/// How many tokens are read at a time.
const PAGE: usize = 1000;

/// A token that was issued, with its secret.
#[derive(Debug)]
pub struct IssuedToken {
    /// What it was issued for.
    pub enrolled: Enrolled,
    /// K_TOKEN.
    pub key: TokenKey,
    /// When it was issued.
    pub committed: Timestamp,
    /// When it was seen in use first.
    pub confirmed: Option<Timestamp>,
}

/// The tokens of a register.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Exported {
    /// The tokens that are in use or may be.
    pub tokens: Vec<IssuedToken>,
    /// The serial numbers of those whose rows were changed by another hand.
    pub tampered: Vec<String>,
}

/// A tokencode that was good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many intervals the token's clock is ahead of ours, at the most; negative if it is behind.
    pub drift: i64,
    /// It was the first that was seen of this token.
    pub first: bool,
}

impl Registry {
    /// All tokens that were not revoked. That is noted in the audit log, with `purpose`.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn export(&self, purpose: &str, now: Timestamp) -> Result<Exported, RegistryError> {
        let mut exported = Exported::default();
        let mut after = String::new();
        loop {
            let filter = Filter { after: Some(&after), limit: PAGE, ..Filter::default() };
            let page = self.store.standings(&filter)?;
            let Some(last) = page.last() else { break };
            last.enrolled.enrolment.serial.clone_into(&mut after);
            for standing in page {
                let serial = standing.enrolled.enrolment.serial.clone();
                match self.opened(standing) {
                    Ok(token) => exported.tokens.push(token),
                    Err(RegistryError::Tampered(_)) => exported.tampered.push(serial),
                    Err(_) => {}
                }
            }
        }
        let count = exported.tokens.len();
        self.note(now, "exported", "", format!("{count} tokens, {purpose}"))?;
        for serial in &exported.tampered {
            tracing::error!(serial, "the token's row was changed by another hand");
        }
        Ok(exported)
    }

    /// Checks a tokencode, up to so many intervals before and after this one. A good one shows that
    /// the token is where it should be, which confirms it; it is not taken a second time.
    ///
    /// # Errors
    /// [`RegistryError::WrongTokencode`], [`RegistryError::RepeatedTokencode`],
    /// [`RegistryError::Unknown`], [`RegistryError::NoToken`], [`RegistryError::Revoked`],
    /// [`RegistryError::Tampered`], [`RegistryError::Store`].
    pub fn verify(
        &self,
        serial: &str,
        tokencode: &str,
        pin: Option<&Pin>,
        window: u32,
        now: Timestamp,
    ) -> Result<Verified, RegistryError> {
        let standing = self.standing(serial)?;
        let code = standing.code.tag;
        let issued = self.opened(standing)?;
        let token = token(&issued).ok_or_else(|| RegistryError::Tampered(serial.into()))?;
        let interval = token.interval().seconds();
        let here = now.0.checked_div(interval).unwrap_or_default();
        let steps = here.saturating_sub(window.into())..=here.saturating_add(window.into());
        let same = |step: &u64| {
            use subtle::ConstantTimeEq;
            let code = token.tokencode(step.saturating_mul(interval), pin);
            bool::from(code.expose().as_bytes().ct_eq(tokencode.as_bytes()))
        };
        // Whichever of two alike is nearer to now.
        let mut good: Vec<u64> = steps.filter(same).collect();
        good.sort_by_key(|step| step.abs_diff(here));
        let Some(step) = good.first() else {
            self.note(now, "tokencode refused", serial, String::new())?;
            return Err(RegistryError::WrongTokencode(serial.into()));
        };
        if !self.store.seen(&code, *step, now)? {
            self.note(now, "tokencode repeated", serial, String::new())?;
            return Err(RegistryError::RepeatedTokencode(serial.into()));
        }
        let first = issued.confirmed.is_none();
        if first {
            tracing::info!(target: "audit", event = "confirmed", serial);
        }
        let drift = step.cast_signed().saturating_sub(here.cast_signed());
        Ok(Verified { drift, first })
    }

    /// The token of an enrolment, opened.
    fn opened(&self, standing: Standing) -> Result<IssuedToken, RegistryError> {
        let serial = || standing.enrolled.enrolment.serial.clone();
        let Some(Issue { code, seed, committed, confirmed, revoked, .. }) = standing.issue else {
            return Err(RegistryError::NoToken(serial()));
        };
        if revoked.is_some() || standing.enrolled.revoked.is_some() {
            return Err(RegistryError::Revoked(serial()));
        }
        let opened = self.sealer.open(TABLE, code.as_octets(), &seed);
        let seed = opened.map_err(|_| RegistryError::Tampered(serial()))?;
        let key = TokenKey::new(seed.to_vec());
        Ok(IssuedToken { enrolled: standing.enrolled, key, committed, confirmed })
    }
}

/// The token as something that computes tokencodes.
fn token(issued: &IssuedToken) -> Option<Token> {
    let enrolment = &issued.enrolled.enrolment;
    Some(Token::from_ctkip(FromCtkip {
        k_token: Seed::from_slice(issued.key.expose()).ok()?,
        serial: Serial::new(&enrolment.serial).ok()?,
        expiry: ExpiryDay::from_date(&enrolment.expires.to_string()).ok()?,
        issuer: &enrolment.service,
        user: &enrolment.user,
        digits: Digits::new(enrolment.digits)?,
        interval: Interval::new(enrolment.interval.into())?,
        add_pin: enrolment.pin.add_pin,
        pin_type: enrolment.pin.pin_type,
    }))
}
