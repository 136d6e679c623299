//! Templates: documents whose elements replace what a writer would write
//! (docs/spec/securid-token.md section 5.9).

use std::borrow::Cow;

use roxmltree::Document;

use super::{
    document::{Index, Lookup, sections},
    value::seed_octets,
};
use crate::{Error, Seed};

/// A template, or none.
pub(super) struct Template<'d> {
    document: Index<'d>,
    header: Index<'d>,
    token: Index<'d>,
}

impl<'d> Template<'d> {
    pub(super) fn new(document: Option<&'d Document<'_>>) -> Result<Self, Error> {
        let section = |name| document.and_then(|document| sections(document, name).next());
        let count = document.map_or(0, |document| sections(document, "TKN").count());
        if count > 1 {
            return Err(Error::Multiple { count });
        }
        Ok(Self {
            document: Index::new(document.map(|document| document.root_element()))?,
            header: Index::new(section("TKNHeader"))?,
            token: Index::new(section("TKN"))?,
        })
    }

    /// The first element of this name, wherever it stands.
    pub(super) fn anywhere(&self, name: &str) -> Option<Cow<'d, str>> {
        self.document.get(name)
    }

    /// The value as a reader would look it up: only this counts as present.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'d, str>> {
        self.lookup().get(name)
    }

    pub(super) const fn lookup(&self) -> Lookup<'_, 'd> {
        Lookup { header: &self.header, token: &self.token }
    }

    /// The plain seed, if the template has one.
    pub(super) fn seed(&self) -> Result<Option<Seed>, Error> {
        let octets = self.get("Seed").map(|text| seed_octets(&text)).transpose()?;
        Ok(octets.map(|octets| Seed::new(*octets)))
    }
}
