//! What is read: files, standard input, and answers to prompts.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ctkip_token::{MAX_PASSWORD, Unlock};
use zeroize::Zeroizing;

use crate::args::{Lock, NewLock, Unlocking};
use crate::error::Failure;

/// The longest secret read from a file, in octets.
const MAX_SECRET: usize = 4096;

static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// The content of a file, or of standard input (`-`), of at most `limit` octets.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: &io::Error| Failure::file("read", path, error);
    let source: Box<dyn Read> = if path == Path::new("-") {
        if STDIN_TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Failure::usage(
                "standard input cannot be read twice",
                "Give `-` once, and a file for the rest.",
            ));
        }
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| failed(&error))?)
    };
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_SECRET));
    source.take(most).read_to_end(&mut content).map_err(|error| failed(&error))?;
    if content.len() > limit {
        return Err(Failure::usage(
            format!("{} holds more than {limit} octets", path.display()),
            "Check that it is the right file.",
        ));
    }
    Ok(content)
}

/// A text in a file, or on standard input, without the line end at its end.
pub(crate) fn secret(path: &Path, what: &str) -> Result<Zeroizing<String>, Failure> {
    let content = read(path, MAX_SECRET)?;
    let text = std::str::from_utf8(&content).map_err(|_| {
        Failure::usage(
            format!("{what} in {} is not UTF-8 text", path.display()),
            "Check that it is the right file.",
        )
    })?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(text.to_owned()))
}

/// Asks without echo. `None`: there is nobody to ask.
pub(crate) fn prompt(question: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    if !io::stdin().is_terminal() || STDIN_TAKEN.load(Ordering::Relaxed) {
        return Ok(None);
    }
    rpassword::prompt_password(question).map(|answer| Some(Zeroizing::new(answer))).map_err(
        |error| Failure::usage(format!("cannot ask for it: {error}"), "Give it in a file."),
    )
}

/// Asks twice, so that a slip of the finger is noticed. An empty answer counts.
fn prompt_new(question: &str) -> Result<Zeroizing<String>, Failure> {
    let nobody = || {
        Failure::usage(
            "a new password is wanted, and there is no terminal to ask for it",
            "Give it in a file.",
        )
    };
    let first = prompt(&format!("Enter {question}: "))?.ok_or_else(nobody)?;
    let second = prompt(&format!("Confirm {question}: "))?.ok_or_else(nobody)?;
    if first != second {
        return Err(Failure::usage(
            format!("the two entries of the {question} differ"),
            "Try again.",
        ));
    }
    Ok(first)
}

/// A secret given as an argument or in a file.
pub(crate) fn given(
    argument: Option<&str>,
    file: Option<&Path>,
    what: &str,
) -> Result<Option<Zeroizing<String>>, Failure> {
    match (argument, file) {
        (Some(text), _) => Ok(Some(Zeroizing::new(text.to_owned()))),
        (None, Some(path)) => secret(path, what).map(Some),
        (None, None) => Ok(None),
    }
}

/// A new secret: given, or asked for twice.
pub(crate) fn new_secret(
    argument: Option<&str>,
    file: Option<&Path>,
    what: &str,
) -> Result<Zeroizing<String>, Failure> {
    match given(argument, file, what)? {
        Some(secret) => Ok(secret),
        None => prompt_new(what),
    }
}

/// What opens a locked token, as far as it was given; the rest is asked for when it is wanted.
pub(crate) struct Keys {
    pub(crate) password: Option<Zeroizing<String>>,
    devid: Option<String>,
}

impl Keys {
    pub(crate) fn new(args: &Unlocking) -> Result<Self, Failure> {
        let password =
            given(args.password.as_deref(), args.password_file.as_deref(), "the password")?;
        Ok(Self { password, devid: args.devid.clone() })
    }

    /// Opens something, asking for the password as often as a slip of the finger deserves.
    pub(crate) fn open<T>(
        &mut self,
        mut open: impl FnMut(&Unlock<'_>) -> Result<T, ctkip_token::Error>,
    ) -> Result<T, Failure> {
        use ctkip_token::ErrorKind as Kind;
        let mut tries = 3;
        loop {
            let unlock = Unlock {
                password: self.password.as_deref().map(String::as_str),
                device_id: self.devid.as_deref(),
            };
            let error = match open(&unlock) {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            let question = match error.kind() {
                Kind::PasswordMissing => "Enter password to open the token: ",
                Kind::PasswordWrong if tries < 3 => "That does not open it. Enter password: ",
                _ => return Err(error.into()),
            };
            tries -= 1;
            match prompt(question)? {
                Some(answer) if tries >= 0 => self.password = Some(answer),
                _ => return Err(error.into()),
            }
        }
    }
}

/// How a token that is written is locked.
#[derive(Default)]
pub(crate) struct Locking {
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) devid: Option<String>,
    pub(crate) template: Option<Zeroizing<String>>,
}

impl Locking {
    pub(crate) fn unlock(&self) -> Unlock<'_> {
        Unlock {
            password: self.password.as_deref().map(String::as_str),
            device_id: self.devid.as_deref(),
        }
    }

    fn new(
        password: Option<Zeroizing<String>>,
        devid: Option<&String>,
        template: Option<&Path>,
    ) -> Result<Self, Failure> {
        let password = password.filter(|password| !password.is_empty());
        if let Some(octets) = password.as_ref().map(|password| password.len())
            && octets > MAX_PASSWORD
        {
            return Err(ctkip_token::Error::PasswordTooLong { octets }.into());
        }
        let template = template.map(text_file).transpose()?;
        Ok(Self { password, devid: devid.cloned(), template })
    }
}

impl TryFrom<&Lock> for Locking {
    type Error = Failure;

    fn try_from(lock: &Lock) -> Result<Self, Failure> {
        let file = lock.password_file.as_deref();
        let password = match file {
            None if !lock.protect => None,
            file => Some(new_secret(None, file, "new password")?),
        };
        Self::new(password, lock.devid.as_ref(), lock.template.as_deref())
    }
}

impl NewLock {
    /// `opened_with` is the password that opened the token, if one did.
    pub(crate) fn locking(
        &self,
        opened_with: Option<&Zeroizing<String>>,
    ) -> Result<Locking, Failure> {
        let file = self.new_password_file.as_deref();
        let password = match self.new_password.as_deref() {
            None if self.keep_password => opened_with.cloned(),
            None if file.is_none() && !self.protect => None,
            argument => Some(new_secret(argument, file, "new password")?),
        };
        Locking::new(password, self.new_devid.as_ref(), self.template.as_deref())
    }
}

fn text_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let content = read(path, ctkip_token::sdtid::MAX_DOCUMENT)?;
    String::from_utf8(content.to_vec()).map(Zeroizing::new).map_err(|_| {
        Failure::usage(format!("{} is not UTF-8 text", path.display()), "Check the file.")
    })
}
