//! Messages as XML.
//!
//! [`read`] takes what a profile's reading policy lets pass and says how it departs from RFC 4758;
//! [`read_request`] tells a server, of what cannot be read, which answer is owed. [`write()`] writes
//! exactly what the profile's layout says. [`inspect()`] is for linters of captures.

pub(crate) mod base64;
mod inspect;
mod read;
pub mod tree;
mod write;

pub use inspect::{Finding, Inspected, inspect};
pub use read::{BadRequest, Read, Request, Root, read, read_request};
pub use write::write;

/// XML Signature, whose elements carry the server's key.
const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Schema's attributes in instances: `xsi:type` and its like.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Octets to look for, one by one.
struct OctetSet([bool; 256]);

#[expect(clippy::indexing_slicing, reason = "there is a place for every octet")]
impl OctetSet {
    /// Each octet of `members`.
    const fn new(mut members: &[u8]) -> Self {
        let mut set = [false; 256];
        while let [octet, rest @ ..] = members {
            set[*octet as usize] = true;
            members = rest;
        }
        Self(set)
    }

    fn contains(&self, octet: u8) -> bool {
        self.0[usize::from(octet)]
    }
}
