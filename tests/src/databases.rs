//! Stores that several processes share, one a test: a file, or a database of its own in PostgreSQL.
//!
//! PostgreSQL is used where `CTKIP_TEST_POSTGRES_URL` names one, as somebody who may make databases.
//! Otherwise tests of it are passed over with a line `SKIP`, or fail if `CTKIP_TEST_POSTGRES=1`.

use crate::clients::Ticket;
use ctkip_core::{Date, PinSettings, Timestamp};
use ctkip_server::store::{SqlStore, Store};
use ctkip_server::{Dialect, Enrolment, MasterKey, NewCode, Registry};
use getrandom::SysRng;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row};
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::UNIX_EPOCH;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A store and the file with its master key. Both go with it.
pub struct Database {
    kind: Kind,
    folder: TempDir,
}

enum Kind {
    Sqlite,
    /// Where databases are made, and the name of this one.
    Postgres(String, String),
}

/// The time.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs()))
}

impl Database {
    /// A file.
    ///
    /// # Panics
    /// When there is no room for one.
    #[must_use]
    pub fn sqlite() -> Self {
        Self { kind: Kind::Sqlite, folder: tempfile::tempdir().expect("a folder") }
    }

    /// A new database in PostgreSQL, where there is one.
    ///
    /// # Panics
    /// When there has to be one and is not, and when no database can be made in it.
    #[must_use]
    pub fn postgres() -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        static SKIP: Once = Once::new();
        let Ok(server) = env::var("CTKIP_TEST_POSTGRES_URL") else {
            let wanted = env::var("CTKIP_TEST_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!wanted, "CTKIP_TEST_POSTGRES=1, and no CTKIP_TEST_POSTGRES_URL");
            // Past what test runners keep to themselves when all went well.
            SKIP.call_once(|| {
                let line = b"SKIP postgres: CTKIP_TEST_POSTGRES_URL names none\n";
                let _ = std::io::stdout().write_all(line);
            });
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ctkip_crash_{}_{number}", std::process::id());
        Sql::open(&server).execute(&format!("CREATE DATABASE {name}"));
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { kind: Kind::Postgres(server, name), folder })
    }

    /// One of each kind that there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres()].into_iter().flatten().collect()
    }

    /// How it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "SQLite",
            Kind::Postgres(..) => "PostgreSQL",
        }
    }

    /// Whether it is PostgreSQL.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres(..))
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// As `ctkip serve --store` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite:{}", self.file().display()),
            Kind::Postgres(server, name) => database_of(server, name),
        }
    }

    /// The file with the master key.
    #[must_use]
    pub fn master_key(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    /// The register in it, opened anew.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        open(&self.url(), &self.master_key()).expect("the store opens")
    }

    /// The same database, with nothing between.
    #[must_use]
    pub fn sql(&self) -> Sql {
        Sql::open(&match &self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.file().display()),
            Kind::Postgres(..) => self.url(),
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres(server, name) = &self.kind
            && !std::thread::panicking()
        {
            Sql::open(server).execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// The URL of another database of the same server.
fn database_of(server: &str, name: &str) -> String {
    let (place, query) = server.split_once('?').map_or((server, None), |(p, q)| (p, Some(q)));
    let (scheme, rest) = place.split_once("://").unwrap_or(("postgres", place));
    let host = rest.split('/').next().unwrap_or_default();
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{host}/{name}{query}")
}

/// The store of a URL.
///
/// # Errors
/// When it does not open.
pub fn store(url: &str) -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    let store = SqlStore::open(&url.parse()?)?.ok_or("this store is not shared")?;
    Ok(Arc::new(store))
}

/// The register of a URL.
///
/// # Errors
/// When it does not open.
pub fn open(url: &str, master_key: &Path) -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let master = MasterKey::read_or_make(master_key, &mut SysRng)?;
    let registry = Registry::open(store(url)?, &master, &mut SysRng)?;
    registry.first_key(1024, now(), &mut SysRng)?;
    Ok(Arc::new(registry))
}

/// Enrols so many users.
///
/// # Panics
/// When the store does not take them.
#[must_use]
pub fn enrol(registry: &Registry, count: usize) -> Vec<Ticket> {
    let enrolment = Enrolment {
        serial: String::new(),
        user: "alice".into(),
        service: "example.com".into(),
        digits: 8,
        interval: 60,
        pin: PinSettings::default(),
        expires: Date { year: 2035, month: 12, day: 31 },
        device: None,
        dialect: Dialect::Securid,
    };
    let enrolments = vec![enrolment; count];
    let shown = registry.enrol(&enrolments, NewCode::default(), now(), &mut SysRng);
    let ticket = |shown: ctkip_server::Shown| Ticket {
        serial: shown.enrolled.enrolment.serial.clone(),
        code: shown.code.text().expect("digits").to_owned(),
    };
    shown.expect("the store takes them").into_iter().map(ticket).collect()
}

/// A connection to a database.
pub struct Sql {
    connection: AnyConnection,
    runtime: Runtime,
}

impl Sql {
    fn open(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let connection = runtime.block_on(AnyConnection::connect(url));
        Self { connection: connection.expect("the database is there"), runtime }
    }

    /// Executes a statement.
    ///
    /// # Panics
    /// When it fails.
    pub fn execute(&mut self, statement: &str) {
        self.try_execute(statement).expect(statement);
    }

    /// Executes a statement that may fail.
    ///
    /// # Errors
    /// When it does.
    pub fn try_execute(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        self.runtime.block_on(query.execute(&mut self.connection)).map(drop)
    }

    fn row(&mut self, query: &str) -> AnyRow {
        let asked = sqlx::query(AssertSqlSafe(query.to_owned()));
        self.runtime.block_on(asked.fetch_one(&mut self.connection)).expect(query)
    }

    /// The number that a query gives.
    ///
    /// # Panics
    /// When it gives none.
    pub fn number(&mut self, query: &str) -> i64 {
        self.row(query).try_get(0).expect(query)
    }

    /// The text that a query gives.
    ///
    /// # Panics
    /// When it gives none.
    pub fn text(&mut self, query: &str) -> String {
        self.row(query).try_get(0).expect(query)
    }
}
