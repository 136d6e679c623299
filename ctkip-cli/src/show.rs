//! `ctkip show`: what a token is, and how well its file keeps it.

use std::fmt::Write;

use ctkip_token::{Device, Flags, Format, Opened, PinMode, Token, json};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::args::ShowArgs;
use crate::error::Failure;
use crate::output::{Output, table};
use crate::tokencode;

pub(crate) fn run(args: &ShowArgs, output: Output) -> Result<(), Failure> {
    let tokens = args.source.load_all(output)?;
    let several = tokens.len() > 1;
    let (mut texts, mut values) = (Zeroizing::new(String::new()), Vec::new());
    let mut failed = None;
    for opened in tokens {
        match opened {
            Ok(opened) if output.json => values.push(value(&opened, args.seed)),
            Ok(opened) => {
                if !texts.is_empty() {
                    texts.push('\n');
                }
                texts.push_str(&text(&opened, args.seed));
            }
            Err(failure) if several => {
                output.failure(&failure);
                failed = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    match values.len() {
        0 => output.result(&texts)?,
        1 if !several => output.json(&values.remove(0))?,
        _ => output.json(&values.into())?,
    }
    failed.map_or(Ok(()), |failure| {
        let what = "not every token in the file can be opened";
        Err(Failure { what: what.into(), detail: None, ..failure })
    })
}

fn text(opened: &Opened, seed: bool) -> Zeroizing<String> {
    let mut rows = rows(&opened.token);
    rows.push(("Form", opened.format.as_str().into()));
    rows.push(("Protected", protection(opened).1.into()));
    if seed {
        rows.push(("Seed", seed_hex(&opened.token).to_string()));
    }
    Zeroizing::new(table(&rows))
}

/// The fields of a token that are there, in the order in which people look for them. No secret.
pub(crate) fn rows(token: &Token) -> Vec<(&'static str, String)> {
    let labels = &token.labels;
    let name = format!("{} {}", labels.first_name, labels.last_name);
    let left = token.expiry.days_left(tokencode::now());
    let expiry = match left {
        ..0 => format!("{} (expired)", token.expiry),
        0..14 => format!("{} (in {left} days)", token.expiry),
        _ => token.expiry.to_string(),
    };
    let pin = match token.pin_mode() {
        PinMode::None => "none",
        PinMode::Local => "local, not added to the code",
        PinMode::Add | PinMode::AddLocal => "added to the code",
    };
    let mut rows = vec![("Serial number", token.serial.to_string())];
    for (label, text) in [
        ("User", labels.user.as_str()),
        ("Name", name.trim()),
        ("Nickname", &labels.nickname),
        ("Service", &labels.issuer),
        ("Device id", &labels.device_id),
    ] {
        if !text.is_empty() {
            rows.push((label, text.into()));
        }
    }
    rows.push(("Last valid day", expiry));
    rows.push(("Digits", token.digits().get().to_string()));
    rows.push(("Interval", format!("{} seconds", token.interval().seconds())));
    rows.push(("PIN", format!("{pin} (mode {})", token.pin_mode().number())));
    rows.push(("Flags", flags(token.flags)));
    rows
}

fn flags(flags: Flags) -> String {
    let mut text = format!("{:04x}", flags.bits());
    for (mask, name) in [
        (Flags::AES, "AES-128"),
        (Flags::TIME_DERIVED, "time-derived seed"),
        (Flags::APP_DERIVED, "app-derived seed"),
        (Flags::MODE, "mode"),
        (Flags::FEATURE_6, "feature 6"),
    ] {
        if flags.contains(mask) {
            // Writing to a String does not fail.
            let _ = write!(text, ", {name}");
        }
    }
    text
}

pub(crate) fn seed_hex(token: &Token) -> Zeroizing<String> {
    Zeroizing::new(token.seed.expose().iter().map(|octet| format!("{octet:02x}")).collect())
}

/// A token as JSON, as `ctkip-token` writes it.
pub(crate) fn token_value(token: &Token, seed: bool) -> Value {
    let with_seed = if seed { json::WithSeed::Yes } else { json::WithSeed::No };
    serde_json::from_str(&json::write(token, with_seed)).unwrap_or_default()
}

fn value(opened: &Opened, seed: bool) -> Value {
    let mut value = token_value(&opened.token, seed);
    value["form"] = opened.format.as_str().into();
    value["days_left"] = opened.token.expiry.days_left(tokencode::now()).into();
    let (protected, how) = protection(opened);
    value["protected"] = json!({ "seed": protected, "how": how });
    value
}

/// Whether whoever has the text has the seed.
fn protection(opened: &Opened) -> (bool, &'static str) {
    match (opened.password_locked, opened.device, opened.format) {
        (true, Some(Device::Given), _) => (true, "by a password and a device id"),
        (true, _, _) => (true, "by a password"),
        (false, Some(Device::Given), _) => (true, "by a device id, which is no great secret"),
        (false, Some(Device::Class(_)), _) => (false, "no: bound to a well-known device id"),
        (false, None, Format::Sdtid) => {
            (false, "no: a plain .sdtid is keyed by its own text, so whoever has it has the seed")
        }
        (false, None, Format::Json) => (false, "no: the seed stands in it in clear"),
        (false, None, _) => (false, "no: its key is well known, so whoever has it has the seed"),
    }
}
