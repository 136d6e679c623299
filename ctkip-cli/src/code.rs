//! Where the activation code comes from.

use std::path::Path;

use ctkip_core::ActivationCode;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::input;

/// Everything that may name a code, in order of precedence. Those that are there have to agree.
pub(crate) struct Sources<'a> {
    pub(crate) argument: Option<&'a str>,
    pub(crate) file: Option<&'a Path>,
    pub(crate) link: Option<&'a str>,
}

/// The variable that may hold a code.
const VARIABLE: &str = "CTKIP_CODE";

impl Sources<'_> {
    /// The code that was given, if one was.
    pub(crate) fn given(&self) -> Result<Option<ActivationCode>, Failure> {
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        let file = self.file.map(|path| input::secret(path, "the code")).transpose()?;
        let variable = std::env::var(VARIABLE).ok().filter(|code| !code.is_empty());
        let named = [
            ("the argument", self.argument.map(owned)),
            ("--code-file", file),
            ("the link", self.link.map(owned)),
            (VARIABLE, variable.map(Zeroizing::new)),
        ];
        let mut given = named.into_iter().filter_map(|(name, code)| Some((name, code?)));
        let Some((first, code)) = given.next() else { return Ok(None) };
        if let Some((other, _)) = given.find(|(_, other)| **other != *code) {
            return Err(Failure::usage(
                format!("{first} and {other} name different activation codes"),
                "Give one code.",
            ));
        }
        if code.is_empty() {
            return Err(Failure::usage(
                format!("{first} gives an empty activation code"),
                "Give the code, or leave it out to be asked.",
            ));
        }
        Ok(Some(ActivationCode::new(code.as_bytes().to_vec())))
    }

    /// The code that was given, or the answer to a prompt.
    pub(crate) fn given_or_asked(&self) -> Result<ActivationCode, Failure> {
        if let Some(code) = self.given()? {
            return Ok(code);
        }
        match input::prompt("Enter activation code: ")? {
            Some(code) if !code.is_empty() => Ok(ActivationCode::new(code.as_bytes().to_vec())),
            _ => Err(Failure::usage(
                "no activation code was given",
                "Give it with --code-file, in CTKIP_CODE, or run this in a terminal to be asked.",
            )),
        }
    }
}
