//! The elements of a document, in the order in which they are written, and its text form
//! (docs/spec/securid-token.md sections 5.2 and 5.9).

use std::{format, string::String, vec::Vec};

use super::{NOT_KNOWN, mac::Leaf, template::Template};

/// What stands where nothing is known. Not the same as an empty element, which some readers
/// stumble over.
const BLANK: Option<&str> = Some(" ");
/// Written only if a template has it.
const OMIT: Option<&str> = None;

const GROUP: &str = "TokenAttributes";

/// An element's name and default.
type Element = (&'static str, Option<&'static str>);

/// The sections and their elements.
const LAYOUT: [(&str, &[Element]); 3] = [
    (
        "TKNHeader",
        &[
            ("Version", Some("0")),
            ("Origin", Some(NOT_KNOWN)),
            ("Dest", Some(NOT_KNOWN)),
            ("Name", Some(NOT_KNOWN)),
            ("FirstToken", Some(NOT_KNOWN)),
            ("LastToken", Some(NOT_KNOWN)),
            ("NumTokens", Some("0")),
            ("Secret", BLANK),
            ("DefBirth", Some("2000/01/01")),
            ("DefDeath", BLANK),
            ("DefDigits", Some("8")),
            ("DefInterval", Some("60")),
            ("DefAlg", Some("1")),
            ("DefMode", Some("0")),
            ("DefPrecision", Some("2400")),
            ("DefSmallWin", Some("630")),
            ("DefMediumWin", Some("4320")),
            ("DefLargeWin", Some("4320")),
            ("DefAddPIN", Some("1")),
            ("DefLocalPIN", Some("0")),
            ("DefCopyProtection", Some("1")),
            ("DefPinType", Some("0")),
            ("DefKeypad", Some("1")),
            ("DefProtLevel", Some("0")),
            ("DefRevision", Some("0")),
            ("DefTimeDerivedSeeds", Some("1")),
            ("DefAppDerivedSeeds", Some("0")),
            ("DefFormFactor", Some("20000001")),
        ],
    ),
    (
        "TKN",
        &[
            ("SN", BLANK),
            ("Seed", BLANK),
            ("UserFirstName", BLANK),
            ("UserLastName", BLANK),
            ("UserLogin", BLANK),
            ("Birth", OMIT),
            ("Death", OMIT),
            ("Digits", OMIT),
            ("Interval", OMIT),
            ("Alg", OMIT),
            ("Mode", OMIT),
            ("Precision", OMIT),
            ("SmallWin", OMIT),
            ("MediumWin", OMIT),
            ("LargeWin", OMIT),
            ("AddPIN", OMIT),
            ("LocalPIN", OMIT),
            ("CopyProtection", OMIT),
            ("PinType", OMIT),
            ("Keypad", OMIT),
            ("ProtLevel", OMIT),
            ("Revision", OMIT),
            ("TimeDerivedSeeds", OMIT),
            ("AppDerivedSeeds", OMIT),
            ("FormFactor", OMIT),
            ("DeviceSerialNumber", BLANK),
            ("Nickname", BLANK),
        ],
    ),
    ("TKNTrailer", &[("BatchSignature", BLANK), ("BatchCertificate", BLANK)]),
];

/// Whether an element stands inside TokenAttributes.
fn grouped(name: &str) -> bool {
    matches!(name, "DeviceSerialNumber" | "Nickname")
}

/// A document as sections of named values.
pub(super) struct Skeleton([Section; 3]);

struct Section {
    name: &'static str,
    elements: Vec<(&'static str, String)>,
}

impl Skeleton {
    /// Defaults, or what the template has of the same name anywhere.
    pub(super) fn new(template: &Template<'_>) -> Self {
        let element = |&(name, default): &Element| {
            let value = template.anywhere(name).or_else(|| Some(default?.into()))?;
            Some((name, value.into_owned()))
        };
        Self(LAYOUT.map(|(name, elements)| Section {
            name,
            elements: elements.iter().filter_map(element).collect(),
        }))
    }

    /// Replaces the value of an element. One that is not there stays out.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let mut elements = self.0.iter_mut().flat_map(|section| &mut section.elements);
        if let Some((_, old)) = elements.find(|(other, _)| *other == name) {
            *old = clean(value);
        }
    }

    /// The value of an element, empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        let mut elements = self.0.iter().flat_map(|section| &section.elements);
        elements.find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }

    /// Adds an element at a section's end.
    pub(super) fn append(&mut self, section: &str, name: &'static str, value: String) {
        if let Some(section) = self.0.iter_mut().find(|other| other.name == section) {
            section.elements.push((name, value));
        }
    }

    /// The leaves of a section, MACs included.
    pub(super) fn leaves<'s>(&'s self, section: &'s str) -> impl Iterator<Item = Leaf<'s>> {
        let sections = self.0.iter().filter(move |other| other.name == section);
        sections.flat_map(|section| &section.elements).map(move |(name, value)| Leaf {
            path: match grouped(name) {
                true => [section, ".", GROUP, ".", name].concat(),
                false => [section, ".", name].concat(),
            },
            value: value.into(),
        })
    }

    /// The text: two blanks a level, one element a line.
    pub(super) fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(4096);
        let mut push = |parts: &[&str]| parts.iter().for_each(|part| xml.push_str(part));
        push(&["<?xml version=\"1.0\"?>\n<TKNBatch>\n"]);
        for section in &self.0 {
            push(&["  <", section.name, ">\n"]);
            let mut in_group = false;
            for (name, value) in &section.elements {
                if grouped(name) != in_group {
                    in_group = !in_group;
                    push(&[if in_group { "    <" } else { "    </" }, GROUP, ">\n"]);
                }
                let indent = if in_group { "      <" } else { "    <" };
                push(&[indent, name, ">", &escape(value), "</", name, ">\n"]);
            }
            push(&["  </", section.name, ">\n"]);
        }
        push(&["</TKNBatch>\n"]);
        xml
    }
}

/// The text with U+FFFD for what XML 1.0 cannot hold.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_xml_char(c) { c } else { '\u{FFFD}' }).collect()
}

/// What XML 1.0 can hold at all.
const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            c if c.is_ascii() => escaped.push(c),
            c => escaped.push_str(&format!("&#x{:X};", u32::from(c))),
        }
    }
    escaped
}
