//! Where a token to be used comes from: a file in any form, standard input, a picture, the text
//! itself, or the stokenrc file.

use std::path::Path;

use ctkip_token::stokenrc::StokenRc;
use ctkip_token::{Device, ErrorKind, MAX_FILE, Opened, Pin, Serial};

use crate::args::Source;
use crate::error::{Failure, Status};
use crate::input::{self, Keys};
use crate::output::Output;
use crate::qr;
use crate::rcfile::Rc;

/// A token, and what was kept with it.
pub(crate) struct Loaded {
    pub(crate) opened: Opened,
    /// The PIN in the stokenrc file.
    pub(crate) pin: Option<Pin>,
    /// What opened it.
    pub(crate) keys: Keys,
}

impl Source {
    /// The one token that is meant.
    pub(crate) fn load(&self, output: Output) -> Result<Loaded, Failure> {
        let mut keys = Keys::new(&self.unlocking)?;
        let Some(name) = &self.file else {
            let (opened, pin) = Rc::open(&self.rc, output)?.token(&mut keys, output)?;
            return Ok(Loaded { opened: noted(opened, output), pin, keys });
        };
        let opened = one(name, self.serial.as_deref(), &mut keys)?;
        Ok(Loaded { opened: noted(opened, output), pin: None, keys })
    }

    /// All tokens there are, each with its own result.
    pub(crate) fn load_all(&self, output: Output) -> Result<Vec<Result<Opened, Failure>>, Failure> {
        let Some(name) = self.file.as_ref().filter(|_| self.serial.is_none()) else {
            return Ok(vec![Ok(self.load(output)?.opened)]);
        };
        let mut keys = Keys::new(&self.unlocking)?;
        let tokens = many(name, &mut keys)?;
        let noted = |opened| noted(opened, output);
        Ok(tokens.into_iter().map(|token| token.map(noted).map_err(Failure::from)).collect())
    }
}

/// The one token in `name`, or the one of this serial number.
pub(crate) fn one(name: &str, serial: Option<&str>, keys: &mut Keys) -> Result<Opened, Failure> {
    let Some(serial) = serial else {
        let content = content(name)?;
        return keys
            .open(|unlock| match ctkip_token::read_file(&content, unlock) {
                Err(error) if error.kind() == ErrorKind::Garbled => {
                    stokenrc(&content, error)?.token(unlock)
                }
                opened => opened,
            })
            .map_err(|failure| named(name, failure));
    };
    let serial = Serial::new(serial)?;
    let same = |token: &Opened| token.token.serial == serial;
    many(name, keys)?.into_iter().flatten().find(same).ok_or_else(|| {
        Failure::new(
            Status::Usage,
            "no-token",
            format!("there is no token {serial} that can be opened in {name}"),
            format!("See what there is with `ctkip show {name}`."),
        )
    })
}

fn many(name: &str, keys: &mut Keys) -> Result<Vec<Result<Opened, ctkip_token::Error>>, Failure> {
    let content = content(name)?;
    keys.open(|unlock| match ctkip_token::read_batch(&content, unlock) {
        Err(error) if error.kind() == ErrorKind::Garbled => {
            Ok(vec![Ok(stokenrc(&content, error)?.token(unlock)?)])
        }
        // One password opens them all, so one that is missing is asked for before any is shown.
        Ok(tokens) if tokens.iter().all(|token| token.as_ref().is_err_and(wants_password)) => {
            let first = tokens.into_iter().next().unwrap_or(Err(ctkip_token::Error::NotFound));
            first.map(|opened| vec![Ok(opened)])
        }
        tokens => tokens,
    })
    .map_err(|failure| named(name, failure))
}

fn wants_password(error: &ctkip_token::Error) -> bool {
    matches!(error.kind(), ErrorKind::PasswordMissing | ErrorKind::PasswordWrong)
}

/// A stokenrc file, or else the error that there was before.
fn stokenrc(content: &[u8], error: ctkip_token::Error) -> Result<StokenRc, ctkip_token::Error> {
    let text = std::str::from_utf8(content).map_err(|_| error.clone())?;
    StokenRc::parse(text).map_err(|_| error)
}

/// What is in a file, on standard input, in a picture; or the name itself if it is a token's text.
fn content(name: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    let path = Path::new(name);
    if name != "-" && !path.exists() && looks_like_token(name) {
        return Ok(zeroize::Zeroizing::new(name.as_bytes().to_vec()));
    }
    let content = input::read(path, MAX_FILE)?;
    match qr::text_in_picture(&content)? {
        Some(text) => Ok(zeroize::Zeroizing::new(text.into_bytes())),
        None => Ok(content),
    }
}

fn looks_like_token(text: &str) -> bool {
    let found = ctkip_token::read_text(text, &ctkip_token::Unlock::NONE);
    !matches!(found, Err(ctkip_token::Error::NotFound))
}

/// Says in which file it was that something was wrong; a token's text is not repeated.
fn named(name: &str, failure: Failure) -> Failure {
    let place = match name {
        "-" => "standard input",
        name if Path::new(name).exists() => name,
        _ => "the text given",
    };
    Failure { what: format!("{place}: {}", failure.what), ..failure }
}

/// Says which of the well-known ids opened a token, on standard error where no script reads it.
fn noted(opened: Opened, output: Output) -> Opened {
    if let Some(Device::Class(class)) = opened.device {
        output.note(&format!("opened with the device id of the class {class:?}"));
    }
    opened
}
