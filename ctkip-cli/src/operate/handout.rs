//! What a user is given, shown once: a code, its link, its QR code, or a trigger.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use ctkip_core::message::Message;
use ctkip_core::{ActivationCode, Profile, xml};
use ctkip_server::{Dialect, Shown};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::args::{CodeArgs, HandingArgs};
use super::keys::pin;
use super::utc::utc;
use crate::error::{Failure, Status};
use crate::output::{self, Output};
use crate::qr;
use crate::save::{self, Reservation, Saved};

/// Where the parts of a handout go. Made before anybody is enrolled, so that what can go wrong with
/// them goes wrong then.
pub(super) struct Handing<'a> {
    args: &'a HandingArgs,
    qr: Option<(Reservation, &'a Path)>,
    trigger: Option<(Reservation, &'a Path)>,
}

impl<'a> Handing<'a> {
    pub(super) fn prepare(
        args: &'a HandingArgs,
        code: &CodeArgs,
        dialect: Dialect,
        output: Output,
    ) -> Result<Self, Failure> {
        match dialect {
            Dialect::Securid if args.trigger_file.is_some() => {
                return Err(Failure::usage(
                    "--trigger-file is for RFC 4758: in the dialect of deployed clients there is a code",
                    "Leave it out, or enrol with --profile rfc4758.",
                ));
            }
            Dialect::Rfc4758 if args.qr.is_some() => {
                return Err(Failure::usage(
                    "--qr is for activation links, and RFC 4758 has none",
                    "Leave it out, or enrol with --profile securid.",
                ));
            }
            _ => {}
        }
        if let Some(service) = &args.public_url {
            service.warn_of_http(output);
            if args.qr.is_some() {
                // A code that is as long as the real one.
                let code = ActivationCode::new(vec![b'0'; code.code_length.into()]);
                qr::encode(&service.link(&code))?;
            }
        }
        let qr = reserve(args.qr.as_deref(), args.force, 0)?;
        let trigger = reserve(args.trigger_file.as_deref(), args.force, 0)?;
        Ok(Self { args, qr, trigger })
    }

    /// Hands it out: files first, then standard output.
    pub(super) fn give(self, shown: &Shown, output: Output) -> Result<(), Failure> {
        let Self { args, qr, trigger } = self;
        let link = args.link(shown);
        let mut failed = Vec::new();
        if let (Some((room, path)), Some(link)) = (qr, &link) {
            let picture = qr::encode(link).and_then(|code| qr::for_file(&code, path));
            match picture {
                Ok(picture) => failed.extend(not_there(room.save(&picture, path))),
                Err(failure) => failed.push(failure),
            }
        }
        let in_file = trigger.is_some();
        if let Some((room, path)) = trigger {
            let document = Zeroizing::new(args.trigger_document(shown));
            failed.extend(not_there(room.save(document.as_bytes(), path)));
        }
        let text = if output.json {
            let mut object = object(shown, link.as_deref());
            if in_file && let Some(object) = object.as_object_mut() {
                object.remove("trigger_nonce");
            }
            Zeroizing::new(format!("{object:#}\n"))
        } else {
            let mut text = Zeroizing::new(table(shown, link.as_deref(), args, in_file));
            if let Some(link) = link.filter(|_| io::stdout().is_terminal()) {
                // What no QR code can hold stands above.
                if let Ok(code) = qr::encode(&link) {
                    text.push_str(&qr::for_terminal(&code));
                }
            }
            text
        };
        let name = format!("enrolment-{}.txt", shown.enrolled.enrolment.serial);
        write_codes(&text, Path::new(&name))?;
        failed.pop().map_or(Ok(()), Err)
    }
}

impl HandingArgs {
    /// The activation link, if there are links in this dialect, and it is known where to.
    pub(super) fn link(&self, shown: &Shown) -> Option<String> {
        let service = self.public_url.as_ref()?;
        let securid = shown.enrolled.enrolment.dialect == Dialect::Securid;
        securid.then(|| service.link(&shown.code))
    }

    fn trigger_document(&self, shown: &Shown) -> String {
        let url = self.public_url.as_ref().map(super::service::Service::url);
        let trigger = shown.trigger(url.as_deref());
        trigger
            .map(|trigger| xml::write(&Message::Trigger(trigger), &Profile::RFC4758))
            .unwrap_or_default()
    }
}

/// Takes room in a file, if one is named, that is written once somebody is enrolled.
pub(super) fn reserve(
    path: Option<&Path>,
    force: bool,
    octets: usize,
) -> Result<Option<(Reservation, &Path)>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let room = Reservation::make_with(Some(path), force, octets).map_err(|failure| {
        let next = failure.next.replace("Nothing was sent. ", "");
        Failure { next: format!("Nobody was enrolled. {next}"), ..failure }
    })?;
    Ok(Some((room, path)))
}

/// The code as text: digits, or a nonce in base64.
pub(super) fn code(shown: &Shown) -> Zeroizing<String> {
    Zeroizing::new(match shown.enrolled.enrolment.dialect {
        Dialect::Rfc4758 => BASE64_STANDARD.encode(shown.code.expose()),
        _ => shown.code.text().unwrap_or_default().to_owned(),
    })
}

fn table(shown: &Shown, link: Option<&str>, args: &HandingArgs, in_file: bool) -> String {
    let enrolment = &shown.enrolled.enrolment;
    let mut rows =
        vec![("Serial number", enrolment.serial.clone()), ("User", enrolment.user.clone())];
    match (&args.trigger_file, enrolment.dialect) {
        (Some(path), _) if in_file => rows.push(("Trigger", path.display().to_string())),
        (_, Dialect::Rfc4758) => rows.push(("Trigger nonce", code(shown).to_string())),
        _ => rows.push(("Code", code(shown).to_string())),
    }
    rows.push(("Good until", utc(shown.expiry)));
    rows.push(("Key, for --pin-key", pin(&shown.key)));
    if let Some(link) = link {
        rows.push(("Activation link", link.to_owned()));
    }
    output::table(&rows)
}

/// The same for programs.
pub(super) fn object(shown: &Shown, link: Option<&str>) -> Value {
    let enrolment = &shown.enrolled.enrolment;
    let mut object = json!({
        "serial": enrolment.serial,
        "user": enrolment.user,
        "profile": enrolment.dialect.name(),
        "code_expires": utc(shown.expiry),
        "key": pin(&shown.key),
    });
    let name = match enrolment.dialect {
        Dialect::Rfc4758 => "trigger_nonce",
        _ => "code",
    };
    object[name] = code(shown).as_str().into();
    if let Some(link) = link {
        object["link"] = link.into();
    }
    object
}

/// Writes what is shown only once to standard output. If it cannot be, it is kept elsewhere.
pub(super) fn write_codes(text: &str, name: &Path) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    drop(stdout);
    match written {
        Ok(()) => Ok(()),
        Err(error) => {
            let why = format!("cannot write to standard output: {error}");
            not_there(save::rescue(text.as_bytes(), name, why)).map_or(Ok(()), Err)
        }
    }
}

/// How it ends when somebody was enrolled, and what he is to be given is not where it was asked for.
pub(super) fn not_there(saved: Saved) -> Option<Failure> {
    let (what, next) = match saved {
        Saved::There(_) => return None,
        Saved::Elsewhere { path, why } => (
            format!("it is done, but what was to be shown is in {}: {why}", path.display()),
            "Move that file where you want it; there are codes in it.",
        ),
        Saved::Shown { why } => (
            format!("it is done, but what was to be shown could not be saved: {why}"),
            "Copy what is shown above; it is nowhere else.",
        ),
        Saved::Lost { why } => (
            format!("it is done, but what was to be shown is lost: {why}"),
            "`ctkip enrolments` lists who was enrolled; `ctkip reissue` makes a new code.",
        ),
    };
    Some(Failure::new(Status::NotSaved, "not-saved", what, next))
}
