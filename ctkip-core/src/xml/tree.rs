//! A strict reader of small XML documents into a read-only tree.
//!
//! It accepts what XML 1.0 and Namespaces in XML 1.0 call namespace-well-formed, less what a
//! CT-KIP peer has no use for: document type declarations, hence entities of one's own; versions
//! other than 1.0; encodings other than UTF-8, UTF-16, US-ASCII and ISO-8859-1; sizes above
//! [`Limits`]; and two abuses of reserved names that parsers disagree about
//! ([`XmlErrorKind::ReservedName`]). quick-xml's parsers find where a piece of markup ends; whatever
//! those specifications ask of it is checked here.
//!
//! The tree borrows from the text. It consists of three vectors however many elements there are,
//! and each limit is checked before the memory it governs is spent.
//!
//! ```
//! use ctkip_core::xml::tree::{Document, Limits, decode};
//!
//! let octets = b"<?xml version='1.0'?><p:a xmlns:p='urn:x' b='1'><c>R&amp;D</c></p:a>";
//! let text = decode(octets, &Limits::DEFAULT)?;
//! let document = Document::parse(&text, &Limits::DEFAULT)?;
//! let root = document.root();
//! assert_eq!((root.namespace(), root.local()), (Some("urn:x"), "a"));
//! assert_eq!(root.attribute(None, "b"), Some("1"));
//! assert_eq!(root.children().next().map(|c| c.text()), Some("R&D"));
//! # Ok::<(), ctkip_core::xml::tree::XmlError>(())
//! ```

mod build;
mod encoding;
mod error;
mod scan;
#[cfg(test)]
mod tests;
mod tokens;

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, iter, ops::Range};

pub use self::encoding::decode;
pub use self::error::{XmlError, XmlErrorKind};

/// The most a document may ask for. Each bound is inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the document: as received, and as UTF-8 once decoded.
    pub octets: usize,
    /// Elements open at once; the root alone is 1.
    pub depth: usize,
    /// Elements of the document.
    pub elements: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Namespace declarations in scope at once, shadowed ones included: what a look-up walks over.
    pub namespaces: usize,
    /// Octets of one attribute value, or of the text of one element.
    pub value: usize,
}

impl Limits {
    /// 256 KiB, 32 deep, 2048 elements, 32 attributes each, 64 namespaces in scope, values of
    /// 128 KiB. The recorded messages stay below 6 KiB, 8 deep and 27 namespaces.
    pub const DEFAULT: Self = Self {
        octets: 256 * 1024,
        depth: 32,
        elements: 2048,
        attributes: 32,
        namespaces: 64,
        value: 128 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A well-formed document; it borrows from the text it was parsed from.
pub struct Document<'a> {
    /// In the order of their start tags, so that an element's descendants follow it. Never empty.
    elements: Vec<Node<'a>>,
    attributes: Vec<Attribute<'a>>,
    namespaces: Vec<Namespace<'a>>,
}

struct Node<'a> {
    local: &'a str,
    namespace: usize,
    /// The innermost declaration in scope.
    scope: usize,
    attributes: Range<usize>,
    descendants: Range<usize>,
    text: Cow<'a, str>,
    offset: usize,
}

struct Attribute<'a> {
    prefix: &'a str,
    local: &'a str,
    namespace: usize,
    value: Cow<'a, str>,
}

/// A namespace declaration. Those in scope form a chain from the innermost outwards, which stays
/// true after the element is closed.
struct Namespace<'a> {
    prefix: &'a str,
    /// Empty for no namespace.
    name: Cow<'a, str>,
    /// The next declaration outwards; the last one leads to itself.
    outer: usize,
    /// How many there are from here outwards, the two predefined ones left out.
    nesting: usize,
}

/// Place in [`Document::namespaces`] of "no namespace", bound to the empty prefix.
const NO_NAMESPACE: usize = 0;
/// Place in [`Document::namespaces`] of what the prefix `xml` is bound to; the outermost scope.
const XML_NAMESPACE: usize = 1;

impl<'a> Document<'a> {
    /// Reads a whole document. A byte order mark is not expected here: [`decode`] takes it off.
    ///
    /// # Errors
    /// The first thing found that the specifications forbid, that is not supported (DOCTYPE,
    /// version, encoding), or that exceeds `limits`, with its place.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, XmlError> {
        build::document(text, limits)
    }

    /// The outermost element.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "a document without an element is not built")]
    pub fn root(&self) -> Element<'_, 'a> {
        Element { document: self, node: &self.elements[0] }
    }

    fn namespace(&self, place: usize) -> Option<&str> {
        self.namespaces.get(place).map(|n| n.name.as_ref()).filter(|name| !name.is_empty())
    }
}

/// The place of the declaration of `prefix` that holds where `scope` is the innermost one.
fn find(namespaces: &[Namespace<'_>], scope: usize, prefix: &str) -> Option<usize> {
    let mut place = scope;
    loop {
        let namespace = namespaces.get(place)?;
        if is_same(namespace.prefix, prefix) {
            return Some(place);
        }
        if namespace.outer == place {
            return None;
        }
        place = namespace.outer;
    }
}

/// Whether two names, each perhaps empty, are the same. Most prefixes are empty, and C's `memcmp` takes
/// hundreds of cycles where it loads none of the octets at no address at all (AVX-512, masked).
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

impl fmt::Debug for Document<'_> {
    /// Counts only: documents carry activation codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("elements", &self.elements.len()).finish_non_exhaustive()
    }
}

/// An element of a [`Document`]: a pair of references, passed by value.
#[derive(Clone, Copy)]
pub struct Element<'d, 'a> {
    document: &'d Document<'a>,
    node: &'d Node<'a>,
}

impl<'d, 'a> Element<'d, 'a> {
    /// The namespace name; `None` for no namespace.
    #[must_use]
    pub fn namespace(self) -> Option<&'d str> {
        self.document.namespace(self.node.namespace)
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local(self) -> &'a str {
        self.node.local
    }

    /// The element children, in document order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let Range { mut start, end } = self.node.descendants;
        iter::from_fn(move || {
            let node = self.document.elements.get(start..end)?.first()?;
            start = node.descendants.end;
            Some(Self { node, ..self })
        })
    }

    /// The text directly in this element, without that of its children: references resolved, line
    /// ends normalised, CDATA sections included, and one string even where comments, processing
    /// instructions or children stand in between.
    #[must_use]
    pub fn text(self) -> &'d str {
        &self.node.text
    }

    /// Whether the element has direct text other than XML white space.
    #[must_use]
    pub fn has_text(self) -> bool {
        !scan::skip_white(&self.node.text).is_empty()
    }

    /// The value of an attribute, normalised. An attribute without a prefix is in no namespace.
    #[must_use]
    pub fn attribute(self, namespace: Option<&str>, local: &str) -> Option<&'d str> {
        self.attributes()
            .find(|&(its, name, _)| name == local && its == namespace)
            .map(|(_, _, value)| value)
    }

    /// Namespace name, local name and normalised value of each attribute, in document order,
    /// without namespace declarations.
    pub fn attributes(self) -> impl Iterator<Item = (Option<&'d str>, &'a str, &'d str)> {
        let own = self.document.attributes.get(self.node.attributes.clone()).unwrap_or_default();
        own.iter().map(move |a| (self.document.namespace(a.namespace), a.local, a.value.as_ref()))
    }

    /// Namespace name and local name that `qname` stands for here, as in the value of `xsi:type`:
    /// the default namespace applies to a name without prefix. White space around it is ignored,
    /// as XML Schema has it for QName. `None` if the prefix is unknown or this is no QName.
    #[must_use]
    pub fn resolve<'q>(self, qname: &'q str) -> Option<(Option<&'d str>, &'q str)> {
        let (prefix, local, rest) = scan::qname(scan::skip_white(qname))?;
        if !scan::skip_white(rest).is_empty() {
            return None;
        }
        let place = find(&self.document.namespaces, self.node.scope, prefix)?;
        Some((self.document.namespace(place), local))
    }

    /// Where the start tag begins, in octets of the (UTF-8) text that was parsed.
    #[must_use]
    pub fn offset(self) -> usize {
        self.node.offset
    }
}

impl fmt::Debug for Element<'_, '_> {
    /// Name and place only: texts and values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("namespace", &self.namespace())
            .field("local", &self.node.local)
            .field("offset", &self.node.offset)
            .finish_non_exhaustive()
    }
}
