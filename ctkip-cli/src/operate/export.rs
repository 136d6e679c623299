//! `ctkip tokens export`: the tokens for another server, with their seeds.

use std::path::Path;

use ctkip_server::pskc::{self, Encryption, ITERATIONS, PskcError, PskcKey};
use ctkip_server::{Exported, IssuedToken, json_export};
use ctkip_token::ExpiryDay;
use getrandom::SysRng;
use serde_json::json;
use zeroize::Zeroizing;

use super::args::{ExportForm, TokensExportArgs};
use super::desk::Desk;
use crate::error::{Failure, Status};
use crate::output::Output;
use crate::register::now;
use crate::{input, save};

/// Who made the devices. PSKC wants a name beside each serial number. No list of manufacturers has
/// ours, so that it has none of the prefixes of such lists.
const MANUFACTURER: &str = "ctkip";

pub(super) fn run(args: &TokensExportArgs, output: Output) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        save::check_target(out, args.force)?;
    }
    let secret = Secret::get(args)?;
    let desk = Desk::open(&args.store)?;
    let exported = desk.registry.export(args.to.name(), now());
    let exported = exported.map_err(|error| desk.failure(error))?;
    let text = secret.write(&exported.tokens)?;
    for serial in &exported.tampered {
        output.warn(&format!("{serial} is left out: its row was changed by another hand"));
    }
    put(args, &text, &exported, output)?;
    match exported.tampered.len() {
        0 => Ok(()),
        left_out => Err(Failure::new(
            Status::Protocol,
            "tampered",
            format!("{left_out} tokens were left out, since another hand changed their rows"),
            "The others are exported. Give those a new token with `ctkip reissue`, and find out who changed them.",
        )),
    }
}

fn put(
    args: &TokensExportArgs,
    text: &str,
    exported: &Exported,
    output: Output,
) -> Result<(), Failure> {
    let Some(out) = &args.out else { return output.result(text) };
    save::write(out, text.as_bytes(), args.force)?;
    let (count, file) = (exported.tokens.len(), out.display());
    if output.json {
        let file = file.to_string();
        return output.json(&json!({ "to": args.to.name(), "file": file, "tokens": count }));
    }
    output.step(&format!("{count} tokens written to {file}"));
    Ok(())
}

impl ExportForm {
    /// As the audit log calls it, too.
    const fn name(self) -> &'static str {
        match self {
            Self::Pskc => "pskc",
            Self::Json => "json",
        }
    }
}

/// What the seeds are protected with.
enum Secret<'a> {
    Nothing,
    Password(Zeroizing<String>),
    Key { name: &'a str, key: Zeroizing<Vec<u8>> },
}

impl<'a> Secret<'a> {
    fn get(args: &'a TokensExportArgs) -> Result<Self, Failure> {
        match (args.to, &args.key_file, &args.key_name, args.password_file.as_deref()) {
            (ExportForm::Json, None, None, None) => Ok(Self::Nothing),
            (ExportForm::Json, ..) => Err(Failure::usage(
                "JSON holds the seeds in clear: there is no password and no key to it",
                "Leave that out, or use --to pskc.",
            )),
            (ExportForm::Pskc, Some(path), Some(name), _) => {
                Ok(Self::Key { name, key: shared_key(path)? })
            }
            (ExportForm::Pskc, _, _, password) => {
                Ok(Self::Password(input::new_secret(None, password, "password of the export")?))
            }
        }
    }

    fn write(&self, tokens: &[IssuedToken]) -> Result<Zeroizing<String>, Failure> {
        let dates = Vec::from_iter(tokens.iter().map(dates));
        let keys = Vec::from_iter(tokens.iter().zip(&dates).map(key));
        let encryption = match self {
            Self::Nothing => return Ok(json_export::write(&keys)),
            Self::Password(password) => Encryption::Password { password, iterations: ITERATIONS },
            Self::Key { name, key } => Encryption::PreSharedKey { name, key },
        };
        let written = pskc::write(&keys, &encryption, &mut SysRng);
        written.map(Zeroizing::new).map_err(|error| failure(error, &keys))
    }
}

/// 16 or 32 octets, as they are or in hexadecimal digits.
fn shared_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let content = input::read(path, 128)?;
    let digits = content.trim_ascii_end();
    let nibbles: Option<Vec<u8>> = match digits.len() {
        32 | 64 => digits.iter().map(|c| Some(char::from(*c).to_digit(16)? as u8)).collect(),
        _ => None,
    };
    let nibbles = Zeroizing::new(nibbles.unwrap_or_default());
    let key = match nibbles.as_chunks::<2>().0 {
        [] => content,
        pairs => Zeroizing::new(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
    };
    match key.len() {
        16 | 32 => Ok(key),
        _ => Err(Failure::usage(
            format!("{} holds no key of 16 or 32 octets", path.display()),
            "Give the octets, or twice as many hexadecimal digits.",
        )),
    }
}

/// The first and the last day.
fn dates(token: &IssuedToken) -> (Option<String>, String) {
    let start = ExpiryDay::from_unix(token.committed.0).ok().map(ExpiryDay::last_day);
    (start, token.enrolled.enrolment.expires.to_string())
}

fn key<'t>(
    (token, (start, expiry)): (&'t IssuedToken, &'t (Option<String>, String)),
) -> PskcKey<'t> {
    let enrolment = &token.enrolled.enrolment;
    PskcKey {
        serial: &enrolment.serial,
        manufacturer: MANUFACTURER,
        issuer: "",
        user: &enrolment.user,
        service: &enrolment.service,
        seed: token.key.expose(),
        digits: enrolment.digits,
        interval: enrolment.interval,
        start: start.as_deref(),
        expiry: Some(expiry),
        device: enrolment.device.as_deref(),
    }
}

fn failure(error: PskcError, keys: &[PskcKey<'_>]) -> Failure {
    let of = |index: usize| keys.get(index).map(|key| key.serial).unwrap_or_default();
    let (what, next) = match error {
        PskcError::NoKeys => (
            error.to_string(),
            "`ctkip enrolments` lists what there is: codes have to be used first.",
        ),
        PskcError::Text { index, what } => {
            (format!("{}: its {what} cannot stand in XML", of(index)), "Use --to json.")
        }
        PskcError::Seed { index } => {
            (format!("{}: {error}", of(index)), "Give a new token with `ctkip reissue`.")
        }
        PskcError::Number { index, .. } | PskcError::Date { index, .. } => {
            (format!("{}: {error}", of(index)), "Use --to json.")
        }
        PskcError::KeyName | PskcError::EmptyPassword => (error.to_string(), "Give another."),
        _ => (error.to_string(), "Try again."),
    };
    Failure::new(Status::Usage, "pskc", what, next)
}
