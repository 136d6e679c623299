//! The XML of an sdtid document or template: bounded parsing, and looking things up.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use roxmltree::{Document, Node, ParsingOptions};

use super::{
    MAX_DOCUMENT, MAX_SECTION,
    mac::{Leaf, is_mac, too_large},
};
use crate::Error;

/// Elements nested deeper than this are refused.
const MAX_DEPTH: usize = 32;
/// Elements, texts and comments of a document.
const MAX_NODES: u32 = 1 << 20;

/// Attributes of an element, and namespace declarations in all. The format needs none; the parser
/// takes time by the square of their number.
const MAX_ATTRIBUTES: usize = 256;

/// Parses a document whose root is TKNBatch.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Error> {
    if text.len() > MAX_DOCUMENT {
        return Err(Error::TooLarge { what: "the sdtid document, in octets", limit: MAX_DOCUMENT });
    }
    let signs = |tag: &str| tag.bytes().filter(|octet| *octet == b'=').count();
    let attributes = text.split('<').map(signs).max().unwrap_or_default();
    if attributes.max(text.matches("xmlns").count()) > MAX_ATTRIBUTES {
        return Err(Error::TooLarge {
            what: "the attributes of an element or the namespaces of the sdtid document, in number",
            limit: MAX_ATTRIBUTES,
        });
    }
    let allow_dtd = text.contains("<!DOCTYPE");
    if allow_dtd && text.contains("<!ENTITY") {
        return Err(Error::Xml("it declares entities, which are refused".into()));
    }
    let options = ParsingOptions { allow_dtd, nodes_limit: MAX_NODES, ..Default::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| Error::Xml(error.to_string()))?;
    // A misspelt XML declaration passes for an instruction.
    let mut instructions = document.descendants().filter_map(|node| node.pi());
    if instructions.any(|instruction| instruction.target.eq_ignore_ascii_case("xml")) {
        return Err(Error::Xml("its XML declaration is not in lower case".into()));
    }
    match document.root_element().tag_name().name() {
        "TKNBatch" => Ok(document),
        other => Err(Error::Xml(format!("its root element is {other:?} instead of TKNBatch"))),
    }
}

/// The children of the root that have this name.
pub(super) fn sections<'d>(
    document: &'d Document<'_>,
    name: &'static str,
) -> impl Iterator<Item = Node<'d, 'd>> {
    document.root_element().children().filter(move |node| node.tag_name().name() == name)
}

/// An element, with everything inside it found by name.
pub(super) struct Index<'d>(BTreeMap<&'d str, Node<'d, 'd>>);

impl<'d> Index<'d> {
    pub(super) fn new(element: Option<Node<'d, 'd>>) -> Result<Self, Error> {
        let mut index = BTreeMap::new();
        if let Some(element) = element {
            collect(element, MAX_DEPTH, &mut index)?;
        }
        Ok(Self(index))
    }

    /// The content of the first element of this name.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'d, str>> {
        self.0.get(name).copied().map(content)
    }
}

/// The first element of each name, depth first, descendants before the element itself.
fn collect<'d>(
    element: Node<'d, 'd>,
    depth: usize,
    index: &mut BTreeMap<&'d str, Node<'d, 'd>>,
) -> Result<(), Error> {
    let depth = depth.checked_sub(1).ok_or(Error::TooLarge {
        what: "the depth of the sdtid document, in elements",
        limit: MAX_DEPTH,
    })?;
    for child in element.children().filter(Node::is_element) {
        collect(child, depth, index)?;
        index.entry(child.tag_name().name()).or_insert(child);
    }
    Ok(())
}

/// The lookup of section 5.1: inside the token, else the header's default, else the header.
pub(super) struct Lookup<'a, 'd> {
    pub(super) header: &'a Index<'d>,
    pub(super) token: &'a Index<'d>,
}

impl<'d> Lookup<'_, 'd> {
    pub(super) fn get(&self, name: &str) -> Option<Cow<'d, str>> {
        self.token
            .get(name)
            .or_else(|| self.header.get(&format!("Def{name}")))
            .or_else(|| self.header.get(name))
    }
}

/// The leaves of a section for its MAC, in document order.
pub(super) fn leaves<'d>(section: Node<'d, 'd>) -> Result<Vec<Leaf<'d>>, Error> {
    let mut walk = Walk { path: section.tag_name().name().into(), size: 0, leaves: Vec::new() };
    walk.children(section)?;
    Ok(walk.leaves)
}

struct Walk<'d> {
    path: String,
    size: usize,
    leaves: Vec<Leaf<'d>>,
}

impl<'d> Walk<'d> {
    /// Visits what is below `element`. The depth was bounded when the section was indexed.
    fn children(&mut self, element: Node<'d, 'd>) -> Result<(), Error> {
        let length = self.path.len();
        for child in element.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            if is_mac(name) {
                continue;
            }
            self.path.push('.');
            self.path.push_str(name);
            if child.children().any(|node| node.is_element()) {
                self.children(child)?;
            } else {
                self.leaf(content(child))?;
            }
            self.path.truncate(length);
        }
        Ok(())
    }

    fn leaf(&mut self, value: Cow<'d, str>) -> Result<(), Error> {
        self.size = self.size.saturating_add(self.path.len()).saturating_add(value.len());
        if self.size > MAX_SECTION {
            return Err(too_large());
        }
        self.leaves.push(Leaf { path: self.path.clone(), value });
        Ok(())
    }
}

/// All text inside an element: references and CDATA resolved, comments dropped, not trimmed.
fn content<'d>(element: Node<'d, 'd>) -> Cow<'d, str> {
    let mut texts = element.descendants().filter(Node::is_text).filter_map(|node| node.text());
    match (texts.next(), texts.next()) {
        (first, None) => first.unwrap_or_default().into(),
        (first, second) => first.into_iter().chain(second).chain(texts).collect(),
    }
}
