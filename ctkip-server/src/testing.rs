//! What tests of stores and servers stand on.

use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::{Handled, ServiceRequest};
use ctkip_core::wire::{Binding, Headers, WireRequest, WireResponse, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, ClientError, Date, Exchange, NewToken, PinSettings,
    Progress, Timestamp,
};
use getrandom::SysRng;
use rand_core::TryRng;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;
use tempfile::TempDir;

use crate::code::CodeTag;
use crate::store::{
    AuditEntry, Code, Enrolled, EnrolmentId, Filter, Guesses, Issue, KeyId, MemoryStore, SqlStore,
    Standing, State, Store, StoreError, StoreUrl, StoredKey, Verdict, Window,
};
use crate::{Dialect, Enrolment, MasterKey, NewCode, Registry, Shown, Site, SiteOptions};

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

    pub(crate) fn memory_store(&self) -> &MemoryStore {
        self.memory.as_ref().expect("a store in memory")
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

/// A store whose look-ups are counted, and whose commits fail on demand.
pub(crate) struct Watched {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) looked_up: AtomicU64,
    /// How many commits are still to fail; those that are odd are done all the same.
    pub(crate) failing: AtomicU64,
}

impl Watched {
    pub(crate) fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, looked_up: AtomicU64::new(0), failing: AtomicU64::new(0) })
    }
}

macro_rules! hand_on {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$result, StoreError> {
            self.store.$name($($argument),*)
        })*
    };
}

impl Store for Watched {
    hand_on! {
        fn setting(name: &str, value: &[u8]) -> Vec<u8>;
        fn add_key(key: &StoredKey, first: bool, now: Timestamp) -> bool;
        fn keys() -> Vec<StoredKey>;
        fn retire_key(id: &KeyId, now: Timestamp) -> bool;
        fn codes_under(id: &KeyId, now: Timestamp) -> u64;
        fn enrol(new: &[(Enrolled, Code)]) -> ();
        fn count_wrong(window: Window<'_>) -> Guesses;
        fn spend(tag: &CodeTag, now: Timestamp) -> bool;
        fn standings(filter: &Filter<'_>) -> Vec<Standing>;
        fn reissue(new: &Code, now: Timestamp) -> bool;
        fn revoke(id: EnrolmentId, now: Timestamp) -> bool;
        fn seen(code: &CodeTag, step: u64, now: Timestamp) -> bool;
        fn open_codes(now: Timestamp) -> Vec<(u8, u64)>;
        fn audit(entries: &[AuditEntry]) -> ();
        fn audit_log(limit: usize) -> Vec<AuditEntry>;
        fn forget_guesses(before: Timestamp) -> ();
        fn check() -> ();
    }

    fn find(
        &self,
        tag: &CodeTag,
        window: Window<'_>,
    ) -> Result<(Option<Standing>, Guesses), StoreError> {
        self.looked_up.fetch_add(1, Ordering::SeqCst);
        // Long enough for others to come meanwhile.
        std::thread::sleep(Duration::from_millis(1));
        self.store.find(tag, window)
    }

    fn issue(&self, new: Issue, source: &str) -> Result<Verdict, StoreError> {
        let failing = self.failing.load(Ordering::SeqCst);
        if failing == 0 {
            return self.store.issue(new, source);
        }
        self.failing.store(failing - 1, Ordering::SeqCst);
        if failing % 2 == 1 {
            let _ = self.store.issue(new, source);
        }
        Err(StoreError::Unavailable("on demand".into()))
    }
}

/// A register, and what opens it again.
pub(crate) struct House {
    pub(crate) place: Place,
    master: [u8; 32],
}

/// A node of it.
pub(crate) struct Node {
    pub(crate) registry: Arc<Registry>,
    pub(crate) site: Site<RsaPrivateKey>,
}

impl House {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, master: random() }
    }

    pub(crate) fn master(&self) -> MasterKey {
        MasterKey::new(self.master)
    }

    pub(crate) fn node(&self) -> Node {
        self.node_over(self.place.open(), SiteOptions::default())
    }

    pub(crate) fn node_over(&self, store: Arc<dyn Store>, options: SiteOptions) -> Node {
        let registry = Registry::open(store, &self.master(), &mut SysRng).expect("it opens");
        let registry = Arc::new(registry);
        registry.first_key(2048, NOW, &mut SysRng).expect("a key");
        let site = Site::new(Arc::clone(&registry), RsaPrivateKey::from_primes, options);
        Node { registry, site: site.expect("a site") }
    }
}

impl Node {
    pub(crate) fn enrol(&self, dialect: Dialect) -> Shown {
        self.enrol_as(enrolment("", dialect))
    }

    pub(crate) fn enrol_as(&self, enrolment: Enrolment) -> Shown {
        let shown = self.registry.enrol(&[enrolment], NewCode::default(), NOW, &mut SysRng);
        shown.expect("it is enrolled").pop().expect("one")
    }

    pub(crate) fn serial_state(&self, shown: &Shown) -> State {
        let serial = &shown.enrolled.enrolment.serial;
        self.registry.standing(serial).expect("it is there").state(NOW)
    }

    /// The causes in the audit log, the last one last.
    pub(crate) fn causes(&self) -> Vec<String> {
        let log = self.registry.store().audit_log(10_000).expect("the log");
        log.into_iter().filter(|entry| entry.event == "refused").map(|entry| entry.detail).collect()
    }

    /// A whole run.
    pub(crate) fn provision(&self, shown: &Shown) -> NewToken {
        let mut run = Run::of(shown);
        assert!(run.step(self).is_none());
        run.step(self).expect("a token")
    }
}

/// A client's run.
pub(crate) struct Run {
    pub(crate) dialect: Dialect,
    pub(crate) exchange: Option<Exchange>,
    pub(crate) request: WireRequest,
}

impl Run {
    /// Of whoever was shown this. The key he is offered has to be the one he was shown.
    pub(crate) fn of(shown: &Shown) -> Self {
        let dialect = shown.enrolled.enrolment.dialect;
        let config = ClientConfig::new(dialect.profile()).pin_server_key(shown.key);
        match shown.trigger(None) {
            Some(trigger) => {
                let trigger = trigger.initialization.expect("an initialization");
                Self::new(dialect, config.trigger(trigger), Binding::Plain)
            }
            None => Self::with_code(config, shown.code.text().expect("digits")),
        }
    }

    pub(crate) fn with_code(config: ClientConfig, code: &str) -> Self {
        let soap = Soap::new(ActivationCode::new(code.into())).expect("a code");
        Self::new(Dialect::Securid, config, Binding::Soap(soap))
    }

    /// Of somebody who guesses.
    pub(crate) fn guess(code: &str) -> Self {
        Self::with_code(ClientConfig::new(Dialect::Securid.profile()), code)
    }

    pub(crate) fn new(dialect: Dialect, config: ClientConfig, binding: Binding) -> Self {
        let begun = Exchange::begin(Client::new(config), binding, &mut SysRng);
        let (exchange, request) = begun.expect("randomness");
        Self { dialect, exchange: Some(exchange), request }
    }

    /// Sends the request, from here and now.
    pub(crate) fn post(&self, node: &Node) -> Handled {
        self.post_from(node, "192.0.2.1", NOW)
    }

    pub(crate) fn post_from(&self, node: &Node, source: &str, now: Timestamp) -> Handled {
        let WireRequest { headers, body, .. } = &self.request;
        let source = Some(source.parse().expect("an address"));
        let request = ServiceRequest { method: "POST", path: "/", headers, body, source };
        node.site.handle(self.dialect, request, now)
    }

    /// Takes the answer; a token, when that was the last.
    pub(crate) fn take(&mut self, handled: &Handled) -> Result<Option<NewToken>, ClientError> {
        let exchange = self.exchange.take().expect("it goes on");
        Ok(match exchange.receive(&handled.response, &mut SysRng)? {
            Progress::Done(token) => Some(*token),
            Progress::Send(exchange, request) => {
                (self.exchange, self.request) = (Some(exchange), request);
                None
            }
        })
    }

    pub(crate) fn step(&mut self, node: &Node) -> Option<NewToken> {
        let handled = self.post(node);
        self.take(&handled).expect("a good answer")
    }
}

/// All that a client sees of an answer.
pub(crate) fn seen(handled: &Handled) -> (u16, Headers, String) {
    let WireResponse { status, headers, body, .. } = &handled.response;
    (*status, headers.clone(), String::from_utf8_lossy(body).into_owned())
}
