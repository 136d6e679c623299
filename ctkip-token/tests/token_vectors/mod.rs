//! Finding and running vectors of a kind.

use std::{convert::Infallible, env, fs, path::PathBuf};

use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;

/// Where the vectors are.
fn root() -> PathBuf {
    match env::var_os("CTKIP_VECTORS") {
        Some(root) => root.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors").into(),
    }
}

/// Runs all items of all files of this kind, prints how many ran, and fails if any failed.
pub(crate) fn run(kind: &str, case: impl Fn(&Value) -> Result<(), String>) {
    let (mut folders, mut files, mut failures) = (vec![root()], 0, Vec::new());
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let file: Value = serde_json::from_slice(&fs::read(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if file["kind"] != kind {
                continue;
            }
            files += 1;
            let items = file["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert!(!items.is_empty(), "{} holds no case", path.display());
            let failed = items.iter().filter_map(|item| {
                let problem = case(item).err()?;
                Some(format!("{} {}: {problem}", path.display(), item["id"]))
            });
            let before = failures.len();
            failures.extend(failed);
            let passed = items.len() - (failures.len() - before);
            eprintln!("{}: {passed} of {} cases passed", path.display(), items.len());
        }
    }
    assert!(seen > 0, "{} holds no vectors", root().display());
    if files == 0 {
        eprintln!("SKIP: no file of kind {kind} in {}", root().display());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A member that must be a text.
pub(crate) fn text<'v>(item: &'v Value, name: &str) -> &'v str {
    item[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {item}"))
}

/// Fails with both values if they differ.
pub(crate) fn check(
    what: &str,
    got: impl Into<Value>,
    want: impl Into<Value>,
) -> Result<(), String> {
    let (got, want) = (got.into(), want.into());
    if got == want { Ok(()) } else { Err(format!("{what} is {got} instead of {want}")) }
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A random source that yields given octets once.
pub(crate) struct Given(Vec<u8>);

impl Given {
    pub(crate) fn hex(text: &str) -> Self {
        let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        Self(text.as_bytes().chunks(2).map(octet).collect())
    }

    /// The Secret of an sdtid document.
    pub(crate) fn secret_of(document: &str) -> Self {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let secret = document.split_once("<Secret>").and_then(|(_, rest)| rest.split_once("</"));
        Self(secret.and_then(|(secret, _)| STANDARD.decode(secret).ok()).unwrap_or(vec![0; 16]))
    }

    /// The first half of an encrypted PIN in a stokenrc file.
    pub(crate) fn initial_vector_of(rcfile: &str) -> Self {
        let pin = rcfile.lines().find_map(|line| line.strip_prefix("pin "));
        Self::hex(pin.and_then(|pin| pin.get(..32)).unwrap_or_default())
    }
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("only octets are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("only octets are drawn")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        let drawn: Vec<_> = self.0.drain(..to.len()).collect();
        to.copy_from_slice(&drawn);
        Ok(())
    }
}

impl TryCryptoRng for Given {}
