//! Who gets a token: the codes of a register, looked up and spent.

use ctkip_core::crypto::NonceKey;
use ctkip_core::message::ClientHello;
use ctkip_core::service::{Bearer, Commit, Denied, Granted, Issued, Issuer};
use ctkip_core::{ActivationCode, Credentials, Grant, Timestamp};
use getrandom::SysRng;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

use crate::code::CodeTag;
use crate::guard::{Guard, Shut};
use crate::metrics::Metrics;
use crate::registry::TOKENS;
use crate::ring::Ring;
use crate::store::{Cause, EnrolmentId, Issue, Standing, StoreError, Verdict, Window};
use crate::{Dialect, Registry};

/// Octets of an enrolment's number in a grant.
const ID: usize = 8;

/// Decides for one dialect.
pub(crate) struct Office<K> {
    pub(crate) registry: Arc<Registry>,
    pub(crate) ring: Ring<K>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) dialect: Dialect,
}

/// Why a client may not go on.
enum Denial {
    Cause(Cause, String),
    Store(StoreError),
}

impl From<StoreError> for Denial {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Cause> for Denial {
    fn from(cause: Cause) -> Self {
        Self::Cause(cause, String::new())
    }
}

/// Where a request came from, as it is counted: IPv6 by the network, since who has one address there
/// has all of them.
fn source(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".into(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", std::net::Ipv6Addr::from_bits(network))
        }
    }
}

/// The reference that goes from the first request to the second: enrolment and code.
fn grant(id: EnrolmentId, tag: &CodeTag) -> Grant {
    // As long as a grant may be.
    Grant::new([&id.0.to_be_bytes(), tag.as_octets()].concat()).unwrap_or_default()
}

/// The code of a grant.
pub(crate) fn granted(grant: &Grant) -> Option<CodeTag> {
    let (_, tag) = grant.as_octets().split_first_chunk::<ID>()?;
    Some(CodeTag::new(tag.try_into().ok()?))
}

impl<K: NonceKey> Office<K> {
    /// The code that a request brings: in RFC 4758 the nonce of a trigger stands for it.
    fn tag(&self, code: Option<&[u8]>) -> Result<CodeTag, Cause> {
        code.map(|code| self.registry.codes().tag(self.dialect, code)).ok_or(Cause::Missing)
    }

    fn admit(
        &self,
        code: Option<&[u8]>,
        hello: &ClientHello,
        source: &str,
        now: Timestamp,
    ) -> Result<Granted, Denial> {
        let tag = self.tag(code)?;
        let standing = self.look_up(&tag, source, now)?;
        let serial = standing.enrolled.enrolment.serial.clone();
        let named = |cause| Denial::Cause(cause, serial.clone());
        standing.may_begin(now).map_err(named)?;
        let triggered = self.dialect == Dialect::Rfc4758;
        if triggered {
            // A trigger stands beside the identifiers it was given out with, and starts one run (R145,
            // R280).
            let same = hello.token_id == standing.enrolled.enrolment.token_id();
            if !same || hello.key_id.is_some() {
                return Err(named(Cause::Identifiers));
            }
        }
        let key = self.ring.find(&standing.code.key)?.ok_or_else(|| named(Cause::Key))?;
        if triggered && !self.registry.store().spend(&tag, now)? {
            return Err(named(Cause::Used));
        }
        let credentials = Credentials {
            rsa_key: Some(key.public.clone()),
            trigger_is_valid: triggered,
            ..Credentials::default()
        };
        Ok(Granted { grant: grant(standing.enrolled.id, &tag), credentials })
    }

    /// How a code stands, unless too many wrong ones came before.
    fn look_up(&self, tag: &CodeTag, source: &str, now: Timestamp) -> Result<Standing, Denial> {
        let leave = self.guard.enter(source, now).map_err(|Shut(news)| {
            if news {
                self.registry.note_refusal(now, Cause::Throttled, "", source);
            }
            Denial::from(Cause::Throttled)
        })?;
        let window = Window { source, since: leave.since() };
        let (standing, guesses) = self.registry.store().find(tag, window)?;
        if !leave.learn(guesses) {
            return Err(Cause::Throttled.into());
        }
        match standing {
            // One that was put there under another tag is nobody's.
            Some(standing) if standing.code.tag.matches(tag.as_octets()) => Ok(standing),
            _ => {
                leave.learn(self.registry.store().count_wrong(window)?);
                Err(Cause::Wrong.into())
            }
        }
    }

    /// Counts a refusal, notes it in the audit log, and tells the client as little as ever.
    fn refuse(&self, denial: Denial, source: &str, now: Timestamp) -> Denied {
        match denial {
            Denial::Cause(cause, serial) => {
                self.metrics.refused(cause);
                let note = match cause {
                    // Whoever floods a server that is shut is noted once, by `look_up`.
                    Cause::Throttled => false,
                    Cause::Wrong => true,
                    // What is no guess can be repeated at will.
                    _ => self.metrics.may_note(now),
                };
                if note {
                    self.registry.note_refusal(now, cause, &serial, source);
                }
                Denied::Refused
            }
            Denial::Store(error @ StoreError::Corrupt(_)) => {
                tracing::error!(%error, "a code is refused");
                self.metrics.store_failed();
                Denied::Refused
            }
            Denial::Store(error) => {
                tracing::error!(%error, "a client is asked to try again");
                self.metrics.store_failed();
                Denied::Unavailable
            }
        }
    }

    fn issue(&self, commit: &Commit<'_>, now: Timestamp) -> Result<Verdict, Denial> {
        let code = granted(commit.grant).ok_or(Cause::Wrong)?;
        let (sealer, key) = (self.registry.sealer(), commit.key.expose());
        let seed = sealer
            .seal(TOKENS, code.as_octets(), key, &mut SysRng)
            .map_err(|error| Denial::Store(StoreError::Unavailable(error.to_string())))?;
        let new = Issue {
            code,
            session: Sha256::digest(commit.session.as_str()).into(),
            digest: *commit.digest,
            seed,
            committed: now,
            confirmed: None,
            step: None,
            revoked: None,
        };
        Ok(self.registry.store().issue(new, &source(commit.source))?)
    }
}

impl<K: NonceKey> Issuer for Office<K> {
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied> {
        let source = source(bearer.source);
        let code = match self.dialect {
            Dialect::Securid => bearer.code.map(ActivationCode::expose),
            Dialect::Rfc4758 => hello.trigger_nonce.as_deref(),
        };
        self.admit(code, hello, &source, now).map_err(|denial| self.refuse(denial, &source, now))
    }

    fn codeless(&self, from: Option<IpAddr>, now: Timestamp) {
        self.refuse(Cause::Missing.into(), &source(from), now);
    }

    fn recognise(&self, bearer: Bearer<'_>, grant: &Grant, now: Timestamp) -> Result<(), Denied> {
        // In RFC 4758 the session is all that the second request brings.
        if self.dialect == Dialect::Rfc4758 {
            return Ok(());
        }
        let source = source(bearer.source);
        let same = self.tag(bearer.code.map(ActivationCode::expose)).and_then(|tag| {
            let own = granted(grant).is_some_and(|own| own.matches(tag.as_octets()));
            if own { Ok(()) } else { Err(Cause::OtherEnrolment) }
        });
        same.map_err(|cause| self.refuse(cause.into(), &source, now))
    }

    fn commit(&self, commit: &Commit<'_>, now: Timestamp) -> Result<Issued, Denied> {
        let denied = |denial| self.refuse(denial, &source(commit.source), now);
        let (enrolled, repeated) = match self.issue(commit, now).map_err(denied)? {
            Verdict::Issued(enrolled) => (enrolled, false),
            Verdict::Repeated(enrolled) => (enrolled, true),
            Verdict::Refused(cause) => return Err(denied(cause.into())),
        };
        let enrolment = &enrolled.enrolment;
        if !repeated {
            // The store has written it to the audit log, with the token.
            let (serial, source) = (enrolment.serial.as_str(), source(commit.source));
            tracing::info!(target: "audit", event = "issued", serial, source);
        }
        Ok(Issued { record: enrolment.record(), pin: enrolment.pin, repeated })
    }
}
