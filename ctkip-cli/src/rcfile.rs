//! The stokenrc file, which is stoken's as much as ours.

use std::fs;
use std::path::{Path, PathBuf};

use ctkip_token::stokenrc::StokenRc;
use ctkip_token::{Opened, Pin, Token, Unlock};
use getrandom::SysRng;

use crate::args::RcFile;
use crate::error::{Failure, Status};
use crate::input::{self, Keys};
use crate::output::Output;
use crate::save;

/// Far more than any such file has, in octets.
const MAX_SIZE: usize = 1 << 20;

/// A stokenrc file, as it was found.
pub(crate) struct Rc {
    pub(crate) path: PathBuf,
    content: StokenRc,
    exists: bool,
}

impl Rc {
    /// Reads the file, or makes one up that is not there yet.
    pub(crate) fn open(args: &RcFile, output: Output) -> Result<Self, Failure> {
        let path = args.rcfile.clone().map_or_else(default_path, Ok)?;
        if !path.exists() {
            return Ok(Self { path, content: StokenRc::new(), exists: false });
        }
        if others_can_read(&path) {
            output.warn(&format!(
                "others can read {}; `chmod 600` keeps the token yours",
                path.display()
            ));
        }
        let octets = input::read(&path, MAX_SIZE)?;
        let text = String::from_utf8_lossy(&octets);
        let content = StokenRc::parse(&text).map_err(|error| {
            let what = format!("{}: {error}", path.display());
            let next = "Correct the file, or name another one with --rcfile.";
            Failure::new(Status::Usage, error.kind().as_str(), what, next)
        })?;
        for (line, key) in content.unknown_keys() {
            output.note(&format!("{}:{line}: {key:?} is not known here, and kept", path.display()));
        }
        Ok(Self { path, content, exists: true })
    }

    /// Whether there is a token in it, be it locked or damaged.
    pub(crate) fn has_token(&self) -> bool {
        !matches!(self.content.token(&Unlock::NONE), Err(ctkip_token::Error::NotFound))
    }

    /// The token, and the PIN that is kept with it.
    pub(crate) fn token(
        &self,
        keys: &mut Keys,
        output: Output,
    ) -> Result<(Opened, Option<Pin>), Failure> {
        if !self.has_token() {
            return Err(Failure::new(
                Status::Usage,
                "no-token",
                format!("there is no token in {}", self.path.display()),
                "Name a file, or keep a token there with `ctkip import FILE`.",
            ));
        }
        let opened = keys.open(|unlock| self.content.token(unlock))?;
        let password = keys.password.as_deref().map(String::as_str);
        let pin = self.content.pin(&opened, password).unwrap_or_else(|error| {
            output.warn(&format!("{}: {error}", self.path.display()));
            None
        });
        Ok((opened, pin))
    }

    /// Keeps a token and a PIN, and rewrites the file.
    pub(crate) fn store(
        &mut self,
        token: &Token,
        pin: Option<&Pin>,
        unlock: &Unlock<'_>,
    ) -> Result<(), Failure> {
        self.content.store(token, pin, unlock, &mut SysRng)?;
        let text = self.content.to_text();
        save::replace(&self.path, text.as_bytes())
            .map_err(|error| Failure::file("write", &self.path, &error))
    }

    /// Copies the file as it is to one of the same name with `.bak`.
    pub(crate) fn back_up(&self) -> Result<Option<PathBuf>, Failure> {
        if !self.exists {
            return Ok(None);
        }
        let mut name = self.path.clone().into_os_string();
        name.push(".bak");
        let backup = PathBuf::from(name);
        let copied = input::read(&self.path, MAX_SIZE)?;
        save::replace(&backup, &copied).map_err(|error| Failure::file("write", &backup, &error))?;
        Ok(Some(backup))
    }
}

fn default_path() -> Result<PathBuf, Failure> {
    let home = |name| std::env::var_os(name).filter(|home| !home.is_empty());
    home("HOME")
        .or_else(|| home("USERPROFILE"))
        .map(|home| Path::new(&home).join(".stokenrc"))
        .ok_or_else(|| {
            Failure::usage("there is no home folder to look for .stokenrc in", "Use --rcfile.")
        })
}

/// Whether others than its owner may use a file.
#[cfg(unix)]
pub(crate) fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|data| data.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(crate) fn others_can_read(_: &Path) -> bool {
    false
}
