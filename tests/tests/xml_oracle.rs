//! The XML reader against roxmltree, on hostile documents.
//!
//! What our reader accepts, roxmltree must accept with the same tree. What only roxmltree accepts,
//! our reader must have refused for a reason it gives in its documentation, or for a rule of the
//! specifications that roxmltree is known not to enforce.
//!
//! A part of the documents is in UTF-16 or ISO-8859-1; roxmltree reads what they are in UTF-8.
//!
//! `CTKIP_XML_CASES` sets the number of documents, `CTKIP_XML_SEED` the first one's seed.

use std::collections::BTreeMap;

use ctkip_core::xml::tree::{Document, Element, Limits, XmlErrorKind as Kind, decode};

/// Small enough for generated documents to reach every limit now and then.
const LIMITS: Limits =
    Limits { octets: 4096, depth: 8, elements: 64, attributes: 8, namespaces: 12, value: 256 };

#[test]
fn accepts_only_what_roxmltree_accepts_with_the_same_tree() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
    };
    let cases = number("CTKIP_XML_CASES", if cfg!(debug_assertions) { 20_000 } else { 200_000 });
    let first = number("CTKIP_XML_SEED", 1);

    let (mut accepted, mut refused_by_us_alone, mut transcoded) = (0_u64, 0_u64, 0_u64);
    let mut kinds = BTreeMap::<String, u64>::new();
    for seed in first..first + cases {
        let octets = Generator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).hostile();
        let show = || format!("seed {seed}: {:?}", String::from_utf8_lossy(&octets));
        let Some(text) = text_of(&octets) else {
            assert!(decode(&octets, &LIMITS).is_err(), "{}", show());
            continue;
        };
        // Section 2.11 of XML 1.0 has line ends normalised before parsing. roxmltree does it
        // while parsing and misses a CR next to a reference.
        let normal = text.replace("\r\n", "\n").replace('\r', "\n");
        let theirs = roxmltree::Document::parse(&normal);
        let ours = decode(&octets, &LIMITS)
            .and_then(|text| Document::parse(&text, &LIMITS).map(|document| read(document.root())));
        if let Err(error) = &ours {
            assert!(error.offset <= octets.len().max(text.len()), "{error}: {}", show());
        }
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours, reference(theirs.root_element()), "{}", show());
                accepted += 1;
                transcoded += u64::from(text.as_bytes() != octets);
            }
            (Ok(_), Err(error)) => panic!("roxmltree refuses ({error}) what we accept: {}", show()),
            (Err(error), Ok(_)) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let at = text.get(error.offset..).unwrap_or_default();
                assert!(
                    deliberate(error.kind) || unenforced(error.kind, text, at),
                    "{error}, where roxmltree finds nothing: {}",
                    show()
                );
                refused_by_us_alone += 1;
                *kinds.entry(format!("{:?} (alone)", error.kind)).or_default() += 1;
            }
            (Err(error), Err(_)) => *kinds.entry(format!("{:?}", error.kind)).or_default() += 1,
        }
    }
    println!("{cases} documents, {accepted} accepted, {refused_by_us_alone} refused by us alone");
    println!("of those accepted, {transcoded} were not in UTF-8");
    println!("{kinds:#?}");
    assert!(accepted * 5 >= cases, "a fifth of the documents should be accepted");
    assert!(accepted * 5 <= cases * 4, "a fifth of the documents should be refused");
    assert!(transcoded * 50 >= cases, "some of those accepted should not be in UTF-8");
}

/// The text that octets are in the encoding that they say they are in; none if they are not.
fn text_of(octets: &[u8]) -> Option<String> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let (units, odd) = octets.as_chunks();
        let units: Vec<u16> = units.iter().copied().map(unit).collect();
        String::from_utf16(&units).ok().filter(|_| odd.is_empty())
    };
    match octets {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ if declares_latin_1(octets) => Some(octets.iter().copied().map(char::from).collect()),
        _ => String::from_utf8(octets.to_vec()).ok(),
    }
}

/// Nothing but an XML declaration names an encoding here, however it was damaged.
fn declares_latin_1(octets: &[u8]) -> bool {
    let Some(rest) = octets.strip_prefix(b"<?xml") else { return false };
    let end = rest.windows(2).position(|two| two == b"?>").unwrap_or(rest.len());
    String::from_utf8_lossy(&rest[..end]).contains("ISO-8859-1")
}

/// What the specifications allow and our reader does not support.
fn deliberate(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TooLarge
            | Kind::TooDeep
            | Kind::TooManyElements
            | Kind::TooManyAttributes
            | Kind::TooManyNamespaces
            | Kind::ValueTooLong
            | Kind::DocType
            | Kind::Version
            | Kind::Encoding
            | Kind::ReservedName
    )
}

/// What the specifications forbid and roxmltree 0.21 does not.
fn unenforced(kind: Kind, text: &str, at: &str) -> bool {
    match kind {
        // Pseudo-attributes' values; `<?xml` followed by white space other than a space.
        Kind::Declaration => true,
        // A target `XML` or with a colon, or without white space after it.
        Kind::ProcessingInstruction => true,
        // A prefix declared empty, or `xmlns` declared.
        Kind::NamespaceDeclaration => true,
        // `xmlns` or `xmlns:xml` twice.
        Kind::DuplicateAttribute => at.starts_with("xmlns"),
        // A surrogate or a number above U+10FFFF stands for U+FFFD there.
        Kind::Reference => at.starts_with('#'),
        // A colon before a local name without prefix.
        Kind::Name => at.starts_with(':'),
        Kind::EndTag => at.starts_with("</:"),
        // A malformed declaration of ISO-8859-1 declares nothing.
        Kind::NotUtf8 => text.starts_with("<?xml"),
        // A second byte order mark.
        Kind::TextOutsideRoot => text.starts_with('\u{feff}'),
        _ => false,
    }
}

/// A tree in the terms that both parsers share.
#[derive(Debug, PartialEq)]
struct Tree {
    namespace: Option<String>,
    local: String,
    attributes: Vec<(Option<String>, String, String)>,
    text: String,
    children: Vec<Self>,
}

fn read(element: Element<'_, '_>) -> Tree {
    Tree {
        namespace: element.namespace().map(Into::into),
        local: element.local().into(),
        attributes: element
            .attributes()
            .map(|(namespace, local, value)| {
                (namespace.map(Into::into), local.into(), value.into())
            })
            .collect(),
        text: element.text().into(),
        children: element.children().map(read).collect(),
    }
}

fn reference(node: roxmltree::Node<'_, '_>) -> Tree {
    // Where the default namespace is reset, roxmltree gives an empty name.
    let named = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(Into::into);
    Tree {
        namespace: named(node.tag_name().namespace()),
        local: node.tag_name().name().into(),
        attributes: node
            .attributes()
            .map(|a| (named(a.namespace()), a.name().into(), a.value().into()))
            .collect(),
        text: node.children().filter(|n| n.is_text()).filter_map(|n| n.text()).collect(),
        children: node.children().filter(|n| n.is_element()).map(reference).collect(),
    }
}

/// Fragments that have broken parsers, or may.
const NASTY: &[&str] = &[
    "<",
    ">",
    "&",
    ";",
    "'",
    "\"",
    "/",
    "=",
    "!",
    "?",
    ":",
    "-",
    "]",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\x08",
    "\x0b",
    "\x1f",
    "\x7f",
    "\u{80}",
    "\u{85}",
    "\u{a0}",
    "\u{d7}",
    "\u{e9}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
    "😀",
    "]]>",
    "--",
    "-->",
    "<!--",
    "<!-->",
    "<!--->",
    "--->",
    "<![CDATA[",
    "<![cdata[",
    "?>",
    "<?",
    "<??>",
    "<?x?>",
    "<?xml?>",
    "<?XML ?>",
    "<?xml version='1.0'?>",
    "<?xml\tversion='1.0'?>",
    "<?p:q r?>",
    "<?x+y?>",
    "<?xml version='1.1'?>",
    "<?xml version='1.0' encoding='latin1'?>",
    "<?xml-x y?>",
    "/>",
    "</",
    "</a>",
    "</p:a>",
    "<a>",
    "<a/>",
    "<p:a>",
    "<xml:a/>",
    "<xmlns:a/>",
    "< a>",
    "<a/ >",
    "</ a>",
    "</a b='c'>",
    "<1/>",
    "<a:b:c/>",
    "<:a/>",
    "<a:/>",
    "&amp;",
    "&lt;",
    "&gt;",
    "&quot;",
    "&apos;",
    "&nbsp;",
    "&AMP;",
    "&a",
    "&#",
    "&#;",
    "&#x;",
    "&#0;",
    "&#9;",
    "&#10;",
    "&#13;",
    "&#x20;",
    "&#65",
    "&#65;",
    "&#x41;",
    "&#X41;",
    "&#+65;",
    "&#xD800;",
    "&#xFFFE;",
    "&#x110000;",
    "&#99999999999;",
    "&#x0000000041;",
    "&amp",
    "& amp;",
    " a=''",
    " a=\"'\"",
    " a",
    " a=",
    " a=b",
    " a = 'b'",
    "a='b'",
    " a='<'",
    " a='>'",
    " a='&'",
    " p:a=''",
    " q:a=''",
    " xml:lang='x'",
    " xmlns=''",
    " xmlns='u'",
    " xmlns:p='u'",
    " xmlns:q='u'",
    " xmlns:q=''",
    " xmlns:xml='u'",
    " xmlns:xmlns='u'",
    " p:xmlns='u'",
    " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
    " xmlns:p='http://www.w3.org/2000/xmlns/'",
    " xmlns='http://www.w3.org/XML/1998/namespace'",
    "<!DOCTYPE a>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "<!doctype a>",
    "<!ENTITY b 'c'>",
    "<!",
    "standalone='yes'",
    "encoding='UTF-8'",
    "version='1.0'",
];

/// An xorshift generator of documents.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % bound.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A document that is well-formed more often than not, then damaged up to four times.
    fn hostile(&mut self) -> Vec<u8> {
        let mut octets = self.document().into_bytes();
        for _ in 0..[0, 0, 1, 1, 2, 4][self.below(6)] {
            self.damage(&mut octets);
        }
        if self.one_in(4) {
            octets = self.in_another_encoding(octets);
            if self.one_in(8) {
                self.damage(&mut octets);
            }
        }
        octets
    }

    /// The same document in UTF-16, mostly with mark, or in ISO-8859-1; the declaration follows,
    /// mostly.
    fn in_another_encoding(&mut self, octets: Vec<u8>) -> Vec<u8> {
        let Ok(text) = String::from_utf8(octets) else { return vec![0xff, 0xfe] };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if self.one_in(4) {
            let body = text.split_once("?>").map_or(text, |(_, body)| body);
            let latin = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
            let declaration = "<?xml version='1.0' encoding='ISO-8859-1'?>";
            return format!("{declaration}{body}").chars().map(latin).collect();
        }
        let mut text = match self.below(8) {
            0 => text.to_owned(),
            _ => text.replacen("UTF-8", "UTF-16", 1).replacen("utf-8", "Utf-16", 1),
        };
        if !self.one_in(8) {
            text.insert(0, '\u{feff}');
        }
        let unit = if self.one_in(2) { u16::to_le_bytes } else { u16::to_be_bytes };
        text.encode_utf16().flat_map(unit).collect()
    }

    fn damage(&mut self, octets: &mut Vec<u8>) {
        let at = self.boundary(octets);
        let end = (at + self.below(12)).min(octets.len());
        match self.below(8) {
            0..=2 => drop(octets.splice(at..at, self.pick(NASTY).bytes())),
            3 => drop(octets.drain(at..end)),
            4 => drop(octets.splice(at..end, self.pick(NASTY).bytes())),
            5 => {
                let piece = octets[at..end].to_vec();
                let to = self.boundary(octets);
                octets.splice(to..to, piece);
            }
            6 => {
                let (other, ours) = (self.document().into_bytes(), at);
                let theirs = self.boundary(&other);
                octets.truncate(ours);
                octets.extend_from_slice(&other[theirs..]);
            }
            _ => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet = self.below(256) as u8;
                }
            }
        }
    }

    /// A place to cut: often where a token begins or ends.
    fn boundary(&mut self, octets: &[u8]) -> usize {
        let at = self.below(octets.len() + 1);
        if self.one_in(3) {
            return at;
        }
        let cut = |octet: &u8| b"<>&;='\" /?!-]:".contains(octet);
        octets[at..].iter().position(cut).map_or(octets.len(), |further| at + further)
    }

    fn document(&mut self) -> String {
        let mut out = String::new();
        if self.one_in(8) {
            out.push('\u{feff}');
        }
        if self.one_in(2) {
            let version = self.pick(&["1.0", "1.0", "1.0", "1.0", "1.0", "1.1"]);
            let more = ["", "", " encoding='UTF-8'", " encoding=\"utf-8\"", " standalone='yes'"];
            out += &format!("<?xml version='{version}'{}?>", self.pick(&more));
        }
        self.miscellany(&mut out);
        if self.one_in(40) {
            out += "<!DOCTYPE a>";
        }
        self.element(&mut out, 0, &mut Vec::new());
        self.miscellany(&mut out);
        out
    }

    fn miscellany(&mut self, out: &mut String) {
        while self.one_in(4) {
            *out +=
                self.pick(&["\n", " ", "<!-- x -->", "<!---->", "<?y?>", "<?y z='1' ?>", "\r\n"]);
        }
    }

    fn element(&mut self, out: &mut String, depth: usize, scope: &mut Vec<&'static str>) {
        let outer = scope.len();
        let mut tag = String::new();
        for prefix in ["p", "q", "é"] {
            if self.one_in(4) {
                let name = self.pick(&["u", "v", "urn:x", "&#117;", "u v", "u&amp;v"]);
                tag += &format!("{}xmlns:{prefix}=\"{name}\"", self.white());
                scope.push(prefix);
            }
        }
        if self.one_in(4) {
            tag += &format!("{}xmlns='{}'", self.white(), self.pick(&["", "u", "v", "w"]));
        }
        for local in ["a", "b", "c", "c"] {
            if self.one_in(4) {
                let prefix = self.prefix(scope, true);
                let equals = self.pick(&["=", "=", "=", " =", "= ", "\n=\t"]);
                let value = self.value();
                tag += &format!("{}{prefix}{local}{equals}{value}", self.white());
            }
        }
        let prefix = self.prefix(scope, false);
        let name = format!("{prefix}{}", self.pick(&["a", "b", "c", "_", "é-1", "x.y·"]));
        let space = self.pick(&["", "", "", " ", "\r\n"]);
        *out += &format!("<{name}{tag}{space}");
        if self.one_in(4) {
            *out += "/>";
        } else {
            out.push('>');
            while !self.one_in(3) {
                if depth < 9 && self.one_in(2) {
                    self.element(out, depth + 1, scope);
                } else {
                    *out += &self.content();
                }
            }
            *out += &format!("</{name}{space}>");
        }
        scope.truncate(outer);
    }

    fn white(&mut self) -> &'static str {
        self.pick(&[" ", " ", " ", "\n", "\t", "\r\n", "  "])
    }

    /// A prefix in scope; seldom another one.
    fn prefix(&mut self, scope: &[&'static str], attribute: bool) -> String {
        match self.below(60) {
            0 => "r:".into(),
            1 => "xml:".into(),
            2..25 if !scope.is_empty() => format!("{}:", self.pick(scope)),
            25..30 if attribute => "xml:".into(),
            _ => String::new(),
        }
    }

    fn value(&mut self) -> String {
        let quote = self.pick(&["'", "\""]);
        let mut value = String::new();
        while !self.one_in(3) {
            value += self.pick(&[
                "x",
                "1 2",
                "&amp;",
                "&lt;",
                "&#13;",
                "&#10;",
                "&#9;",
                "&#x1F600;",
                "\t",
                "\n",
                "\r\n",
                "\r",
                " ",
                ">",
                "]]>",
                "é",
                "😀",
                "\u{f8ff}",
                "--",
                "/",
                "&apos;",
                "&quot;",
            ]);
        }
        format!("{quote}{value}{quote}")
    }

    fn content(&mut self) -> String {
        if self.one_in(150) {
            return "long ".repeat(self.below(80));
        }
        self.pick(&[
            "x",
            " ",
            "\n",
            "\r\n",
            "\r",
            "text, and more of it: sixteen octets are a chunk",
            "]]",
            "]",
            ">",
            "&amp;",
            "&lt;",
            "&gt;",
            "&apos;",
            "&quot;",
            "&#65;",
            "&#x1F600;",
            "&#13;",
            "&#10;",
            "é",
            "😀",
            "\u{f8ff}",
            "\u{fffd}",
            "<!---->",
            "<!-- - > < & -->",
            "<?y?>",
            "<?y > ??>",
            "<![CDATA[]]>",
            "<![CDATA[<&>\r\n]]]]>",
            "'",
            "\"",
            "=",
            "--",
            "\t",
        ])
        .into()
    }
}
