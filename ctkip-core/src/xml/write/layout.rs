//! What layouts consist of, and the writer that follows one.

use crate::xml::base64::encode_text;
use crate::xml::{OctetSet, XMLDSIG, XSI};
use crate::{Namespace, Profile};
use alloc::string::String;

const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// What a layout has to know of an element.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The root.
    Root,
    /// A child of the root or of `Payload`, with text or a list of algorithms.
    Child,
    /// `Payload`, `Extensions`, `InitializationTrigger`.
    Parent,
    /// `EncryptionKey`.
    Key,
    /// `ds:KeyValue`, `ds:RSAKeyValue`.
    KeyValue,
    /// An `Extension` with a type.
    Typed,
    /// An `Extension` without a type.
    Untyped,
    /// An `Extension` without a type that is the OTP configuration.
    UntypedOtp,
    /// `OTPMode` and what it holds.
    Mode,
    /// `Mac`.
    Mac,
    /// Anything further in.
    Inner,
}

/// A namespace declaration.
#[derive(Clone, Copy)]
pub(super) enum Declare {
    /// The default namespace is the root's.
    Own,
    /// There is no default namespace.
    None,
    /// The prefix `ct-kip` is the root's namespace.
    OwnPrefix,
    /// The prefix `ct-kip` is the namespace of the server's messages.
    ServerPrefix,
    /// The prefix `ds` is XML Signature.
    Ds,
    /// The prefix `xsi` is that of `xsi:type`.
    Xsi,
    /// The prefix `xsd` is XML Schema.
    Xsd,
}

/// A layout of one kind of message.
pub(super) struct Style {
    /// Whether there is an XML declaration, and what follows it.
    pub(super) xml_declaration: &'static str,
    /// Before the root's name.
    pub(super) root_prefix: &'static str,
    /// After each child.
    pub(super) after_child: &'static str,
    /// After base64.
    pub(super) after_base64: &'static str,
    /// The `xsi:type` of an Algorithm.
    pub(super) algorithm_type: Option<&'static str>,
    /// Characters to be written as references in text.
    pub(super) in_text: &'static [(char, &'static str)],
    /// Characters to be written as references in attributes.
    pub(super) in_attributes: &'static [(char, &'static str)],
    /// The declarations before and after the attributes of an element.
    pub(super) declarations: fn(Part) -> (&'static [Declare], &'static [Declare]),
}

/// An attribute's name, and its value if it is there.
pub(super) type Attribute<'a> = (&'static str, Option<&'a str>);

/// What stands in no layout's list of characters to be written as references.
static PLAIN: OctetSet =
    OctetSet::new(b"-+/=:.#_ 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Writes one message.
pub(super) struct Writer<'p> {
    pub(super) style: &'static Style,
    pub(super) profile: &'p Profile,
    namespace: Namespace,
    out: String,
}

impl<'p> Writer<'p> {
    pub(super) fn new(style: &'static Style, profile: &'p Profile, namespace: Namespace) -> Self {
        // The recorded messages have up to 4 KiB.
        let mut out = String::with_capacity(4096);
        out.push_str(style.xml_declaration);
        Self { style, profile, namespace, out }
    }

    pub(super) fn root(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(self.style.root_prefix);
        self.tag(Part::Root, name, attributes);
        self.out.push('>');
    }

    /// Ends the root.
    pub(super) fn finish(mut self, name: &str) -> String {
        for part in ["</", self.style.root_prefix, name, ">"] {
            self.out.push_str(part);
        }
        self.out
    }

    pub(super) fn open(&mut self, part: Part, name: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.tag(part, name, attributes);
        self.out.push('>');
    }

    pub(super) fn close(&mut self, name: &str) {
        for part in ["</", name, ">", self.style.after_child] {
            self.out.push_str(part);
        }
    }

    pub(super) fn empty(&mut self, part: Part, name: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.tag(part, name, attributes);
        self.out.push_str("/>");
        self.out.push_str(self.style.after_child);
    }

    pub(super) fn leaf(
        &mut self,
        part: Part,
        name: &str,
        attributes: &[Attribute<'_>],
        text: &str,
    ) {
        self.open(part, name, attributes);
        self.escaped(text, self.style.in_text);
        self.close(name);
    }

    pub(super) fn base64(
        &mut self,
        part: Part,
        name: &str,
        attributes: &[Attribute<'_>],
        octets: &[u8],
    ) {
        self.open(part, name, attributes);
        encode_text(octets, &mut self.out);
        self.out.push_str(self.style.after_base64);
        self.close(name);
    }

    fn tag(&mut self, part: Part, name: &str, attributes: &[Attribute<'_>]) {
        let (before, after) = (self.style.declarations)(part);
        self.out.push_str(name);
        self.declare(before);
        for (name, value) in attributes {
            if let Some(value) = value {
                for part in [" ", name, "=\""] {
                    self.out.push_str(part);
                }
                self.escaped(value, self.style.in_attributes);
                self.out.push('"');
            }
        }
        self.declare(after);
    }

    fn declare(&mut self, declarations: &[Declare]) {
        for declaration in declarations {
            let (name, namespace) = match declaration {
                Declare::Own => (" xmlns=\"", self.namespace.uri()),
                Declare::None => (" xmlns=\"", ""),
                Declare::OwnPrefix => (" xmlns:ct-kip=\"", self.namespace.uri()),
                Declare::ServerPrefix => (" xmlns:ct-kip=\"", self.profile.server_namespace.uri()),
                Declare::Ds => (" xmlns:ds=\"", XMLDSIG),
                Declare::Xsi => (" xmlns:xsi=\"", XSI),
                Declare::Xsd => (" xmlns:xsd=\"", XSD),
            };
            for part in [name, namespace, "\""] {
                self.out.push_str(part);
            }
        }
    }

    fn escaped(&mut self, text: &str, references: &[(char, &str)]) {
        // Most text needs nothing, which is quickly seen.
        if text.bytes().all(|octet| PLAIN.contains(octet)) {
            return self.out.push_str(text);
        }
        let reference = |c: char| references.iter().find(|(special, _)| *special == c);
        let mut rest = text;
        while let Some((at, special)) =
            rest.char_indices().find(|(_, c)| reference(*c).is_some() || !is_xml(*c))
        {
            let (plain, after) = rest.split_at(at);
            self.out.push_str(plain);
            self.out.push_str(reference(special).map_or("\u{fffd}", |(_, reference)| reference));
            rest = after.get(special.len_utf8()..).unwrap_or_default();
        }
        self.out.push_str(rest);
    }
}

/// Whether XML 1.0 allows a character (section 2.2).
fn is_xml(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}
