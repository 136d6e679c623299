//! A server that remembers as a process of its own, and what tests know of its store.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ctkip_core::{Date, PinSettings, Timestamp};
use ctkip_server::store::{SqlStore, StoreUrl};
use ctkip_server::{Dialect, Enrolment, MasterKey, NewCode, Registry};
use getrandom::SysRng;
use serde_json::Value;

use crate::program::Place;

/// The store of the tests, in the folder of a place.
pub(super) const STORE: &str = "sqlite:store.db";

/// How long a test waits for what is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
pub(super) struct Node {
    child: Child,
    stderr: Arc<Mutex<String>>,
    /// What it announced.
    pub(super) announced: Value,
    pub(super) url: String,
}

impl Node {
    /// With a store in SQLite.
    pub(super) fn start(place: &Place, args: &[&str]) -> Self {
        Self::spawn(place, &[&["--store", STORE], args].concat())
    }

    /// With a store in memory, and an RSA key that is quickly made.
    pub(super) fn in_memory(place: &Place, args: &[&str]) -> Self {
        Self::spawn(place, &[&["--store", "memory", "--key-bits", "1024"], args].concat())
    }

    /// On a free port, unless another is named.
    pub(super) fn spawn(place: &Place, args: &[&str]) -> Self {
        let listen: &[&str] =
            if args.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        Self::run(&mut place.command(&[&["serve", "--json"], listen, args].concat()))
    }

    pub(super) fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (mut from, to) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&stderr));
        thread::spawn(move || {
            let mut line = String::new();
            while from.read_line(&mut line).is_ok_and(|octets| octets > 0) {
                to.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let Ok(announced) = serde_json::from_str::<Value>(&line) else {
            child.wait().unwrap();
            thread::sleep(Duration::from_millis(100));
            panic!("{line:?}, and {}", stderr.lock().unwrap());
        };
        let url = announced["url"].as_str().unwrap().to_owned();
        Self { child, stderr, announced, url }
    }

    /// The code of the user of this number, of a store in memory.
    pub(super) fn code(&self, user: usize) -> String {
        self.announced["codes"][user]["code"].as_str().unwrap().to_owned()
    }

    /// Standard error so far.
    pub(super) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until this stands on standard error.
    #[track_caller]
    pub(super) fn tells(&self, text: &str) {
        until(|| self.stderr().contains(text), || format!("{text:?} in {}", self.stderr()));
    }

    /// The status and the body of what is there under this path.
    pub(super) fn get(&self, path: &str) -> (u16, String) {
        get(self.url.split('/').nth(2).unwrap(), path)
    }

    /// The same at the place for those who watch over it.
    pub(super) fn admin(&self, path: &str) -> (u16, String) {
        get(self.announced["admin"].as_str().unwrap().split('/').nth(2).unwrap(), path)
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it ends by itself.
    pub(super) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something.
#[track_caller]
pub(super) fn until(mut there: impl FnMut() -> bool, what: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE;
    while !there() {
        assert!(Instant::now() < end, "waited in vain for {}", what());
        thread::sleep(Duration::from_millis(50));
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let octets = exchange(address, request.as_bytes());
    octets.as_slice().read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Sends a request on a connection of its own, and reads whatever comes until its end.
pub(super) fn exchange(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// The register that servers of this place have, as an operator opens it beside them.
pub(super) fn registry(place: &Place) -> Registry {
    let url = StoreUrl::Sqlite(place.path("store.db"));
    let master = MasterKey::read_or_make(&place.path("store.db.key"), &mut SysRng).unwrap();
    let store = SqlStore::open(&url).unwrap().unwrap();
    let registry = Registry::open(Arc::new(store), &master, &mut SysRng).unwrap();
    registry.first_key(1024, now(), &mut SysRng).unwrap();
    registry
}

/// Enrols a user: serial number and code.
pub(super) fn enrol(registry: &Registry, user: &str) -> (String, String) {
    let enrolment = Enrolment {
        serial: String::new(),
        user: user.into(),
        service: "tests".into(),
        digits: 8,
        interval: 60,
        pin: PinSettings::default(),
        expires: Date { year: 2035, month: 12, day: 31 },
        device: None,
        dialect: Dialect::Securid,
    };
    let shown = registry.enrol(&[enrolment], NewCode::default(), now(), &mut SysRng).unwrap();
    let code = shown[0].code.text().unwrap().to_owned();
    (shown[0].enrolled.enrolment.serial.clone(), code)
}

pub(super) fn now() -> Timestamp {
    Timestamp(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs())
}
