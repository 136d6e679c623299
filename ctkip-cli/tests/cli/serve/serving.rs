//! `ctkip serve` as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::program::Place;

/// The code that the server takes.
pub(super) const CODE: &str = "314159265358";

/// A server that runs until it is dropped.
pub(super) struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) url: String,
    pub(super) link: String,
    pub(super) pin: String,
}

impl Serving {
    /// With the code, and a key that is quickly made.
    pub(super) fn start(place: &Place, args: &[&str]) -> Self {
        Self::spawn(place, &[&["--code", CODE, "--key-bits", "1024"], args].concat())
    }

    pub(super) fn with_key(place: &Place, key: &str, args: &[&str]) -> Self {
        Self::spawn(place, &[&["--code", CODE, "--key", key], args].concat())
    }

    /// On a free port.
    pub(super) fn spawn(place: &Place, args: &[&str]) -> Self {
        let mut command = place.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let [url, link, pin] = [const { String::new() }; 3];
        let mut serving = Self { child, stdout, url, link, pin };
        if args.contains(&"--json") {
            let announced: Value = serde_json::from_str(&serving.line()).unwrap();
            let text = |name: &str| announced[name].as_str().unwrap().to_owned();
            (serving.url, serving.link, serving.pin) = (text("url"), text("link"), text("pin"));
        } else {
            let [url, link, pin] = [(); 3].map(|()| {
                let line = serving.line();
                line.split_once("  ").unwrap_or_else(|| panic!("{line:?}")).1.trim().to_owned()
            });
            (serving.url, serving.link, serving.pin) = (url, link, pin);
        }
        serving
    }

    /// The next line on standard output.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut stderr = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut stderr);
            panic!("the server ended: {stderr}");
        }
        line.trim_end().to_owned()
    }

    /// Serial number and seed of the next token.
    pub(super) fn seed(&mut self) -> (String, String) {
        let line = self.line();
        let (serial, seed) = line.split_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        (serial.to_owned(), seed.to_owned())
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it ends by itself: its exit status, and what it wrote to standard error.
    pub(super) fn wait(mut self) -> (Option<i32>, String) {
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority (`ca.pem`, `ca.key`), and a certificate of it for 127.0.0.1 (`leaf.pem`, `leaf.key`).
pub(super) fn certificates(place: &Place) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    place.write("ca.pem", params.self_signed(&key).unwrap().pem());
    place.write("ca.key", key.serialize_pem());
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    place.write("leaf.pem", leaf.signed_by(&key, &issuer).unwrap().pem());
    place.write("leaf.key", key.serialize_pem());
}
