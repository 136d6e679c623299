//! What a server remembers, and the one place that decides what a code is good for.
//!
//! A [`Store`] keeps rows. What follows from them is decided by [`Standing`], which every store asks
//! within its transaction, so that all decide alike. Stores hold no secret in clear: codes are tags,
//! seeds and RSA keys are sealed before they get here.

mod memory;
mod sql;
#[cfg(test)]
mod tests;

pub use memory::MemoryStore;
pub use sql::{SqlStore, StoreUrl};

use ctkip_core::Timestamp;
use std::fmt;

use crate::code::CodeTag;
use crate::enrolment::Enrolment;
use crate::registry::keys_hex as hex;

/// The number of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrolmentId(pub i64);

/// What names an RSA key: SHA-256 of its DER SubjectPublicKeyInfo.
pub type KeyId = [u8; 32];

/// Why a client gets no token. It does not learn which; the audit log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No code came with the request.
    Missing,
    /// There is no such code.
    Wrong,
    /// The code is that of another enrolment than the session's.
    OtherEnrolment,
    /// A token was issued for it.
    Used,
    /// Its time is over.
    Expired,
    /// It was replaced, or its enrolment was revoked.
    Revoked,
    /// Too many wrong codes came from the same source, or from all together.
    Throttled,
    /// The client names another token or key than the trigger.
    Identifiers,
    /// The RSA key that it was given out with was retired, or cannot be used.
    Key,
}

impl Cause {
    /// How it is called in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::OtherEnrolment => "other-enrolment",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Throttled => "throttled",
            Self::Identifiers => "identifiers",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A code, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it is found by.
    pub tag: CodeTag,
    /// What it is for.
    pub enrolment: EnrolmentId,
    /// The RSA key that its bearer is offered.
    pub key: KeyId,
    /// The number of its digits.
    pub length: u8,
    /// The first second in which it is good no more.
    pub expiry: Timestamp,
    /// When a trigger's nonce started its only run (R280). A code is spent by its token alone.
    pub spent: Option<Timestamp>,
    /// When another took its place, or the enrolment was revoked.
    pub withdrawn: Option<Timestamp>,
}

/// An enrolment and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Its number.
    pub id: EnrolmentId,
    /// What it is.
    pub enrolment: Enrolment,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A token, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The code it was issued for. No two tokens have the same.
    pub code: CodeTag,
    /// SHA-256 of the SessionID of the run it came of.
    pub session: [u8; 32],
    /// SHA-256 of `EncryptedNonce`, by which a repeated request is recognised.
    pub digest: [u8; 32],
    /// K_TOKEN, sealed.
    pub seed: Vec<u8>,
    /// When it was committed.
    pub committed: Timestamp,
    /// When a tokencode of it was seen first. Until then nobody has shown that the client holds it
    /// (R278).
    pub confirmed: Option<Timestamp>,
    /// The interval of the last tokencode that was taken: none before it is taken again.
    pub step: Option<u64>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A code and everything that decides what it is good for.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The code.
    pub code: Code,
    /// What it is for.
    pub enrolled: Enrolled,
    /// The token that was issued for it.
    pub issue: Option<Issue>,
}

/// What becomes of a commit.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The token is durable now.
    Issued(Enrolled),
    /// It was before: the same request was committed already.
    Repeated(Enrolled),
    /// There is no token for this request.
    Refused(Cause),
}

impl Standing {
    /// Whether the bearer of the code may begin.
    ///
    /// # Errors
    /// The [`Cause`] for which he may not.
    pub fn may_begin(&self, now: Timestamp) -> Result<(), Cause> {
        if self.issue.is_some() || self.code.spent.is_some() {
            return Err(Cause::Used);
        }
        self.is_good(now)
    }

    /// What becomes of a token that is to be issued for this code.
    pub(crate) fn verdict(self, new: &Issue) -> Verdict {
        match &self.issue {
            Some(there) if there.revoked.is_some() => Verdict::Refused(Cause::Revoked),
            Some(there) if (there.session, there.digest) == (new.session, new.digest) => {
                Verdict::Repeated(self.enrolled)
            }
            Some(_) => Verdict::Refused(Cause::Used),
            None => match self.is_good(new.committed) {
                Ok(()) => Verdict::Issued(self.enrolled),
                Err(cause) => Verdict::Refused(cause),
            },
        }
    }

    fn is_good(&self, now: Timestamp) -> Result<(), Cause> {
        if self.code.withdrawn.is_some() || self.enrolled.revoked.is_some() {
            Err(Cause::Revoked)
        } else if self.code.expiry <= now {
            Err(Cause::Expired)
        } else {
            Ok(())
        }
    }

    /// How the enrolment stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match &self.issue {
            _ if self.enrolled.revoked.is_some() => State::Revoked,
            Some(issue) if issue.revoked.is_some() => State::Revoked,
            Some(issue) if issue.confirmed.is_some() => State::Confirmed,
            Some(_) => State::Unconfirmed,
            None if self.code.spent.is_some() => State::Spent,
            None if self.code.expiry <= now => State::Expired,
            None => State::Open,
        }
    }
}

/// How an enrolment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Its code can be used.
    Open,
    /// Its code has expired unused.
    Expired,
    /// Its trigger was used, and no token came of it.
    Spent,
    /// There is a token, of which no tokencode was seen.
    Unconfirmed,
    /// There is a token, and it was seen in use.
    Confirmed,
    /// It was revoked.
    Revoked,
}

impl State {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Expired, Self::Spent, Self::Unconfirmed, Self::Confirmed, Self::Revoked];

    /// How it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Revoked => "revoked",
        }
    }
}

/// Wrong codes within the current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guesses {
    /// Those from one source.
    pub source: u64,
    /// All.
    pub total: u64,
}

/// A window of time in which wrong codes are counted, and whose they are.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Where a request came from.
    pub source: &'a str,
    /// When the window began.
    pub since: Timestamp,
}

/// An RSA key, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub id: KeyId,
    /// Its PKCS#8, sealed.
    pub sealed: Vec<u8>,
    /// Its size.
    pub bits: u32,
    /// When it was made. The youngest that is not retired is offered to new enrolments.
    pub created: Timestamp,
    /// When it was retired: it decrypts nothing any more.
    pub retired: Option<Timestamp>,
}

/// A line of the audit log. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What: `enrolled`, `issued`, `refused` …
    pub event: String,
    /// The serial number of the enrolment, where one is known.
    pub serial: String,
    /// Where the request came from, or who the operator was.
    pub source: String,
    /// What else there is to say.
    pub detail: String,
}

impl AuditEntry {
    /// What an operator did.
    pub(crate) fn of_operator(at: Timestamp, event: &str, serial: &str, detail: String) -> Self {
        let (event, serial) = (event.into(), serial.into());
        Self { at, event, serial, source: "operator".into(), detail }
    }
}

/// Which enrolments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// This serial number.
    pub serial: Option<&'a str>,
    /// This user.
    pub user: Option<&'a str>,
    /// Those after this serial number, in order of serial numbers.
    pub after: Option<&'a str>,
    /// No more than so many.
    pub limit: usize,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, or is full, or busy for too long. Whether what was asked is done
    /// is not known; asked again, it is done once.
    #[error("the store cannot be used now: {0}")]
    Unavailable(String),
    /// The store holds what cannot be read: it was changed by another hand, or by another version.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// Another enrolment has this serial number.
    #[error("serial number {0} is taken")]
    SerialTaken(String),
    /// A new code, or the number of a new enrolment, is one that is known already. By chance that
    /// happens: among a million codes of twelve digits more likely than not. Another is to be drawn.
    #[error("a code, or the number of an enrolment, is taken")]
    CodeTaken,
}

/// What a server remembers. Every call may block; each is one transaction, of which the line in the
/// audit log is a part where there is one.
pub trait Store: Send + Sync {
    /// The value of a setting: this one, if it had none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn setting(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Keeps an RSA key, if `first` only when there is none, and notes that in the audit log; whether
    /// it was kept. Whatever is there then is what [`Self::keys`] says.
    ///
    /// # Errors
    /// [`StoreError`].
    fn add_key(&self, key: &StoredKey, first: bool, now: Timestamp) -> Result<bool, StoreError>;

    /// All RSA keys, the youngest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn keys(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// Retires a key, and notes that in the audit log; whether there is one to retire. The number of
    /// codes that are open and offer it is the caller's to mind: [`Self::codes_under`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn retire_key(&self, id: &KeyId, now: Timestamp) -> Result<bool, StoreError>;

    /// How many codes offer this key and could still be used.
    ///
    /// # Errors
    /// [`StoreError`].
    fn codes_under(&self, id: &KeyId, now: Timestamp) -> Result<u64, StoreError>;

    /// Keeps new enrolments with their codes, and notes them in the audit log: all or, when one cannot
    /// be kept, none.
    ///
    /// # Errors
    /// [`StoreError::SerialTaken`], [`StoreError::CodeTaken`] and the rest of [`StoreError`].
    fn enrol(&self, new: &[(Enrolled, Code)]) -> Result<(), StoreError>;

    /// How a code stands, and the wrong codes of the window.
    ///
    /// # Errors
    /// [`StoreError`].
    fn find(
        &self,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError>;

    /// Counts a wrong code.
    ///
    /// # Errors
    /// [`StoreError`].
    fn count_wrong(&self, window: Window<'_>) -> Result<Guesses, StoreError>;

    /// Spends a trigger's nonce; whether it was there to be spent, and good.
    ///
    /// # Errors
    /// [`StoreError`].
    fn spend(&self, tag: &CodeTag, now: Timestamp) -> Result<bool, StoreError>;

    /// Makes a token durable, by the [`Standing`] of its code as it is then. At most one token comes
    /// of a code, whatever is asked at the same time and wherever; asked again for the same run it
    /// says [`Verdict::Repeated`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn issue(&self, new: Issue, source: &str) -> Result<Verdict, StoreError>;

    /// Enrolments, each with its last code, in order of serial numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    fn standings(&self, filter: &Filter<'_>) -> Result<Vec<Standing>, StoreError>;

    /// Gives an enrolment a new code, unless its token was confirmed or it was revoked: then the
    /// standing tells. The code before is withdrawn, and the token that came of it is revoked and its
    /// seed forgotten. The audit log notes it.
    ///
    /// # Errors
    /// [`StoreError::CodeTaken`] and the rest of [`StoreError`].
    fn reissue(&self, new: &Code, now: Timestamp) -> Result<bool, StoreError>;

    /// Revokes an enrolment, its code and its token, whose seed is forgotten, and notes that in the
    /// audit log; whether there was one to revoke.
    ///
    /// # Errors
    /// [`StoreError`].
    fn revoke(&self, id: EnrolmentId, now: Timestamp) -> Result<bool, StoreError>;

    /// Remembers that a tokencode of this interval was seen; the first confirms the token, which the
    /// audit log notes. `false`: one of the same or a later interval was seen before, so that this
    /// one is a repetition; or there is no such token.
    ///
    /// # Errors
    /// [`StoreError`].
    fn seen(&self, code: &CodeTag, step: u64, now: Timestamp) -> Result<bool, StoreError>;

    /// How many codes are open now, by their length.
    ///
    /// # Errors
    /// [`StoreError`].
    fn open_codes(&self, now: Timestamp) -> Result<Vec<(u8, u64)>, StoreError>;

    /// Adds to the audit log.
    ///
    /// # Errors
    /// [`StoreError`].
    fn audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// The last entries of the audit log, the oldest of them first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Forgets windows of wrong codes that began before this.
    ///
    /// # Errors
    /// [`StoreError`].
    fn forget_guesses(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Whether the store can be used.
    ///
    /// # Errors
    /// [`StoreError`].
    fn check(&self) -> Result<(), StoreError>;
}

/// The audit entry of an enrolment that was made.
fn made(enrolled: &Enrolled) -> AuditEntry {
    changed("enrolled", &enrolled.enrolment.serial, enrolled.created)
}

/// The audit entry of an enrolment that an operator changed.
fn changed(event: &str, serial: &str, now: Timestamp) -> AuditEntry {
    AuditEntry::of_operator(now, event, serial, String::new())
}

/// The audit entry of an RSA key that was made or retired.
fn key_changed(event: &str, id: &KeyId, now: Timestamp) -> AuditEntry {
    AuditEntry::of_operator(now, event, "", hex(id))
}

/// The audit entry of a token that was issued.
fn issued(enrolled: &Enrolled, new: &Issue, source: &str) -> AuditEntry {
    AuditEntry {
        at: new.committed,
        event: "issued".into(),
        serial: enrolled.enrolment.serial.clone(),
        source: source.into(),
        detail: String::new(),
    }
}

/// Whether a tokencode of this interval is taken of a token.
fn may_see(issue: &Issue, step: u64) -> bool {
    issue.revoked.is_none() && issue.step.is_none_or(|last| last < step)
}

/// Whether an enrolment may get another code.
fn may_reissue(standing: &Standing) -> bool {
    let confirmed = standing.issue.as_ref().is_some_and(|issue| issue.confirmed.is_some());
    !confirmed && standing.enrolled.revoked.is_none()
}
