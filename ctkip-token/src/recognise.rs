//! Finding a token in a text (docs/spec/securid-token.md section 3.5).

mod find;
mod text;

use alloc::{vec, vec::Vec};

use self::{
    find::{Candidate, search},
    text::Text,
};
use crate::{
    Error, Opened, Unlock,
    ctf::{Link, numeric, v3},
};

/// The largest file that is looked at, in octets. Reading one octet more is enough to be told.
pub const MAX_FILE: usize = 16 << 20;

/// The form in which a token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A numeric token of version 1.
    CtfV1,
    /// A numeric token of version 2.
    CtfV2,
    /// A token of version 3.
    CtfV3,
    /// A token of version 4.
    CtfV4,
    /// A token in an sdtid document.
    Sdtid,
    /// A token in our own JSON.
    Json,
}

impl Format {
    /// The format's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CtfV1 => "ctf-v1",
            Self::CtfV2 => "ctf-v2",
            Self::CtfV3 => "ctf-v3",
            Self::CtfV4 => "ctf-v4",
            Self::Sdtid => "sdtid",
            Self::Json => "json",
        }
    }
}

/// Opens a token given as a text by itself: a command-line argument, a QR code, a paste. It may be
/// 81 to 85 digits with or without dashes, anything with `ctfData=` in it, or an sdtid document
/// with its XML declaration.
///
/// # Errors
/// [`Error::NotFound`] if nothing looks like a token; otherwise what is wrong with the first that
/// does: see the variants of [`Error`].
pub fn read_text(text: &str, unlock: &Unlock<'_>) -> Result<Opened, Error> {
    let text = Text::from_str(text)?;
    search(&text, false, |candidate| open(&candidate, &text, *unlock))
}

/// Opens the token in a file's content. The token may begin in any line; text before and, for
/// numeric tokens, after it does not matter. UTF-8, UTF-16 with a byte order mark, and ISO-8859-1
/// are understood. With feature `json`, so is our own JSON.
///
/// # Errors
/// As [`read_text`]; [`Error::Unreadable`] for an empty file, [`Error::TooLarge`] for more than
/// [`MAX_FILE`] octets, [`Error::Multiple`] if an sdtid document holds several tokens:
/// [`read_batch`] reads those.
pub fn read_file(content: &[u8], unlock: &Unlock<'_>) -> Result<Opened, Error> {
    let text = Text::from_octets(content)?;
    #[cfg(feature = "json")]
    if text.starts_with_ignoring_space("{") {
        return crate::json::read(text.as_str());
    }
    search(&text, true, |candidate| open(&candidate, &text, *unlock))
}

/// Opens all tokens in a file's content, each with its own result. Only an sdtid document can hold
/// more than one.
///
/// # Errors
/// As [`read_file`], but for what is wrong with one token only.
pub fn read_batch(
    content: &[u8],
    unlock: &Unlock<'_>,
) -> Result<Vec<Result<Opened, Error>>, Error> {
    let text = Text::from_octets(content)?;
    #[cfg(feature = "json")]
    if text.starts_with_ignoring_space("{") {
        return Ok(vec![Ok(crate::json::read(text.as_str())?)]);
    }
    search(&text, true, |candidate| match &candidate {
        Candidate::Xml(document) => documents::read_all(&text.xml(document)?, unlock),
        Candidate::Compressed(_) => open(&candidate, &text, *unlock).map(|opened| vec![Ok(opened)]),
    })
}

fn open(candidate: &Candidate<'_>, text: &Text<'_>, unlock: Unlock<'_>) -> Result<Opened, Error> {
    match *candidate {
        Candidate::Xml(document) => documents::read(&text.xml(document)?, &unlock),
        Candidate::Compressed(data) => match data.as_bytes().first() {
            Some(b'1' | b'2') => {
                let smartphone = Link::ALL.iter().any(|l| text.as_str().starts_with(l.prefix()));
                let limit = match smartphone {
                    true => numeric::DeviceLimit::Smartphone,
                    false => numeric::DeviceLimit::Desktop,
                };
                numeric::decode(data, limit, unlock)
            }
            Some(b'A' | b'B') => v3::decode(data, unlock),
            _ => Err(Error::Garbled("it begins like no known version")),
        },
    }
}

#[cfg(feature = "xml")]
mod documents {
    use alloc::vec::Vec;

    pub(super) use crate::sdtid::read;
    use crate::{Error, Opened, Unlock, sdtid::Batch};

    pub(super) fn read_all(
        document: &str,
        unlock: &Unlock<'_>,
    ) -> Result<Vec<Result<Opened, Error>>, Error> {
        Ok(Batch::parse(document)?.tokens(unlock)?.collect())
    }
}

#[cfg(not(feature = "xml"))]
mod documents {
    use alloc::vec::Vec;

    use crate::{Error, Opened, Unlock};

    const ABSENT: Error = Error::Garbled("sdtid documents need the feature `xml` of ctkip-token");

    pub(super) fn read(_: &str, _: &Unlock<'_>) -> Result<Opened, Error> {
        Err(ABSENT)
    }

    pub(super) fn read_all(_: &str, _: &Unlock<'_>) -> Result<Vec<Result<Opened, Error>>, Error> {
        Err(ABSENT)
    }
}
