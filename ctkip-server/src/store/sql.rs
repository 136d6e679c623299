//! Stores in SQL: SQLite for one machine, PostgreSQL for more. `sqlx` speaks both, so that every
//! statement stands here once; what differs between the two is data ([`Engine`]).

mod batch;
mod engine;
pub(super) mod rows;

pub use engine::StoreUrl;

use ctkip_core::Timestamp;
use sqlx::any::{Any, AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::query::Query;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, Row, Transaction};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use self::batch::Batches;
use self::engine::Engine;
use super::{
    AuditEntry, Cause, Code, Enrolled, EnrolmentId, Filter, Guesses, Issue, KeyId, Standing, Store,
    StoreError, StoredKey, Verdict, Window, changed, issued, key_changed, made, may_reissue,
    may_see,
};
use crate::code::CodeTag;

/// How often what can be asked again is asked in all, when the connection or a lock was lost.
const TRIES: usize = 3;

/// How many rows are written by one statement.
const ROWS: usize = 500;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for what was asked, in all. A server that is cut off says nothing for longer.
const LIMIT: Duration = Duration::from_secs(15);

/// The same where much is written at once.
const LONG_LIMIT: Duration = Duration::from_secs(600);

/// A store in SQLite or PostgreSQL. Opening it makes the tables, or brings them to this version.
pub struct SqlStore {
    engine: &'static Engine,
    pool: AnyPool,
    batches: Batches,
    /// Whose turn it is to write, where only one can: waiting for it here is shorter and fairer than
    /// asking the database again and again.
    turn: Option<Mutex<()>>,
    limit: Duration,
    /// Something was not answered in time: connections that come back are looked at first.
    hung: Arc<AtomicBool>,
    /// Ends with the store; `None` only then.
    runtime: Option<Runtime>,
}

impl SqlStore {
    /// Opens a store; `None` when the URL is that of none in SQL. Blocks, and not to be called from
    /// async code, like all of a store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached or made, and [`StoreError::Corrupt`]
    /// when its tables are those of a later version.
    pub fn open(url: &StoreUrl) -> Result<Option<Self>, StoreError> {
        let Some((engine, options)) = Engine::of(url)? else { return Ok(None) };
        sqlx::any::install_default_drivers();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let hung = Arc::<AtomicBool>::default();
        let suspicious = Arc::clone(&hung);
        let pool = runtime.block_on(async {
            let pool = AnyPoolOptions::new()
                .max_connections(engine.connections)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                .after_connect(move |connection, _| Box::pin(engine.set_up(connection)))
                .after_release(move |connection, _| {
                    let hung = Arc::clone(&suspicious);
                    Box::pin(async move {
                        if !hung.load(Ordering::Relaxed) {
                            return Ok(true);
                        }
                        // The pool would wait for an answer for as long as it takes.
                        let answered = timeout(PATIENCE, connection.ping()).await;
                        answered.map_err(|_| sqlx::Error::PoolTimedOut)??;
                        hung.store(false, Ordering::Relaxed);
                        Ok(true)
                    })
                })
                .connect_with(options.clone())
                .await;
            let pool = match pool {
                Ok(pool) => pool,
                Err(error) => {
                    let complaint = timeout(PATIENCE, engine.complaint(&options)).await;
                    return Err(failed(complaint.ok().flatten().unwrap_or(error)));
                }
            };
            engine.migrate(&pool).await?;
            Ok::<_, StoreError>(pool)
        })?;
        let (batches, turn) = (Batches::default(), (!engine.locks_rows).then(Mutex::default));
        let (limit, runtime) = (LIMIT, Some(runtime));
        Ok(Some(Self { engine, pool, batches, turn, limit, hung, runtime }))
    }

    fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.block_on_for(self.limit, work)
    }

    fn block_on_for<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(runtime) = &self.runtime else {
            return Err(StoreError::Unavailable("it was closed".into()));
        };
        runtime.block_on(async {
            let mut work = pin!(work);
            match timeout(limit, work.as_mut()).await {
                Ok(done) => done,
                Err(_) => {
                    // Before the work, and with it a connection, is given up.
                    self.hung.store(true, Ordering::Relaxed);
                    Err(StoreError::Unavailable("it does not answer".into()))
                }
            }
        })
    }

    /// Does what may be done twice, again if need be.
    fn retrying<T, W>(&self, mut work: impl FnMut() -> W) -> Result<T, StoreError>
    where
        W: Future<Output = Result<T, StoreError>>,
    {
        self.block_on(async {
            for _ in 1..TRIES {
                match work().await {
                    Err(StoreError::Unavailable(_)) => {}
                    done => return done,
                }
            }
            work().await
        })
    }

    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        Some(self.turn.as_ref()?.lock().await)
    }

    /// Begins a transaction that is going to write. It is to end before the turn does.
    async fn begin(&self) -> Result<(Turn<'_>, Transaction<'static, Any>), StoreError> {
        let turn = self.turn().await;
        Ok((turn, self.pool.begin_with(self.engine.begin).await.map_err(failed)?))
    }

    async fn execute(&self, query: Asked<'_>) -> Result<u64, StoreError> {
        let _turn = self.turn().await;
        Ok(query.execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn all(&self, query: Asked<'_>) -> Result<Vec<AnyRow>, StoreError> {
        query.fetch_all(&self.pool).await.map_err(failed)
    }

    /// Keeps all others from the enrolments of these codes until the transaction ends. Whoever
    /// changes an enrolment, its codes or its tokens does this first, and looks at them afterwards:
    /// then he sees what those left for whom he waited.
    async fn lock_by_codes(
        &self,
        transaction: &mut AnyConnection,
        codes: &[&CodeTag],
    ) -> Result<(), StoreError> {
        if self.engine.locks_rows {
            // In one order everywhere, so that no two wait for each other.
            let sql = format!(
                "SELECT id FROM enrolment WHERE id IN (SELECT enrolment FROM code WHERE tag IN {}) \
                 ORDER BY id FOR UPDATE",
                places(1, codes.len())
            );
            let query = bind_tags(sqlx::query(AssertSqlSafe(sql)), codes);
            query.fetch_all(transaction).await.map_err(failed)?;
        }
        Ok(())
    }

    /// The same for one enrolment.
    async fn lock(
        &self,
        transaction: &mut AnyConnection,
        id: EnrolmentId,
    ) -> Result<(), StoreError> {
        if self.engine.locks_rows {
            let query = sqlx::query("SELECT id FROM enrolment WHERE id = $1 FOR UPDATE");
            query.bind(id.0).fetch_all(transaction).await.map_err(failed)?;
        }
        Ok(())
    }

    /// How a code stands, kept from all others.
    async fn standing_of(
        &self,
        transaction: &mut AnyConnection,
        code: &CodeTag,
    ) -> Result<Option<Standing>, StoreError> {
        self.lock_by_codes(transaction, &[code]).await?;
        let sql = format!("{} WHERE c.tag = $1", rows::STANDING);
        standing(transaction, bind_tags(sqlx::query(AssertSqlSafe(sql)), &[code])).await
    }
}

/// A query about to be asked.
type Asked<'q> = Query<'q, Any, AnyArguments>;

/// The right to write, where one has it at a time.
type Turn<'s> = Option<MutexGuard<'s, ()>>;

fn bind_tags<'q>(query: Asked<'q>, tags: &[&CodeTag]) -> Asked<'q> {
    tags.iter().fold(query, |query, tag| query.bind(tag.as_octets().to_vec()))
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("engine", &self.engine.name).finish_non_exhaustive()
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let pool = self.pool.clone();
            // The last owner may be a task of another runtime, which must not wait in this one.
            let closing = std::thread::spawn(move || {
                runtime.block_on(async {
                    // Whoever still has a connection loses it with the process.
                    let _ = timeout(PATIENCE, pool.close()).await;
                });
                runtime.shutdown_background();
            });
            let _ = closing.join();
        }
    }
}

/// What a failure of the database is to whoever asked.
fn failed(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => StoreError::Corrupt(error.to_string()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// A point in time as both databases hold it.
fn stamp(time: Timestamp) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

/// `($1, $2), ($3, $4)`: places for so many rows of so many values.
fn places(rows: usize, values: usize) -> String {
    let mut places = (1_usize..).map(|place| format!("${place}"));
    let row = |_| format!("({})", Vec::from_iter(places.by_ref().take(values)).join(", "));
    Vec::from_iter((0..rows).map(row)).join(", ")
}

const COUNT_WRONG: &str = "INSERT INTO guess (source, since, wrong) VALUES ($1, $2, 1) \
     ON CONFLICT (source, since) DO UPDATE SET wrong = guess.wrong + 1";

/// Codes that could be used now.
const OPEN: &str = "FROM code c JOIN enrolment e ON e.id = c.enrolment \
     LEFT JOIN token t ON t.code = c.tag \
     WHERE t.code IS NULL AND c.spent IS NULL AND c.withdrawn IS NULL AND e.revoked IS NULL \
     AND c.expiry > $1";

impl Store for SqlStore {
    fn setting(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.block_on(async {
            let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            self.execute(sqlx::query(insert).bind(name.to_owned()).bind(value.to_vec())).await?;
            let select = "SELECT value FROM setting WHERE name = $1";
            let row = sqlx::query(select).bind(name.to_owned()).fetch_one(&self.pool).await;
            row.and_then(|row| row.try_get(0)).map_err(failed)
        })
    }

    fn add_key(&self, key: &StoredKey, first: bool, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            // Two nodes that start at once do not both find none.
            let lock = "INSERT INTO setting (name, value) VALUES ('keys', $1) \
                 ON CONFLICT (name) DO UPDATE SET value = setting.value";
            let lock = sqlx::query(lock).bind(Vec::<u8>::new());
            lock.execute(&mut *transaction).await.map_err(failed)?;
            let count = sqlx::query("SELECT COUNT(*) FROM rsa_key").fetch_one(&mut *transaction);
            let count: i64 = count.await.and_then(|row| row.try_get(0)).map_err(failed)?;
            if first && count > 0 {
                return Ok(false);
            }
            let insert = "INSERT INTO rsa_key (id, sealed, bits, created) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            let kept = sqlx::query(insert)
                .bind(key.id.to_vec())
                .bind(key.sealed.clone())
                .bind(i64::from(key.bits))
                .bind(stamp(key.created))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            if kept.rows_affected() == 0 {
                return Ok(false);
            }
            note(&mut transaction, &[key_changed("key made", &key.id, now)]).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.retrying(|| async {
            let select = "SELECT id, sealed, bits, created, retired FROM rsa_key \
                 ORDER BY created DESC, id DESC";
            self.all(sqlx::query(select)).await?.iter().map(rows::key).collect()
        })
    }

    fn retire_key(&self, id: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            let update = "UPDATE rsa_key SET retired = $2 WHERE id = $1 AND retired IS NULL";
            let update = sqlx::query(update).bind(id.to_vec()).bind(stamp(now));
            let done = update.execute(&mut *transaction).await.map_err(failed)?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            note(&mut transaction, &[key_changed("key retired", id, now)]).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn codes_under(&self, id: &KeyId, now: Timestamp) -> Result<u64, StoreError> {
        self.retrying(|| async {
            let select = format!("SELECT COUNT(*) {OPEN} AND c.rsa_key = $2");
            let query = sqlx::query(AssertSqlSafe(select)).bind(stamp(now)).bind(id.to_vec());
            let row = query.fetch_one(&self.pool).await.map_err(failed)?;
            rows::count(&row, 0)
        })
    }

    fn enrol(&self, new: &[(Enrolled, Code)]) -> Result<(), StoreError> {
        self.block_on_for(LONG_LIMIT, async {
            let (_turn, mut transaction) = self.begin().await?;
            for new in new.chunks(ROWS) {
                let sql = rows::insert_enrolments(new.len());
                let query = rows::bind_enrolments(sqlx::query(AssertSqlSafe(sql)), new);
                let kept = query.execute(&mut *transaction).await.map_err(failed)?;
                if kept.rows_affected() < new.len() as u64 {
                    return Err(taken(&mut transaction, new).await?);
                }
                let sql = rows::insert_codes(new.len());
                let codes = new.iter().map(|(_, code)| code);
                let query = rows::bind_codes(sqlx::query(AssertSqlSafe(sql)), codes);
                let kept = query.execute(&mut *transaction).await.map_err(failed)?;
                if kept.rows_affected() < new.len() as u64 {
                    return Err(StoreError::CodeTaken);
                }
                let entries: Vec<_> = new.iter().map(|(enrolled, _)| made(enrolled)).collect();
                note(&mut transaction, &entries).await?;
            }
            transaction.commit().await.map_err(failed)
        })
    }

    fn find(
        &self,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        self.retrying(|| async {
            // One round trip: the counts are there whether the code is or not.
            let query = sqlx::query(rows::FIND)
                .bind(tag.as_octets().to_vec())
                .bind(window.source.to_owned())
                .bind(stamp(window.since));
            let row = query.fetch_one(&self.pool).await.map_err(failed)?;
            let guesses = Guesses {
                source: rows::count(&row, "wrong_source")?,
                total: rows::count(&row, "wrong_total")?,
            };
            Ok((rows::standing_if_any(&row)?, guesses))
        })
    }

    fn count_wrong(&self, window: Window<'_>) -> Result<Guesses, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            // In the same order everywhere, so that no two wait for each other.
            for source in ["", window.source] {
                sqlx::query(COUNT_WRONG)
                    .bind(source.to_owned())
                    .bind(stamp(window.since))
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
            let select = "SELECT source, wrong FROM guess WHERE source IN ('', $1) AND since = $2";
            let counts = sqlx::query(select)
                .bind(window.source.to_owned())
                .bind(stamp(window.since))
                .fetch_all(&mut *transaction)
                .await
                .map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            let mut guesses = Guesses::default();
            for row in &counts {
                let source: String = row.try_get(0).map_err(failed)?;
                let wrong = rows::count(row, 1)?;
                if source.is_empty() { guesses.total = wrong } else { guesses.source = wrong }
            }
            Ok(guesses)
        })
    }

    fn spend(&self, tag: &CodeTag, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            let standing = self.standing_of(&mut transaction, tag).await?;
            if standing.is_none_or(|standing| standing.may_begin(now).is_err()) {
                return Ok(false);
            }
            sqlx::query("UPDATE code SET spent = $2 WHERE tag = $1")
                .bind(tag.as_octets().to_vec())
                .bind(stamp(now))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn issue(&self, new: Issue, source: &str) -> Result<Verdict, StoreError> {
        self.batches
            .issue(new, source, |batch| self.retrying(|| async { self.issue_all(batch).await }))
    }

    fn standings(&self, filter: &Filter<'_>) -> Result<Vec<Standing>, StoreError> {
        self.retrying(|| async {
            // Only what is asked for stands in the statement, so that an index answers it.
            let conditions = [
                ("e.serial =", filter.serial),
                ("e.owner =", filter.user),
                ("e.serial >", filter.after),
            ];
            let conditions = conditions.iter().filter_map(|(is, value)| Some((is, (*value)?)));
            let mut sql = format!("{} WHERE c.tag = e.code", rows::STANDING);
            let mut values = Vec::new();
            for (is, value) in conditions {
                values.push(value.to_owned());
                sql = format!("{sql} AND {is} ${}", values.len());
            }
            let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
            let sql = format!("{sql} ORDER BY e.serial LIMIT {limit}");
            let query = values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), Query::bind);
            self.all(query).await?.iter().map(rows::standing).collect()
        })
    }

    fn reissue(&self, new: &Code, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            self.lock(&mut transaction, new.enrolment).await?;
            let sql = format!("{} WHERE c.tag = e.code AND e.id = $1", rows::STANDING);
            let query = sqlx::query(AssertSqlSafe(sql)).bind(new.enrolment.0);
            let standing = standing(&mut transaction, query).await?;
            let Some(standing) = standing.filter(may_reissue) else { return Ok(false) };
            withdraw(&mut transaction, new.enrolment, now).await?;
            let sql = rows::insert_codes(1);
            let query = rows::bind_codes(sqlx::query(AssertSqlSafe(sql)), [new]);
            if query.execute(&mut *transaction).await.map_err(failed)?.rows_affected() == 0 {
                return Err(StoreError::CodeTaken);
            }
            sqlx::query("UPDATE enrolment SET code = $2 WHERE id = $1")
                .bind(new.enrolment.0)
                .bind(new.tag.as_octets().to_vec())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            let entry = changed("reissued", &standing.enrolled.enrolment.serial, now);
            note(&mut transaction, &[entry]).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn revoke(&self, id: EnrolmentId, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            self.lock(&mut transaction, id).await?;
            let update = "UPDATE enrolment SET revoked = $2 WHERE id = $1 AND revoked IS NULL \
                 RETURNING serial";
            let update = sqlx::query(update).bind(id.0).bind(stamp(now));
            let done = update.fetch_all(&mut *transaction).await.map_err(failed)?;
            let Some(done) = done.first() else { return Ok(false) };
            let serial: String = done.try_get(0).map_err(failed)?;
            withdraw(&mut transaction, id, now).await?;
            note(&mut transaction, &[changed("revoked", &serial, now)]).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn seen(&self, code: &CodeTag, step: u64, now: Timestamp) -> Result<bool, StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            let Some(standing) = self.standing_of(&mut transaction, code).await? else {
                return Ok(false);
            };
            let Some(issue) = standing.issue.filter(|issue| may_see(issue, step)) else {
                return Ok(false);
            };
            let update = "UPDATE token SET step = $2, confirmed = COALESCE(confirmed, $3) \
                 WHERE code = $1";
            sqlx::query(update)
                .bind(code.as_octets().to_vec())
                .bind(stamp(Timestamp(step)))
                .bind(stamp(now))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            if issue.confirmed.is_none() {
                let entry = changed("confirmed", &standing.enrolled.enrolment.serial, now);
                note(&mut transaction, &[entry]).await?;
            }
            transaction.commit().await.map_err(failed)?;
            Ok(true)
        })
    }

    fn open_codes(&self, now: Timestamp) -> Result<Vec<(u8, u64)>, StoreError> {
        self.retrying(|| async {
            let sql = format!("SELECT c.length, COUNT(*) {OPEN} GROUP BY c.length");
            let query = sqlx::query(AssertSqlSafe(sql)).bind(stamp(now));
            let counts = self.all(query).await?;
            let count = |row: &AnyRow| Ok((rows::small(row, 0)?, rows::count(row, 1)?));
            counts.iter().map(count).collect()
        })
    }

    fn audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.block_on(async {
            let (_turn, mut transaction) = self.begin().await?;
            for entries in entries.chunks(ROWS) {
                note(&mut transaction, entries).await?;
            }
            transaction.commit().await.map_err(failed)
        })
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.retrying(|| async {
            let select = "SELECT at, event, serial, source, detail FROM audit \
                 ORDER BY id DESC LIMIT $1";
            let query = sqlx::query(select).bind(i64::try_from(limit).unwrap_or(i64::MAX));
            self.all(query).await?.iter().rev().map(rows::audit).collect()
        })
    }

    fn forget_guesses(&self, before: Timestamp) -> Result<(), StoreError> {
        self.block_on(async {
            let delete = sqlx::query("DELETE FROM guess WHERE since < $1").bind(stamp(before));
            self.execute(delete).await.map(drop)
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        self.retrying(|| async {
            self.all(sqlx::query("SELECT name FROM setting LIMIT 1")).await.map(drop)
        })
    }
}

impl SqlStore {
    /// Issues tokens for codes that all differ, in one transaction: a verdict for each, in the same
    /// order.
    async fn issue_all(
        &self,
        batch: &[(&Issue, &str)],
    ) -> Result<Vec<Result<Verdict, StoreError>>, StoreError> {
        let (_turn, mut transaction) = self.begin().await?;
        let tags: Vec<_> = batch.iter().map(|(new, _)| &new.code).collect();
        self.lock_by_codes(&mut transaction, &tags).await?;
        let sql = format!("{} WHERE c.tag IN {}", rows::STANDING, places(1, tags.len()));
        let query = bind_tags(sqlx::query(AssertSqlSafe(sql)), &tags);
        let found = query.fetch_all(&mut *transaction).await.map_err(failed)?;
        let found = found
            .iter()
            .map(|row| Ok((rows::tag(row, "tag")?, row)))
            .collect::<Result<Vec<(CodeTag, &AnyRow)>, StoreError>>()?;

        let verdict = |new: &Issue| {
            let row = found.iter().find(|(tag, _)| *tag == new.code);
            let Some((_, row)) = row else { return Ok(Verdict::Refused(Cause::Wrong)) };
            Ok(rows::standing(row)?.verdict(new))
        };
        let verdicts: Vec<Result<Verdict, StoreError>> =
            batch.iter().map(|(new, _)| verdict(new)).collect();

        let (mut issues, mut entries) = (Vec::new(), Vec::new());
        for ((new, source), verdict) in batch.iter().zip(&verdicts) {
            if let Ok(Verdict::Issued(enrolled)) = verdict {
                issues.push(*new);
                entries.push(issued(enrolled, new, source));
            }
        }
        if !issues.is_empty() {
            let sql = rows::insert_tokens(issues.len());
            let query = rows::bind_tokens(sqlx::query(AssertSqlSafe(sql)), &issues);
            query.execute(&mut *transaction).await.map_err(failed)?;
            note(&mut transaction, &entries).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(verdicts)
    }
}

/// The standing that a query finds.
async fn standing(
    transaction: &mut AnyConnection,
    query: Asked<'_>,
) -> Result<Option<Standing>, StoreError> {
    let row = query.fetch_optional(transaction).await.map_err(failed)?;
    row.as_ref().map(rows::standing).transpose()
}

/// Adds to the audit log, by one statement.
async fn note(transaction: &mut AnyConnection, entries: &[AuditEntry]) -> Result<(), StoreError> {
    let sql = rows::insert_audit(entries.len());
    let query = rows::bind_audit(sqlx::query(AssertSqlSafe(sql)), entries);
    query.execute(transaction).await.map(drop).map_err(failed)
}

/// Which serial number kept an enrolment from being written.
async fn taken(
    transaction: &mut AnyConnection,
    new: &[(Enrolled, Code)],
) -> Result<StoreError, StoreError> {
    for (Enrolled { id, enrolment, .. }, _) in new {
        let select = sqlx::query("SELECT id FROM enrolment WHERE serial = $1 AND id <> $2");
        let select = select.bind(enrolment.serial.clone()).bind(id.0);
        if select.fetch_optional(&mut *transaction).await.map_err(failed)?.is_some() {
            return Ok(StoreError::SerialTaken(enrolment.serial.clone()));
        }
    }
    Ok(StoreError::CodeTaken)
}

/// Ends the codes of an enrolment, and the tokens that came of them.
async fn withdraw(
    transaction: &mut AnyConnection,
    id: EnrolmentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    const CODES: &str = "UPDATE code SET withdrawn = $2 WHERE enrolment = $1 AND withdrawn IS NULL";
    const TOKENS: &str = "UPDATE token SET revoked = $2, seed = $3 WHERE revoked IS NULL \
         AND code IN (SELECT tag FROM code WHERE enrolment = $1)";
    let codes = sqlx::query(CODES).bind(id.0).bind(stamp(now));
    codes.execute(&mut *transaction).await.map_err(failed)?;
    let tokens = sqlx::query(TOKENS).bind(id.0).bind(stamp(now)).bind(Vec::<u8>::new());
    tokens.execute(&mut *transaction).await.map_err(failed)?;
    Ok(())
}

#[cfg(test)]
impl SqlStore {
    pub(super) fn limited_to(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What every connection of a full pool answers to these.
    pub(super) fn said(&self, questions: &[&'static str]) -> Vec<Vec<String>> {
        let wanted = self.engine.connections;
        let answers = self.block_on(async {
            let mut held = Vec::new();
            for _ in 0..wanted {
                held.push(self.pool.acquire().await.map_err(failed)?);
            }
            let mut answers = Vec::new();
            for connection in &mut held {
                let mut own = Vec::new();
                for question in questions {
                    let row = sqlx::query(*question).fetch_one(&mut **connection).await;
                    let row = row.map_err(failed)?;
                    let text = row.try_get::<String, _>(0);
                    let number = |_| row.try_get::<i64, _>(0).map(|number| number.to_string());
                    own.push(text.or_else(number).map_err(failed)?);
                }
                answers.push(own);
            }
            Ok(answers)
        });
        answers.expect("answers")
    }

    /// How SQLite goes about a statement.
    pub(super) fn plan(&self, statement: &str) -> Vec<String> {
        let plan = self.block_on(async {
            let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let rows = self.all(sqlx::query(sql)).await?;
            rows.iter().map(|row| row.try_get("detail").map_err(failed)).collect()
        });
        plan.expect("a plan")
    }
}
