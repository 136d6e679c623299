//! Stores that do not behave, or that notice what is asked of them: a store with hooks.

use ctkip_core::Timestamp;
use ctkip_server::CodeTag;
use ctkip_server::store::{
    AuditEntry, Code, Enrolled, EnrolmentId, Filter, Guesses, Issue, KeyId, Standing, Store,
    StoreError, StoredKey, Verdict, Window,
};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What a hook makes of the calls that matter. Each passes its call on unless told otherwise.
pub trait Hooks: Send + Sync {
    /// [`Store::find`].
    ///
    /// # Errors
    /// Those of the store.
    fn find(
        &self,
        store: &dyn Store,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        store.find(tag, window)
    }

    /// [`Store::issue`].
    ///
    /// # Errors
    /// Those of the store.
    fn issue(
        &self,
        store: &Arc<dyn Store>,
        new: Issue,
        source: &str,
    ) -> Result<Verdict, StoreError> {
        store.issue(new, source)
    }

    /// [`Store::audit_log`].
    ///
    /// # Errors
    /// Those of the store.
    fn audit_log(&self, store: &dyn Store, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        store.audit_log(limit)
    }
}

/// A store with hooks.
pub struct Hooked<H> {
    store: Arc<dyn Store>,
    hooks: H,
}

impl<H> Hooked<H> {
    /// This store, with these hooks.
    pub fn new(store: Arc<dyn Store>, hooks: H) -> Self {
        Self { store, hooks }
    }
}

impl<H: Hooks> Store for Hooked<H> {
    fn setting(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.store.setting(name, value)
    }

    fn add_key(&self, key: &StoredKey, first: bool, now: Timestamp) -> Result<bool, StoreError> {
        self.store.add_key(key, first, now)
    }

    fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.store.keys()
    }

    fn retire_key(&self, id: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        self.store.retire_key(id, now)
    }

    fn codes_under(&self, id: &KeyId, now: Timestamp) -> Result<u64, StoreError> {
        self.store.codes_under(id, now)
    }

    fn enrol(&self, new: &[(Enrolled, Code)]) -> Result<(), StoreError> {
        self.store.enrol(new)
    }

    fn find(
        &self,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        self.hooks.find(&*self.store, tag, window)
    }

    fn count_wrong(&self, window: Window<'_>) -> Result<Guesses, StoreError> {
        self.store.count_wrong(window)
    }

    fn spend(&self, tag: &CodeTag, now: Timestamp) -> Result<bool, StoreError> {
        self.store.spend(tag, now)
    }

    fn issue(&self, new: Issue, source: &str) -> Result<Verdict, StoreError> {
        self.hooks.issue(&self.store, new, source)
    }

    fn standings(&self, filter: &Filter<'_>) -> Result<Vec<Standing>, StoreError> {
        self.store.standings(filter)
    }

    fn reissue(&self, new: &Code, now: Timestamp) -> Result<bool, StoreError> {
        self.store.reissue(new, now)
    }

    fn revoke(&self, id: EnrolmentId, now: Timestamp) -> Result<bool, StoreError> {
        self.store.revoke(id, now)
    }

    fn seen(&self, code: &CodeTag, step: u64, now: Timestamp) -> Result<bool, StoreError> {
        self.store.seen(code, step, now)
    }

    fn open_codes(&self, now: Timestamp) -> Result<Vec<(u8, u64)>, StoreError> {
        self.store.open_codes(now)
    }

    fn audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.store.audit(entries)
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.hooks.audit_log(&*self.store, limit)
    }

    fn forget_guesses(&self, before: Timestamp) -> Result<(), StoreError> {
        self.store.forget_guesses(before)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.store.check()
    }
}

/// A point of a provisioning at which a node can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The code of a request is about to be looked up.
    BeforeCheck,
    /// It was looked up.
    AfterCheck,
    /// A token is about to be made durable.
    BeforeCommit,
    /// It is durable, perhaps with others that wait to hear of it.
    AfterCommit,
    /// The answer is there, and about to be sent.
    BeforeAnswer,
    /// It was handed to its connection a moment ago.
    AfterAnswer,
}

impl Point {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::BeforeCheck,
        Self::AfterCheck,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::BeforeAnswer,
        Self::AfterAnswer,
    ];

    /// How it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeCheck => "before-check",
            Self::AfterCheck => "after-check",
            Self::BeforeCommit => "before-commit",
            Self::AfterCommit => "after-commit",
            Self::BeforeAnswer => "before-answer",
            Self::AfterAnswer => "after-answer",
        }
    }
}

/// `POINT:N`: the N-th time that a point is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Where.
    pub point: Point,
    /// The how manieth time, from 1.
    pub time: u64,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point.name(), self.time)
    }
}

impl FromStr for Death {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, time) = text.split_once(':').ok_or("POINT:N is wanted")?;
        let point = Point::ALL.into_iter().find(|point| point.name() == name);
        let point = point.ok_or_else(|| format!("there is no point {name}"))?;
        let time = time.parse().map_err(|error| format!("{time}: {error}"))?;
        Ok(Self { point, time })
    }
}

/// Ends the process at a point. Clones are the same fuse.
#[derive(Debug, Clone)]
pub struct Fuse(Arc<(Option<Death>, AtomicU64)>);

impl Fuse {
    /// One that burns down at this death, if any.
    #[must_use]
    pub fn new(death: Option<Death>) -> Self {
        Self(Arc::new((death, AtomicU64::new(0))))
    }

    /// A point is reached.
    pub fn reach(&self, point: Point) {
        if self.is_over(point) {
            // Nothing is flushed, closed or told to anybody: as if by SIGKILL.
            std::process::abort();
        }
    }

    /// A point was reached a moment ago: whoever is quick gets away in between.
    pub fn passed(&self, point: Point) {
        if self.is_over(point) {
            thread::spawn(|| {
                thread::sleep(Duration::from_millis(5));
                std::process::abort();
            });
        }
    }

    fn is_over(&self, point: Point) -> bool {
        let (death, reached) = &*self.0;
        death.is_some_and(|death| {
            death.point == point && reached.fetch_add(1, Ordering::SeqCst) + 1 == death.time
        })
    }
}

/// As hooks: the points at the store.
impl Hooks for Fuse {
    fn find(
        &self,
        store: &dyn Store,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        self.reach(Point::BeforeCheck);
        let found = store.find(tag, window);
        self.reach(Point::AfterCheck);
        found
    }

    fn issue(
        &self,
        store: &Arc<dyn Store>,
        new: Issue,
        source: &str,
    ) -> Result<Verdict, StoreError> {
        self.reach(Point::BeforeCommit);
        let verdict = store.issue(new, source);
        self.reach(Point::AfterCommit);
        verdict
    }
}

/// A fault in what a store promises, to show that tests would notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Whoever asks for a token of a code that is spent gets one too.
    Twice,
    /// A token is said to be durable, and is not kept.
    Never,
    /// A token is said to be durable, and becomes so this much later, if the process still runs then.
    Late(Duration),
    /// A repeated request is refused.
    Forgetful,
    /// Tokens are issued without a line in the audit log.
    Unaudited,
}

/// Enough for one code: who asks for it sees its enrolment.
fn enrolled(store: &dyn Store, tag: &CodeTag) -> Result<Option<Enrolled>, StoreError> {
    let window = Window { source: "", since: Timestamp(0) };
    Ok(store.find(tag, window)?.0.map(|standing| standing.enrolled))
}

impl Hooks for Defect {
    fn issue(
        &self,
        store: &Arc<dyn Store>,
        new: Issue,
        source: &str,
    ) -> Result<Verdict, StoreError> {
        let enrolled = enrolled(&**store, &new.code)?;
        let Some(enrolled) = enrolled else { return store.issue(new, source) };
        match self {
            Self::Twice => match store.issue(new, source)? {
                Verdict::Refused(_) => Ok(Verdict::Issued(enrolled)),
                verdict => Ok(verdict),
            },
            Self::Never => Ok(Verdict::Issued(enrolled)),
            Self::Late(delay) => {
                let (store, source, delay) = (Arc::clone(store), source.to_owned(), *delay);
                thread::spawn(move || {
                    thread::sleep(delay);
                    drop(store.issue(new, &source));
                });
                Ok(Verdict::Issued(enrolled))
            }
            Self::Forgetful => match store.issue(new, source)? {
                Verdict::Repeated(_) => Ok(Verdict::Refused(ctkip_server::store::Cause::Used)),
                verdict => Ok(verdict),
            },
            Self::Unaudited => store.issue(new, source),
        }
    }

    fn audit_log(&self, store: &dyn Store, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let mut log = store.audit_log(limit)?;
        if *self == Self::Unaudited {
            log.retain(|entry| entry.event != "issued");
        }
        Ok(log)
    }
}
