//! Reading (docs/spec/securid-token.md sections 5.6 and 5.7).

use std::{borrow::Cow, vec::Vec};

use roxmltree::{Document, Node};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    document::{self, Index, Lookup},
    keys::{BATCH_MAC_IV, KeyInputs, Keys, TOKEN_MAC_IV},
    mac::serialise,
    value::seed_octets,
    values::{Defaults, Values},
};
use crate::{Error, Format, Opened, Seed, Unlock, block::cbc_mac};

/// Reads the one token of a document. The XML declaration may be missing.
///
/// # Errors
/// [`Error::Multiple`] if there are several tokens: use [`Batch`]. Otherwise see [`Batch::parse`]
/// and [`Batch::tokens`].
pub fn read(text: &str, unlock: &Unlock<'_>) -> Result<Opened, Error> {
    let batch = Batch::parse(text)?;
    if batch.len() > 1 {
        return Err(Error::Multiple { count: batch.len() });
    }
    let missing = || Error::Element { element: "TKN", problem: "is missing" };
    batch.tokens(unlock)?.next().ok_or_else(missing)?
}

/// A document of one or many tokens.
pub struct Batch<'t> {
    document: Document<'t>,
    count: usize,
}

impl<'t> Batch<'t> {
    /// Parses a document. At most [`MAX_DOCUMENT`](super::MAX_DOCUMENT) octets; entity
    /// declarations are refused, a bare DOCTYPE is not.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond a limit, [`Error::Xml`] if it is not well-formed or its root is
    /// not TKNBatch.
    pub fn parse(text: &'t str) -> Result<Self, Error> {
        let document = document::parse(text)?;
        let count = document::sections(&document, "TKN").count();
        Ok(Self { document, count })
    }

    /// The number of tokens.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The tokens, one by one, each with an error of its own: [`Error::Element`] for what is
    /// missing or malformed, [`Error::PasswordMissing`] or [`Error::PasswordWrong`] if both MACs
    /// fail (a changed Secret, Dest, Name or Origin looks the same), [`Error::HeaderMac`] or
    /// [`Error::TokenMac`] if one of them does, [`Error::TooLarge`] for a token of more than
    /// 64 KiB.
    ///
    /// # Errors
    /// [`Error::Element`] if header or trailer is missing, [`Error::TooLarge`] if the header is.
    pub fn tokens(
        &self,
        unlock: &Unlock<'_>,
    ) -> Result<impl Iterator<Item = Result<Opened, Error>>, Error> {
        let section = |name| {
            document::sections(&self.document, name)
                .next()
                .ok_or(Error::Element { element: name, problem: "is missing" })
        };
        let header = section("TKNHeader")?;
        section("TKN")?;
        section("TKNTrailer")?;
        let header = Header {
            index: Index::new(Some(header))?,
            covered: serialise(&document::leaves(header)?)?,
        };
        let unlock = *unlock;
        Ok(document::sections(&self.document, "TKN")
            .map(move |token| read_token(&header, token, unlock)))
    }
}

impl core::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Batch").field("count", &self.count).finish_non_exhaustive()
    }
}

/// What all tokens of a document share.
struct Header<'d> {
    index: Index<'d>,
    /// What HeaderMAC covers.
    covered: Vec<u8>,
}

fn read_token<'d>(
    header: &Header<'d>,
    token: Node<'d, 'd>,
    unlock: Unlock<'_>,
) -> Result<Opened, Error> {
    let index = Index::new(Some(token))?;
    let lookup = Lookup { header: &header.index, token: &index };
    let values = Values { lookup, defaults: Defaults::Reader };
    let covered = serialise(&document::leaves(token)?)?;
    let sealed = Sealed::read(&values, &covered, &header.covered)?;
    let described = values.describe()?;
    let (seed, password_locked) = sealed.open(unlock)?;
    let token = described(seed);
    Ok(Opened { token, format: Format::Sdtid, password_locked, device: None })
}

/// What is needed to check and open one token.
struct Sealed<'a, 'd> {
    origin: Cow<'d, str>,
    dest: Cow<'d, str>,
    name: Cow<'d, str>,
    serial: Cow<'d, str>,
    secret: Zeroizing<[u8; 16]>,
    seed: Zeroizing<[u8; 16]>,
    header: Covered<'a>,
    token: Covered<'a>,
}

/// Octets under a MAC, and the MAC that the document gives.
struct Covered<'a> {
    octets: &'a [u8],
    mac: Zeroizing<[u8; 16]>,
}

impl Covered<'_> {
    fn fits(&self, key: &[u8; 16], iv: &[u8; 16]) -> bool {
        cbc_mac(key, iv, self.octets).ct_eq(&*self.mac).into()
    }
}

impl<'a, 'd> Sealed<'a, 'd> {
    fn read(values: &Values<'_, 'd>, token: &'a [u8], header: &'a [u8]) -> Result<Self, Error> {
        Ok(Self {
            origin: values.text("Origin")?,
            dest: values.text("Dest")?,
            name: values.text("Name")?,
            serial: values.text("SN")?,
            secret: values.octets("Secret")?,
            seed: seed_octets(&values.text("Seed")?)?,
            header: Covered { octets: header, mac: values.octets("HeaderMAC")? },
            token: Covered { octets: token, mac: values.octets("TokenMAC")? },
        })
    }

    /// The seed, and whether a password was needed for it.
    fn open(&self, unlock: Unlock<'_>) -> Result<(Seed, bool), Error> {
        let keys = self.keys(self.origin.trim_ascii());
        match self.check(&keys) {
            (true, true) => return Ok((keys.open(&self.seed), false)),
            (false, true) => return Err(Error::HeaderMac),
            (true, false) => return Err(Error::TokenMac),
            (false, false) => {}
        }
        let keys = self.keys(unlock.required_password()?);
        match self.check(&keys) {
            (true, true) => Ok((keys.open(&self.seed), true)),
            _ => Err(Error::PasswordWrong),
        }
    }

    fn keys(&self, password: &str) -> Keys {
        Keys::derive(&KeyInputs {
            password,
            dest: self.dest.trim_ascii(),
            name: self.name.trim_ascii(),
            secret: &self.secret,
            serial: self.serial.trim_ascii(),
        })
    }

    /// Whether HeaderMAC and TokenMAC fit.
    fn check(&self, keys: &Keys) -> (bool, bool) {
        let header = self.header.fits(&keys.batch_mac, &BATCH_MAC_IV);
        (header, self.token.fits(&keys.token_mac, &TOKEN_MAC_IV))
    }
}
