//! A store in this process' memory, which ends with it: for tests, and to try things out.

use ctkip_core::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    AuditEntry, Code, Enrolled, EnrolmentId, Filter, Guesses, Issue, KeyId, Standing, Store,
    StoreError, StoredKey, Verdict, Window, changed, issued, key_changed, made, may_reissue,
    may_see,
};
use crate::code::CodeTag;

/// A store in this process' memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    settings: HashMap<String, Vec<u8>>,
    keys: Vec<StoredKey>,
    enrolments: BTreeMap<EnrolmentId, Enrolled>,
    serials: BTreeMap<String, EnrolmentId>,
    codes: HashMap<CodeTag, Code>,
    /// The last code of each enrolment.
    last: HashMap<EnrolmentId, CodeTag>,
    issues: HashMap<CodeTag, Issue>,
    guesses: HashMap<(String, Timestamp), u64>,
    audit: Vec<AuditEntry>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic elsewhere leaves the tables whole: nothing panics between two changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn standing(&self, tag: &CodeTag) -> Option<Standing> {
        let code = self.codes.get(tag)?.clone();
        let enrolled = self.enrolments.get(&code.enrolment)?.clone();
        Some(Standing { code, enrolled, issue: self.issues.get(tag).cloned() })
    }

    /// Ends the last code of an enrolment, and the token that came of it.
    fn withdraw(&mut self, id: EnrolmentId, now: Timestamp) {
        let Some(tag) = self.last.get(&id) else { return };
        if let Some(code) = self.codes.get_mut(tag) {
            code.withdrawn.get_or_insert(now);
        }
        if let Some(issue) = self.issues.get_mut(tag) {
            issue.revoked.get_or_insert(now);
            issue.seed.clear();
        }
    }

    fn keep(&mut self, code: &Code) {
        self.last.insert(code.enrolment, code.tag);
        self.codes.insert(code.tag, code.clone());
    }

    fn wrong(&self, source: &str, since: Timestamp) -> u64 {
        self.guesses.get(&(source.to_owned(), since)).copied().unwrap_or_default()
    }

    fn guesses(&self, window: Window<'_>) -> Guesses {
        Guesses {
            source: self.wrong(window.source, window.since),
            total: self.wrong("", window.since),
        }
    }

    fn is_open(&self, code: &Code, now: Timestamp) -> bool {
        self.standing(&code.tag).is_some_and(|standing| standing.may_begin(now).is_ok())
    }
}

impl Store for MemoryStore {
    fn setting(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut tables = self.tables();
        Ok(tables.settings.entry(name.to_owned()).or_insert_with(|| value.to_vec()).clone())
    }

    fn add_key(&self, key: &StoredKey, first: bool, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let keys = &mut tables.keys;
        if (first && !keys.is_empty()) || keys.iter().any(|known| known.id == key.id) {
            return Ok(false);
        }
        keys.push(key.clone());
        tables.audit.push(key_changed("key made", &key.id, now));
        Ok(true)
    }

    fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = self.tables().keys.clone();
        keys.sort_by_key(|key| Reverse((key.created, key.id)));
        Ok(keys)
    }

    fn retire_key(&self, id: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let key = tables.keys.iter_mut().find(|key| key.id == *id && key.retired.is_none());
        let Some(key) = key else { return Ok(false) };
        key.retired = Some(now);
        tables.audit.push(key_changed("key retired", id, now));
        Ok(true)
    }

    fn codes_under(&self, id: &KeyId, now: Timestamp) -> Result<u64, StoreError> {
        let tables = self.tables();
        let open = tables.codes.values().filter(|code| code.key == *id);
        Ok(open.filter(|code| tables.is_open(code, now)).count() as u64)
    }

    fn enrol(&self, new: &[(Enrolled, Code)]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut serials = tables.serials.clone();
        for (enrolled, _) in new {
            let serial = &enrolled.enrolment.serial;
            if serials.insert(serial.clone(), enrolled.id).is_some() {
                return Err(StoreError::SerialTaken(serial.clone()));
            }
        }
        let (mut tags, mut ids) = (HashSet::new(), HashSet::new());
        let fresh = |(enrolled, code): &(Enrolled, Code)| {
            !tables.codes.contains_key(&code.tag)
                && !tables.enrolments.contains_key(&enrolled.id)
                && tags.insert(code.tag)
                && ids.insert(enrolled.id)
        };
        if !new.iter().all(fresh) {
            return Err(StoreError::CodeTaken);
        }
        tables.serials = serials;
        for (enrolled, code) in new {
            tables.enrolments.insert(enrolled.id, enrolled.clone());
            tables.audit.push(made(enrolled));
            tables.keep(code);
        }
        Ok(())
    }

    fn find(
        &self,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        let tables = self.tables();
        Ok((tables.standing(tag), tables.guesses(window)))
    }

    fn count_wrong(&self, window: Window<'_>) -> Result<Guesses, StoreError> {
        let mut tables = self.tables();
        for source in [window.source, ""] {
            let count = tables.guesses.entry((source.to_owned(), window.since)).or_default();
            *count = count.saturating_add(1);
        }
        Ok(tables.guesses(window))
    }

    fn spend(&self, tag: &CodeTag, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let good = tables.standing(tag).is_some_and(|standing| standing.may_begin(now).is_ok());
        let code = tables.codes.get_mut(tag).filter(|_| good);
        Ok(code.map(|code| code.spent = Some(now)).is_some())
    }

    fn issue(&self, new: Issue, source: &str) -> Result<Verdict, StoreError> {
        let mut tables = self.tables();
        let Some(standing) = tables.standing(&new.code) else {
            return Ok(Verdict::Refused(super::Cause::Wrong));
        };
        let verdict = standing.verdict(&new);
        if let Verdict::Issued(enrolled) = &verdict {
            tables.audit.push(issued(enrolled, &new, source));
            tables.issues.insert(new.code, new);
        }
        Ok(verdict)
    }

    fn standings(&self, filter: &Filter<'_>) -> Result<Vec<Standing>, StoreError> {
        let tables = self.tables();
        let rows = tables.serials.iter().filter_map(|(serial, id)| {
            let standing = tables.standing(tables.last.get(id)?)?;
            let wanted = filter.serial.is_none_or(|wanted| wanted == serial)
                && filter.after.is_none_or(|after| after < serial.as_str())
                && filter.user.is_none_or(|user| user == standing.enrolled.enrolment.user);
            wanted.then_some(standing)
        });
        Ok(rows.take(filter.limit).collect())
    }

    fn reissue(&self, new: &Code, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let last = tables.last.get(&new.enrolment).copied();
        let standing = last.and_then(|tag| tables.standing(&tag));
        let Some(standing) = standing.filter(may_reissue) else { return Ok(false) };
        if tables.codes.contains_key(&new.tag) {
            return Err(StoreError::CodeTaken);
        }
        tables.withdraw(new.enrolment, now);
        tables.keep(new);
        tables.audit.push(changed("reissued", &standing.enrolled.enrolment.serial, now));
        Ok(true)
    }

    fn revoke(&self, id: EnrolmentId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let enrolled = tables.enrolments.get_mut(&id).filter(|known| known.revoked.is_none());
        let Some(enrolled) = enrolled else { return Ok(false) };
        enrolled.revoked = Some(now);
        let entry = changed("revoked", &enrolled.enrolment.serial, now);
        tables.withdraw(id, now);
        tables.audit.push(entry);
        Ok(true)
    }

    fn seen(&self, code: &CodeTag, step: u64, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(standing) = tables.standing(code) else { return Ok(false) };
        let issue = tables.issues.get_mut(code).filter(|issue| may_see(issue, step));
        let Some(issue) = issue else { return Ok(false) };
        issue.step = Some(step);
        if issue.confirmed.is_none() {
            issue.confirmed = Some(now);
            tables.audit.push(changed("confirmed", &standing.enrolled.enrolment.serial, now));
        }
        Ok(true)
    }

    fn open_codes(&self, now: Timestamp) -> Result<Vec<(u8, u64)>, StoreError> {
        let tables = self.tables();
        let mut counts = BTreeMap::new();
        for code in tables.codes.values().filter(|code| tables.is_open(code, now)) {
            let count: &mut u64 = counts.entry(code.length).or_default();
            *count = count.saturating_add(1);
        }
        Ok(counts.into_iter().collect())
    }

    fn audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.tables().audit.extend_from_slice(entries);
        Ok(())
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let audit = &self.tables().audit;
        let first = audit.len().saturating_sub(limit);
        Ok(audit.iter().skip(first).cloned().collect())
    }

    fn forget_guesses(&self, before: Timestamp) -> Result<(), StoreError> {
        self.tables().guesses.retain(|(_, since), _| *since >= before);
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
