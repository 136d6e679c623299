//! `ctkip enrol`: one user, or a file of them.

use std::io::{self, Write};
use std::path::Path;

use ctkip_core::Timestamp;
use ctkip_server::store::StoreError;
use ctkip_server::{Enrolment, NewCode, RegistryError, Shown};
use getrandom::SysRng;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::args::{CodeArgs, EnrolArgs};
use super::desk::Desk;
use super::handout::{self, Handing};
use super::roster::{self, Row};
use super::utc::utc;
use crate::error::{Failure, Status};
use crate::output::Output;
use crate::register::now;

/// The size of the first RSA key, in bits.
const KEY_BITS: usize = 2048;

/// The first row of what comes of a file of users.
const HEADER: [&str; 5] = ["serial", "user", "code", "expires", "link"];

pub(super) fn run(args: &EnrolArgs, output: Output) -> Result<(), Failure> {
    match &args.csv {
        Some(path) => many(args, path, output),
        None => one(args, output),
    }
}

impl CodeArgs {
    pub(super) fn new_code(&self) -> NewCode {
        NewCode { length: self.code_length.into(), lifetime: self.code_lifetime }
    }
}

fn one(args: &EnrolArgs, output: Output) -> Result<(), Failure> {
    let user = args.user.as_deref().unwrap_or_default();
    let now = now();
    let enrolment = args.wanted.enrolment(user, args.serial, now).map_err(|what| {
        Failure::new(Status::Usage, "enrolment", what, "Change it, and try again.")
    })?;
    let handing = Handing::prepare(&args.handing, &args.code, enrolment.dialect, output)?;
    let enrolments = [enrolment];
    let desk = desk(args, &enrolments, now, output)?;
    let shown = desk.registry.enrol(&enrolments, args.code.new_code(), now, &mut SysRng);
    match shown.map_err(|error| desk.failure(error))?.first() {
        Some(shown) => handing.give(shown, output),
        None => Ok(()),
    }
}

/// The register, with an RSA key in it that these can be offered.
fn desk(
    args: &EnrolArgs,
    enrolments: &[Enrolment],
    now: Timestamp,
    output: Output,
) -> Result<Desk, Failure> {
    let desk = Desk::open_or_make(&args.store)?;
    let keys = desk.registry.store().keys().map_err(|error| desk.failure(error))?;
    let current = keys.iter().find(|key| key.retired.is_none());
    let current = current.and_then(|key| usize::try_from(key.bits).ok());
    let bits = current.or(args.key_bits).unwrap_or(KEY_BITS);
    if current.is_none() {
        output.step(&format!("Making the first RSA key, of {bits} bits"));
        let made = desk.registry.first_key(bits, now, &mut SysRng);
        made.map_err(|error| desk.failure(error))?;
    }
    if let Some(other) = args.key_bits.filter(|asked| *asked != bits) {
        output.note(&format!(
            "there is an RSA key of {bits} bits; `ctkip keys rotate --bits {other}` makes another"
        ));
    }
    let least = |enrolment: &Enrolment| enrolment.dialect.profile().min_key_bits;
    if let Some(least) = enrolments.iter().map(least).max().filter(|least| *least > bits) {
        output.warn(&format!(
            "the RSA key has {bits} bits, and clients want {least}; `ctkip keys rotate` makes another for those that are enrolled then"
        ));
    }
    Ok(desk)
}

fn many(args: &EnrolArgs, path: &Path, output: Output) -> Result<(), Failure> {
    let now = now();
    let rows = roster::read(path, &args.wanted, now)?;
    if let Some(service) = &args.handing.public_url {
        service.warn_of_http(output);
    }
    // Code and link have about so many octets, and names are not longer than they were.
    let octets = rows.len().saturating_mul(1024);
    let room = handout::reserve(args.out.as_deref(), args.handing.force, octets)?;
    let enrolments = Vec::from_iter(rows.iter().map(|row| row.enrolment.clone()));
    let desk = desk(args, &enrolments, now, output)?;
    if room.is_none() && !output.json {
        // Finds out before anybody is enrolled whether there is somebody to tell.
        header().map_err(|error| {
            let what = format!("cannot write to standard output: {error}");
            let next = "Nobody was enrolled. Check where it leads, or use --out.";
            Failure::new(Status::Usage, "stdout", what, next)
        })?;
    }

    let shown = desk
        .registry
        .enrol(&enrolments, args.code.new_code(), now, &mut SysRng)
        .map_err(|error| failure(&desk, path, &rows, error))?;
    output.step(&format!("{} enrolled", shown.len()));

    match room {
        Some((room, out)) => {
            let text = csv(args, &shown, true)?;
            if let Some(failure) = handout::not_there(room.save(text.as_bytes(), out)) {
                return Err(failure);
            }
            if output.json {
                let file = out.display().to_string();
                return output.json(&json!({ "enrolled": shown.len(), "file": file }));
            }
            output.step(&format!("Written to {}", out.display()));
            Ok(())
        }
        None => {
            let text = match output.json {
                true => Zeroizing::new(format!("{:#}\n", objects(args, &shown))),
                false => csv(args, &shown, false)?,
            };
            handout::write_codes(&text, Path::new("enrolments.csv"))
        }
    }
}

fn header() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", HEADER.join(","))?;
    stdout.flush()
}

fn objects(args: &EnrolArgs, shown: &[Shown]) -> Value {
    let object = |shown| handout::object(shown, args.handing.link(shown).as_deref());
    Value::Array(shown.iter().map(object).collect())
}

fn csv(args: &EnrolArgs, shown: &[Shown], header: bool) -> Result<Zeroizing<String>, Failure> {
    let unwritable = |error: String| Failure::new(Status::NotSaved, "csv", error, "Use --json.");
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = header.then_some(HEADER.map(str::to_owned));
    let rows = shown.iter().map(|shown| {
        let enrolment = &shown.enrolled.enrolment;
        let (serial, user) = (enrolment.serial.clone(), enrolment.user.clone());
        let link = args.handing.link(shown).unwrap_or_default();
        [serial, user, handout::code(shown).to_string(), utc(shown.expiry), link]
    });
    for row in header.into_iter().chain(rows) {
        writer.write_record(&row).map_err(|error| unwritable(error.to_string()))?;
    }
    let octets = writer.into_inner().map_err(|error| unwritable(error.to_string()))?;
    // It was made of texts.
    Ok(Zeroizing::new(String::from_utf8(octets).unwrap_or_default()))
}

/// A failure with the line that it is about.
fn failure(desk: &Desk, path: &Path, rows: &[Row], error: RegistryError) -> Failure {
    if let RegistryError::Store(StoreError::SerialTaken(serial)) = &error
        && let Some(row) = rows.iter().find(|row| row.enrolment.serial == *serial)
    {
        return Failure {
            kind: "serial-taken",
            ..roster::failure(path, row.line, &error.to_string())
        };
    }
    desk.failure(error)
}
