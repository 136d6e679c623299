//! From tokens to the tree.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::encoding;
use super::scan::{self, Fault};
use super::tokens::{Token, Tokens, tag_fault};
use super::{
    Attribute, Document, Limits, NO_NAMESPACE, Namespace, Node, XML_NAMESPACE, XmlError,
    XmlErrorKind, find, is_same,
};

/// Namespaces in XML 1.0 section 3: bound to `xml`, and to nothing else.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespaces in XML 1.0 section 3: bound to `xmlns`, and never declared.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

pub(super) fn document<'a>(text: &'a str, limits: &Limits) -> Result<Document<'a>, XmlError> {
    if text.len() > limits.octets {
        return Err(XmlError { kind: XmlErrorKind::TooLarge, offset: limits.octets });
    }
    // As much as most messages need, and little enough for an allocator's quick paths.
    let mut namespaces = Vec::with_capacity(16);
    for (prefix, name) in [("", ""), ("xml", XML)] {
        let name = Cow::Borrowed(name);
        namespaces.push(Namespace { prefix, name, outer: NO_NAMESPACE, nesting: 0 });
    }
    let mut builder = Builder {
        limits,
        document: Document {
            elements: Vec::with_capacity(10),
            attributes: Vec::with_capacity(8),
            namespaces,
        },
        open: Vec::with_capacity(8),
        plain: false,
    };
    match builder.read(text) {
        Ok(()) => Ok(builder.document),
        Err((kind, part)) => {
            // Every fault is reported with a slice of the text.
            let offset = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
            Err(XmlError { kind, offset })
        }
    }
}

struct Builder<'a, 'l> {
    limits: &'l Limits,
    document: Document<'a>,
    /// Places and names of the open elements, the root first.
    open: Vec<(usize, &'a str)>,
    /// Whether text is what it stands for: [`scan::characters`].
    plain: bool,
}

impl<'a> Builder<'a, '_> {
    fn read(&mut self, text: &'a str) -> Result<(), Fault<'a>> {
        self.plain = scan::characters(text)?;
        let mut tokens = Tokens::new(text);
        loop {
            let (token, from) = tokens.next()?;
            let offset = text.len().saturating_sub(from.len());
            match token {
                Some(Token::Start(tag)) => {
                    let rest = self.start(tag, offset);
                    tokens.go_on(rest.map_err(|fault| tag_fault(from, fault))?);
                }
                Some(Token::End(tag)) => {
                    let rest = self.end_tag(tag).ok_or((XmlErrorKind::EndTag, from));
                    tokens.go_on(rest.map_err(|fault| tag_fault(from, fault))?);
                }
                Some(Token::Text(text))
                    if self.open.is_empty() && scan::skip_white(text).is_empty() => {}
                Some(Token::Text(text)) if self.plain => self.text(from, Cow::Borrowed(text))?,
                Some(Token::Text(text)) => self.text(from, scan::text(text)?)?,
                Some(Token::CData(text)) => self.text(from, scan::line_ends(text))?,
                Some(Token::Reference(name)) => {
                    self.text(from, Cow::Owned(scan::reference(name)?.into()))?;
                }
                Some(Token::Comment) => {}
                Some(Token::ProcessingInstruction(inside)) => {
                    scan::processing_instruction(inside)?;
                }
                Some(Token::Declaration(inside)) if offset == 0 => declaration(inside)?,
                Some(Token::Declaration(_)) => return Err((XmlErrorKind::Declaration, from)),
                None if self.document.elements.is_empty() => {
                    return Err((XmlErrorKind::NoRoot, from));
                }
                None if !self.open.is_empty() => return Err((XmlErrorKind::UnclosedRoot, from)),
                None => return Ok(()),
            }
        }
    }

    /// Reads a start tag behind its `<`; gives what follows it.
    fn start(&mut self, tag: &'a str, offset: usize) -> Result<&'a str, Fault<'a>> {
        let place = self.document.elements.len();
        if self.open.is_empty() && place > 0 {
            return Err((XmlErrorKind::SecondRoot, tag));
        }
        if self.open.len() >= self.limits.depth {
            return Err((XmlErrorKind::TooDeep, tag));
        }
        if place >= self.limits.elements {
            return Err((XmlErrorKind::TooManyElements, tag));
        }
        let (prefix, local, rest) = scan::qname(tag).ok_or((XmlErrorKind::Name, tag))?;
        if prefix == "xml" {
            return Err((XmlErrorKind::ReservedName, tag));
        }
        let length = tag.len().saturating_sub(rest.len());
        let first = self.document.attributes.len();
        let (scope, close) = self.attributes(rest)?;
        self.resolve(first, scope)?;
        let namespace = find(&self.document.namespaces, scope, prefix)
            .ok_or((XmlErrorKind::UnboundPrefix, tag))?;

        self.open.push((place, tag.get(..length).unwrap_or_default()));
        self.document.elements.push(Node {
            local,
            namespace,
            scope,
            attributes: first..self.document.attributes.len(),
            descendants: place.saturating_add(1)..usize::MAX,
            text: Cow::Borrowed(""),
            offset,
        });
        if let Some(rest) = close.strip_prefix("/>") {
            self.end();
            return Ok(rest);
        }
        Ok(close.get(1..).unwrap_or_default())
    }

    /// Reads an end tag behind its `</`; gives what follows it.
    fn end_tag(&mut self, tag: &'a str) -> Option<&'a str> {
        let (_, name) = self.open.last()?;
        let rest = scan::skip_white(tag.strip_prefix(name)?).strip_prefix('>')?;
        self.end();
        Some(rest)
    }

    /// Closes the innermost element.
    fn end(&mut self) {
        let end = self.document.elements.len();
        if let Some(node) = self.open.pop().and_then(|(at, _)| self.document.elements.get_mut(at)) {
            node.descendants.end = end;
        }
    }

    /// Adds `value`, written as `token`, to the text of the innermost element.
    fn text(&mut self, token: &'a str, value: Cow<'a, str>) -> Result<(), Fault<'a>> {
        let node = self.open.last().and_then(|&(at, _)| self.document.elements.get_mut(at));
        let node = node.ok_or((XmlErrorKind::TextOutsideRoot, token))?;
        if node.text.len().saturating_add(value.len()) > self.limits.value {
            return Err((XmlErrorKind::ValueTooLong, token));
        }
        match &mut node.text {
            empty if empty.is_empty() => *empty = value,
            Cow::Owned(text) => text.push_str(&value),
            Cow::Borrowed(text) => {
                // Most often white space between children, and more of it to come.
                let capacity = text.len().saturating_add(value.len()).saturating_mul(4);
                let mut joined = String::with_capacity(capacity);
                joined.push_str(text);
                joined.push_str(&value);
                node.text = Cow::Owned(joined);
            }
        }
        Ok(())
    }

    /// Reads the attributes of a start tag, prefixes yet unresolved, and gives the innermost scope
    /// after the declarations among them, and the tag from its `>` or `/>` on.
    fn attributes(&mut self, mut rest: &'a str) -> Result<(usize, &'a str), Fault<'a>> {
        let parent = self.open.last().and_then(|&(at, _)| self.document.elements.get(at));
        let outer = parent.map_or(XML_NAMESPACE, |parent| parent.scope);
        let first = self.document.namespaces.len();
        let mut scope = outer;
        let mut left = self.limits.attributes;
        loop {
            let start = scan::skip_white(rest);
            if matches!(start.as_bytes(), [b'>', ..] | [b'/', b'>', ..]) {
                return Ok((scope, start));
            }
            if start.len() == rest.len() {
                return Err((XmlErrorKind::Attribute, start));
            }
            let (raw, after) = scan::attribute(start)?;
            rest = after;
            left = left.checked_sub(1).ok_or((XmlErrorKind::TooManyAttributes, start))?;
            if raw.value.len() > self.limits.value {
                return Err((XmlErrorKind::ValueTooLong, raw.value));
            }
            let literal = self.plain && raw.even;
            let value =
                if literal { Cow::Borrowed(raw.value) } else { scan::normalized(raw.value)? };
            match (raw.prefix, raw.local) {
                ("", "xmlns") => scope = self.declare(scope, first, "", value, start)?,
                ("xmlns", prefix) => scope = self.declare(scope, first, prefix, value, start)?,
                (_, "xmlns") => return Err((XmlErrorKind::ReservedName, start)),
                (prefix, local) => {
                    let namespace = NO_NAMESPACE;
                    self.document.attributes.push(Attribute { prefix, local, namespace, value });
                }
            }
        }
    }

    /// Adds a declaration to those of the present tag, which begin at `first`.
    fn declare(
        &mut self,
        outer: usize,
        first: usize,
        prefix: &'a str,
        name: Cow<'a, str>,
        at: &'a str,
    ) -> Result<usize, Fault<'a>> {
        let namespaces = &mut self.document.namespaces;
        let place = namespaces.len();
        let own = namespaces.get(first..).unwrap_or_default();
        if own.iter().any(|other| is_same(other.prefix, prefix)) {
            return Err((XmlErrorKind::DuplicateAttribute, at));
        }
        let undeclares = name.is_empty() && !prefix.is_empty();
        let reserved = prefix == "xmlns" || name == XMLNS || (prefix == "xml") != (name == XML);
        if undeclares || reserved {
            return Err((XmlErrorKind::NamespaceDeclaration, at));
        }
        let nesting = namespaces.get(outer).map_or(0, |n| n.nesting).saturating_add(1);
        if nesting > self.limits.namespaces {
            return Err((XmlErrorKind::TooManyNamespaces, at));
        }
        namespaces.push(Namespace { prefix, name, outer, nesting });
        Ok(place)
    }

    /// Resolves the prefixes of the attributes from `first` on, and refuses two of one name.
    fn resolve(&mut self, first: usize, scope: usize) -> Result<(), Fault<'a>> {
        let Document { attributes, namespaces, .. } = &mut self.document;
        let own = attributes.get_mut(first..).unwrap_or_default();
        for attribute in own.iter_mut().filter(|attribute| !attribute.prefix.is_empty()) {
            attribute.namespace = find(namespaces, scope, attribute.prefix)
                .ok_or((XmlErrorKind::UnboundPrefix, attribute.prefix))?;
        }
        let name = |a: &Attribute<'_>| namespaces.get(a.namespace).map_or("", |n| n.name.as_ref());
        for (before, attribute) in own.iter().enumerate() {
            let twin = |other: &&Attribute<'_>| {
                other.local == attribute.local && is_same(name(other), name(attribute))
            };
            if own.iter().take(before).any(|other| twin(&other)) {
                return Err((XmlErrorKind::DuplicateAttribute, attribute.local));
            }
        }
        Ok(())
    }
}

fn declaration(inside: &str) -> Result<(), Fault<'_>> {
    match scan::declaration(inside)? {
        Some(name) if !encoding::is_known(name) => Err((XmlErrorKind::Encoding, name)),
        _ => Ok(()),
    }
}
