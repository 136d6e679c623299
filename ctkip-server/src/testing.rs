//! What tests of stores and servers stand on.

use ctkip_core::{Date, PinSettings, Timestamp};
use getrandom::SysRng;
use rand_core::TryRng;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::Write;
use std::sync::{Arc, Once};
use tempfile::TempDir;

use crate::store::{MemoryStore, SqlStore, Store, StoreUrl};
use crate::{Dialect, Enrolment};

/// When tests happen: a whole hour.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// Random octets.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    SysRng.try_fill_bytes(&mut octets).expect("randomness");
    octets
}

/// A place for one test's store, which is gone afterwards.
pub(crate) struct Place {
    pub(crate) url: StoreUrl,
    memory: Option<Arc<MemoryStore>>,
    pub(crate) folder: Option<TempDir>,
    database: Option<Database>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        let memory = Some(Arc::default());
        Self { url: StoreUrl::Memory, memory, folder: None, database: None }
    }

    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("a store?#% .db"));
        Self { url, memory: None, folder: Some(folder), database: None }
    }

    /// `None`: there is no server to try it with.
    pub(crate) fn postgres() -> Option<Self> {
        let database = Database::make()?;
        let url = StoreUrl::Postgres(database.url.clone());
        Some(Self { url, memory: None, folder: None, database: Some(database) })
    }

    /// All that there are here.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::memory(), Self::sqlite()];
        all.extend(Self::postgres());
        all
    }

    /// All that outlive a process.
    pub(crate) fn durable() -> Vec<Self> {
        let mut all = vec![Self::sqlite()];
        all.extend(Self::postgres());
        all
    }

    /// The store, opened once more.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        match &self.memory {
            Some(memory) => Arc::clone(memory) as _,
            None => Arc::new(self.sql()),
        }
    }

    pub(crate) fn sql(&self) -> SqlStore {
        SqlStore::open(&self.url).expect("it opens").expect("a store in SQL")
    }

    /// Whether it is on a server, and so takes any number of nodes.
    pub(crate) fn is_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// Does something to the database behind the store's back.
    pub(crate) fn tamper(&self, statement: &str) -> u64 {
        use sqlx::{Executor, SqliteConnection};
        let statement = AssertSqlSafe(statement.to_owned());
        blocking(async {
            match &self.url {
                StoreUrl::Sqlite(path) => {
                    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                    let mut connection =
                        SqliteConnection::connect_with(&options).await.expect("a connection");
                    connection.execute(statement).await.expect("it is done").rows_affected()
                }
                StoreUrl::Postgres(url) => {
                    let mut connection = PgConnection::connect(url).await.expect("a connection");
                    connection.execute(statement).await.expect("it is done").rows_affected()
                }
                StoreUrl::Memory => panic!("there is no database"),
            }
        })
    }

    /// Octets as they stand in a statement.
    pub(crate) fn literal(&self, octets: &[u8]) -> String {
        let hex = crate::registry::keys_hex(octets);
        if self.is_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
    }
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// A database of its own.
struct Database {
    name: String,
    server: String,
    url: String,
}

impl Database {
    fn make() -> Option<Self> {
        static SKIPPED: Once = Once::new();
        let Ok(server) = std::env::var("CTKIP_TEST_POSTGRES_URL") else {
            let needed = std::env::var("CTKIP_TEST_POSTGRES").is_ok_and(|needed| needed == "1");
            assert!(!needed, "CTKIP_TEST_POSTGRES=1, and CTKIP_TEST_POSTGRES_URL is not set");
            SKIPPED.call_once(|| {
                // Past the harness, which shows only what tests print that fail.
                let _ = writeln!(
                    std::io::stderr(),
                    "SKIP postgres: CTKIP_TEST_POSTGRES_URL is not set (tests/with-postgres.sh)"
                );
            });
            return None;
        };
        let name = format!("ctkip_{}", crate::registry::keys_hex(&random::<8>()));
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{base}/{name}");
        let database = Self { name, server, url };
        database.at_server("CREATE DATABASE", "");
        Some(database)
    }

    fn at_server(&self, verb: &str, rest: &str) {
        use sqlx::Executor;
        let statement = AssertSqlSafe(format!("{verb} {}{rest}", self.name));
        blocking(async {
            let mut connection = PgConnection::connect(&self.server).await.expect("a connection");
            connection.execute(statement).await.expect("it is done");
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.at_server("DROP DATABASE", " WITH (FORCE)");
        }
    }
}

/// An enrolment of this serial number.
pub(crate) fn enrolment(serial: &str, dialect: Dialect) -> Enrolment {
    Enrolment {
        serial: serial.into(),
        user: "alice".into(),
        service: "example.com".into(),
        digits: 8,
        interval: 60,
        pin: PinSettings::default(),
        expires: Date { year: 2035, month: 12, day: 31 },
        device: None,
        dialect,
    }
}

/// Does the same in so many threads at once, and collects what came of it.
pub(crate) fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let spawn = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        handles.into_iter().map(|handle| handle.join().expect("no thread panics")).collect()
    })
}
