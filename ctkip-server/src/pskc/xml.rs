//! Texts of a PSKC document: elements, distinguished names, dates.

use std::fmt::Write;

use quick_xml::escape::escape;

/// A document that is being written, indented by a blank for each level.
pub(super) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self { text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), depth: 0 }
    }

    /// An element and, by `content`, its children; without children it is an empty tag.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.line(|text| {
            text.push_str(name);
            for (name, value) in attributes {
                text.extend([" ", *name, "=\"", &escape(*value), "\""]);
            }
        });
        let start = self.text.len();
        self.text.push_str(">\n");
        let children = self.text.len();
        self.depth = self.depth.saturating_add(1);
        content(self);
        self.depth = self.depth.saturating_sub(1);
        if self.text.len() == children {
            self.text.truncate(start);
            self.text.push_str("/>\n");
        } else {
            self.line(|text| text.extend(["/", name, ">\n"]));
        }
    }

    /// An element with a text; nothing if the text is empty.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.line(|text| text.extend([name, ">", &escape(value), "</", name, ">\n"]));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, content: impl FnOnce(&mut String)) {
        self.text.extend(std::iter::repeat_n(' ', self.depth));
        self.text.push('<');
        content(&mut self.text);
    }
}

/// Whether a text can stand in a document and comes out of it unchanged: XML 1.0 section 2.2
/// excludes most control characters and two noncharacters, readers change some of the others.
pub(super) fn allowed(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

/// `CN=name` with the escapes of RFC 4514 section 2.4; empty for an empty name. White space at the
/// ends becomes octets in hexadecimal (`\20` for a blank), which outlives readers that trim.
pub(super) fn common_name(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    let mut text = String::from("CN=");
    let inner = name.trim();
    let (before, after) = match name.split_once(inner) {
        Some(ends) if !inner.is_empty() => ends,
        _ => (name, ""),
    };
    hexadecimal(&mut text, before);
    for (position, c) in inner.char_indices() {
        if matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') || (c == '#' && position == 0) {
            text.push('\\');
        }
        text.push(c);
    }
    hexadecimal(&mut text, after);
    text
}

fn hexadecimal(text: &mut String, value: &str) {
    text.extend(value.bytes().map(|octet| format!("\\{octet:02X}")));
}

/// Whether a text is a day of the Gregorian calendar, `YYYY-MM-DD`, of a year from 1 on. Years
/// beyond 9999 have five digits.
pub(super) fn date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut number = || {
        let digits = parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u32>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (number(), number(), number()) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let mut canonical = String::new();
    (1..=99_999).contains(&year)
        && (1..=days).contains(&day)
        && write!(canonical, "{year:04}-{month:02}-{day:02}").is_ok()
        && canonical == text
}
