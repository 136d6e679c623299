//! The vectors of what is not public: primitives.

use std::{env, eprintln, fs, path::PathBuf, string::String, vec::Vec};

use serde_json::Value;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");

/// Runs all items of a list in all files of kind `primitives` below the root of the vectors.
pub(crate) fn primitives(list: &str, case: impl Fn(&Value)) {
    let files: Vec<_> = files(root())
        .into_iter()
        .filter_map(|path| {
            let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            (file["kind"] == "primitives").then_some((path, file))
        })
        .collect();
    if files.is_empty() {
        eprintln!("SKIP: no file of kind primitives in {}", root().display());
    }
    for (path, file) in files {
        let items = file[list].as_array().unwrap_or_else(|| panic!("no {list}"));
        assert!(!items.is_empty(), "{} holds no {list}", path.display());
        items.iter().for_each(&case);
        eprintln!("{}: {list}: {} cases passed", path.display(), items.len());
    }
}

/// The text of a token of the vectors.
pub(crate) fn token_text(id: &str) -> Value {
    // Vectors kept elsewhere may name a token of ours.
    let ours = files(OURS.into());
    let all = files(root()).into_iter().chain(ours);
    all.map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap())
        .filter(|file| file["kind"] == "tokens")
        .find_map(|file| file["items"].as_array()?.iter().find(|item| item["id"] == id).cloned())
        .unwrap_or_else(|| panic!("no token {id}"))
}

fn root() -> PathBuf {
    match env::var_os("CTKIP_VECTORS") {
        // Joining an absolute path gives that path; a relative one is meant from the workspace.
        Some(root) => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(root),
        None => OURS.into(),
    }
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(path),
            false => Vec::from([path]),
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect()
}

/// A member as octets, from hexadecimal.
pub(crate) fn octets(item: &Value, name: &str) -> Vec<u8> {
    let text = text(item, name);
    let pairs = text.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// A member as 16 octets.
pub(crate) fn octets16(item: &Value, name: &str) -> [u8; 16] {
    octets(item, name).try_into().unwrap()
}

/// A member as text.
pub(crate) fn text(item: &Value, name: &str) -> String {
    item[name].as_str().unwrap_or_else(|| panic!("{name} is no text")).into()
}
