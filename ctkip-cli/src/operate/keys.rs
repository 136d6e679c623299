//! `ctkip keys`: the server's RSA keys, and the master key.

use std::path::Path;

use ctkip_server::store::KeyId;
use ctkip_server::{KeyInfo, MasterKey, MasterKeyError};
use getrandom::SysRng;
use serde_json::{Value, json};

use super::args::{KeysArgs, KeysCommand};
use super::desk::Desk;
use super::utc::utc;
use crate::error::{Failure, Status};
use crate::output::{self, Output};
use crate::register::now;

pub(super) fn run(args: &KeysArgs, output: Output) -> Result<(), Failure> {
    match &args.command {
        None => list(&Desk::open(&args.store)?, output),
        Some(KeysCommand::Rotate { bits, store }) => {
            let desk = Desk::open(store)?;
            let made = desk.registry.rotate_key(*bits, now(), &mut SysRng);
            let key = pin(&made.map_err(|error| desk.failure(error))?);
            if output.json {
                return output.json(&json!({ "key": key, "bits": bits }));
            }
            output.result(&output::table(&[("Key, for --pin-key", key)]))
        }
        Some(KeysCommand::Retire { name, force, store }) => {
            let desk = Desk::open(store)?;
            let retired = desk.registry.retire_key(name, *force, now());
            let key = pin(&retired.map_err(|error| desk.failure(error))?);
            if output.json {
                return output.json(&json!({ "retired": key }));
            }
            output.step(&format!("Retired {key}"));
            Ok(())
        }
        Some(KeysCommand::MakeMaster { file }) => make_master(file, output),
    }
}

/// As `--pin-key` takes it.
pub(super) fn pin(key: &KeyId) -> String {
    format!("sha256:{}", key.map(|octet| format!("{octet:02x}")).concat())
}

fn list(desk: &Desk, output: Output) -> Result<(), Failure> {
    let keys = desk.registry.keys(now()).map_err(|error| desk.failure(error))?;
    if output.json {
        return output.json(&Value::Array(keys.iter().map(object).collect()));
    }
    let mut text =
        format!("{:71}  {:4}  {:7}  {:20}  OPEN CODES\n", "KEY", "BITS", "STATE", "MADE");
    for key in &keys {
        let (pin, state, made) = (pin(&key.id), state(key), utc(key.created));
        text.push_str(&format!("{pin}  {:4}  {state:7}  {made:20}  {}\n", key.bits, key.codes));
    }
    output.result(&text)
}

fn object(key: &KeyInfo) -> Value {
    json!({
        "key": pin(&key.id),
        "bits": key.bits,
        "state": state(key),
        "created": utc(key.created),
        "retired": key.retired.map(utc),
        "open_codes": key.codes,
    })
}

const fn state(key: &KeyInfo) -> &'static str {
    match key {
        KeyInfo { retired: Some(_), .. } => "retired",
        KeyInfo { current: true, .. } => "current",
        _ => "old",
    }
}

fn make_master(file: &Path, output: Output) -> Result<(), Failure> {
    MasterKey::make(file, &mut SysRng).map_err(|error| {
        let next = match error {
            MasterKeyError::Exists(_) => {
                "Choose another name. If it is the key of a store, that store is worth nothing without it."
            }
            _ => "Check the path, and who may use it.",
        };
        Failure::new(Status::Usage, "master-key", error.to_string(), next)
    })?;
    if output.json {
        return output.json(&json!({ "file": file.display().to_string() }));
    }
    output.step(&format!("Written to {}. Keep a copy of it", file.display()));
    Ok(())
}
