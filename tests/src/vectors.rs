//! Where vectors come from, and how many of them ran.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of vectors: `CTKIP_VECTORS`, or the project's own.
#[must_use]
pub fn root() -> PathBuf {
    match std::env::var_os("CTKIP_VECTORS") {
        // Tests run in the package's folder; a relative path is meant from where cargo was started.
        Some(root) if Path::new(&root).is_relative() => {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(root)
        }
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"),
    }
}

/// A file of vectors, or `None` and a SKIP line when it is absent.
///
/// # Panics
/// When the file is there and no JSON, or when the root itself is not there.
#[must_use]
pub fn load(path: &str) -> Option<Value> {
    let root = root();
    assert!(root.is_dir(), "there are no vectors in {}", root.display());
    let file = root.join(path);
    if !file.exists() {
        println!("SKIP {path}: absent");
        return None;
    }
    Some(parse(&file))
}

/// All JSON files of a folder in order of their names, or `None` and a SKIP line when the folder is
/// absent.
///
/// # Panics
/// When the folder is there and holds none, or when the root itself is not there.
#[must_use]
pub fn folder(path: &str) -> Option<Vec<(String, Value)>> {
    let root = root();
    assert!(root.is_dir(), "there are no vectors in {}", root.display());
    let folder = root.join(path);
    if !folder.exists() {
        println!("SKIP {path}/: absent");
        return None;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("its entries too").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{path}/ holds no vectors");
    let name = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Some(files.iter().map(|file| (name(file), parse(file))).collect())
}

fn parse(file: &Path) -> Value {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Octets of a hexadecimal field; `None` when it is absent or null.
///
/// # Panics
/// When it is there and no hexadecimal.
#[must_use]
pub fn octets(value: &Value) -> Option<Vec<u8>> {
    value.as_str().map(from_hex)
}

/// Octets of hexadecimal text.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "an odd number of digits: {text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

/// Hexadecimal text of octets.
#[must_use]
pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
