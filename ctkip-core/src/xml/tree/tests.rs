use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::XmlErrorKind as Kind;
use super::{Document, Element, Limits, XmlError, decode};

fn parse(text: &str) -> Result<Document<'_>, XmlError> {
    Document::parse(text, &Limits::DEFAULT)
}

/// The text of the root element.
fn text(document: &str) -> String {
    parse(document).unwrap().root().text().into()
}

/// The value of the root's attribute `a`.
fn value(document: &str) -> String {
    parse(document).unwrap().root().attribute(None, "a").unwrap().into()
}

#[track_caller]
fn refused(text: &str, kind: Kind) {
    assert_eq!(parse(text).map(|_| ()).map_err(|e| e.kind), Err(kind), "{text:?}");
}

#[track_caller]
fn refused_at(text: &str, kind: Kind, offset: usize) {
    assert_eq!(parse(text).map(|_| ()), Err(XmlError { kind, offset }), "{text:?}");
}

#[track_caller]
fn limited(text: &str, limits: Limits, kind: Kind) {
    assert_eq!(Document::parse(text, &limits).map(|_| ()).map_err(|e| e.kind), Err(kind));
}

fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
    core::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(octets).collect()
}

#[test]
fn a_tree_has_names_attributes_children_and_text() {
    let document = parse("<a x='1' y=\"2\"> b <c/> d <e>f<g/></e> </a>\n<!-- end -->").unwrap();
    let root = document.root();
    assert_eq!((root.namespace(), root.local(), root.text()), (None, "a", " b  d  "));
    assert_eq!(root.attributes().collect::<Vec<_>>(), [(None, "x", "1"), (None, "y", "2")]);
    assert_eq!((root.attribute(None, "y"), root.attribute(None, "z")), (Some("2"), None));
    let children: Vec<_> = root.children().map(|c| (c.local(), c.text(), c.offset())).collect();
    assert_eq!(children, [("c", "", 18), ("e", "f", 25)]);
    let e = root.children().nth(1).unwrap();
    assert_eq!(e.children().map(Element::local).collect::<Vec<_>>(), ["g"]);
    assert_eq!(root.children().next().unwrap().children().count(), 0);
}

#[test]
fn white_space_alone_is_no_text() {
    let document = parse("<a> \t\r\n<b> x </b><c>&#160;</c></a>").unwrap();
    assert!(!document.root().has_text());
    assert!(document.root().children().all(Element::has_text));
}

#[test]
fn text_is_whole_across_comments_instructions_cdata_and_children() {
    assert_eq!(text("<a>1<!-- x -->2<?y z?>3<![CDATA[<&>]]>4<b>no</b>5&lt;6</a>"), "123<&>45<6");
    assert_eq!(text("<a><!-- x -->1</a>"), "1");
    assert_eq!(text("<a><![CDATA[]]><![CDATA[]]]]><![CDATA[>]]></a>"), "]]>");
}

#[test]
fn references_are_resolved() {
    assert_eq!(text("<a>&amp;&lt;&gt;&apos;&quot;&#65;&#x1F600;&#x0000041;</a>"), "&<>'\"A😀A");
    assert_eq!(value("<a a='&amp;&lt;&gt;&apos;&quot;&#65;&#x1f600;'/>"), "&<>'\"A😀");
    assert_eq!(text("<a>&amp;lt;</a>"), "&lt;");
    assert_eq!(value("<a a='&amp;lt;'/>"), "&lt;");
}

#[test]
fn line_ends_and_attribute_values_are_normalised() {
    assert_eq!(text("<a>1\r\n2\r3\n\r4\r\r\n5&#13;&#xD;\n</a>"), "1\n2\n3\n\n4\n\n5\r\r\n");
    assert_eq!(text("<a>\r&amp;\r<![CDATA[\r\n\r]]></a>"), "\n&\n\n\n");
    assert_eq!(value("<a a='1\r\n2\r3\n4\t5 &#13;&#10;&#9;\r\n'/>"), "1 2 3 4 5 \r\n\t ");
}

#[test]
fn prefixes_rebind_and_the_default_namespace_can_be_reset() {
    let document = parse(
        "<p:a xmlns:p='urn:1' xmlns='urn:2' p:x='' x=''><b p:x=''/><c xmlns=''><d/></c>\
         <p:e xmlns:p='urn:3' p:x=''><p:f/></p:e><p:g/></p:a>",
    )
    .unwrap();
    let root = document.root();
    let name = |e: Element<'_, '_>| (e.namespace().map(String::from), String::from(e.local()));
    let own = |e: Element<'_, '_>| (e.namespace().map(String::from), e.children().count());
    assert_eq!(name(root), (Some("urn:1".into()), "a".into()));
    assert_eq!(root.attribute(Some("urn:1"), "x"), Some(""));
    assert_eq!(root.attributes().map(|(ns, ..)| ns).collect::<Vec<_>>(), [Some("urn:1"), None]);
    let [b, c, e, g] = root.children().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(own(b), (Some("urn:2".into()), 0));
    assert_eq!(b.attribute(Some("urn:1"), "x"), Some(""));
    assert_eq!(own(c), (None, 1));
    assert_eq!(c.children().next().unwrap().namespace(), None);
    assert_eq!(own(e), (Some("urn:3".into()), 1));
    assert_eq!(e.attribute(Some("urn:3"), "x"), Some(""));
    assert_eq!(e.children().next().unwrap().namespace(), Some("urn:3"));
    assert_eq!(own(g), (Some("urn:1".into()), 0));
}

#[test]
fn a_declaration_holds_for_the_whole_tag_it_is_in() {
    let document = parse("<p:a p:b='' xmlns:p='urn:&#x78;'/>").unwrap();
    assert_eq!(document.root().namespace(), Some("urn:x"));
    assert_eq!(document.root().attribute(Some("urn:x"), "b"), Some(""));
}

#[test]
fn the_prefix_xml_needs_no_declaration() {
    const XML: &str = "http://www.w3.org/XML/1998/namespace";
    let document = parse("<a xml:lang='en'/>").unwrap();
    assert_eq!(document.root().attribute(Some(XML), "lang"), Some("en"));
    assert!(parse("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/>").is_ok());
}

#[test]
fn qualified_names_in_values_are_resolved() {
    let document = parse("<a xmlns='urn:1' xmlns:p='urn:2'><b xmlns='' xmlns:p='urn:3'/></a>");
    let document = document.unwrap();
    let (a, b) = (document.root(), document.root().children().next().unwrap());
    assert_eq!(a.resolve("x"), Some((Some("urn:1"), "x")));
    assert_eq!(a.resolve(" p:x\n"), Some((Some("urn:2"), "x")));
    assert_eq!(b.resolve("x"), Some((None, "x")));
    assert_eq!(b.resolve("p:x"), Some((Some("urn:3"), "x")));
    for malformed in ["", ":", "p:", ":x", "q:x", "p:x:y", "p:1", "x y", "xmlns:x"] {
        assert_eq!(a.resolve(malformed), None, "{malformed:?}");
    }
}

#[test]
fn utf8_is_borrowed_and_its_byte_order_mark_taken_off() {
    for octets in [b"<a>\xc3\xa9</a>".as_slice(), b"\xef\xbb\xbf<a>\xc3\xa9</a>"] {
        let decoded = decode(octets, &Limits::DEFAULT).unwrap();
        assert!(matches!(decoded, Cow::Borrowed("<a>é</a>")), "{decoded:?}");
    }
    let error = decode(b"\xef\xbb\xbf<a>\xff</a>", &Limits::DEFAULT).unwrap_err();
    assert_eq!(error, XmlError { kind: Kind::NotUtf8, offset: 6 });
}

#[test]
fn utf16_is_transcoded_in_both_orders() {
    let document = "<?xml version='1.0' encoding='utf-16'?><a>é😀</a>";
    for octets in [utf16(document, u16::to_le_bytes), utf16(document, u16::to_be_bytes)] {
        let decoded = decode(&octets, &Limits::DEFAULT).unwrap();
        assert_eq!(decoded, document);
        assert_eq!(text(&decoded), "é😀");
    }
}

#[test]
fn ascii_and_latin_1_are_transcoded_where_they_are_declared() {
    let decoded = |octets: &[u8]| decode(octets, &Limits::DEFAULT).map(|text| self::text(&text));
    let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9\xff</a>";
    assert_eq!(decoded(latin).unwrap(), "é\u{ff}");
    let ascii = |name: &str, text: &str| {
        alloc::format!("<?xml version='1.0' encoding='{name}'?><a>{text}</a>")
    };
    assert_eq!(decoded(ascii("US-ASCII", "e").as_bytes()).unwrap(), "e");
    let error = decoded(ascii("US-ASCII", "é").as_bytes()).unwrap_err();
    assert_eq!(error.kind, Kind::Encoding);
}

#[test]
fn other_encodings_and_wrong_declarations_are_refused() {
    let kind = |octets: &[u8]| decode(octets, &Limits::DEFAULT).unwrap_err().kind;
    let declared = |name: &str| alloc::format!("<?xml version='1.0' encoding='{name}'?><a/>");

    assert_eq!(kind(declared("ISO-8859-2").as_bytes()), Kind::Encoding);
    assert_eq!(kind(declared("UTF-16").as_bytes()), Kind::Encoding);
    assert_eq!(kind(&utf16(&declared("UTF-8"), u16::to_le_bytes)), Kind::Encoding);
    assert_eq!(decode(declared("utf-8").as_bytes(), &Limits::DEFAULT).unwrap(), declared("utf-8"));
    refused(&declared("ISO-8859-2"), Kind::Encoding);

    // UTF-16 without mark in both orders, UTF-32, UTF-8 cut short.
    assert_eq!(kind(b"<\0a\0/\0>\0"), Kind::Encoding);
    assert_eq!(kind(b"\0<\0a\0/\0>"), Kind::Encoding);
    assert_eq!(kind(b"\xff\xfe\0\0<\0\0\0"), Kind::Encoding);
    assert_eq!(kind(b"<a>\xc3"), Kind::NotUtf8);
    // An odd octet; half a surrogate pair.
    assert_eq!(kind(b"\xff\xfe<\0a"), Kind::NotUtf16);
    assert_eq!(kind(b"\xff\xfe<\0\0\xd8"), Kind::NotUtf16);
}

#[test]
fn only_a_well_formed_declaration_of_version_1_0_at_the_start_is_accepted() {
    for good in [
        "<?xml version='1.0'?><a/>",
        "<?xml\tversion = \"1.0\"\nencoding='UTF-8' standalone='no' ?>\n<a/>",
        "<?xml version='1.0' standalone='yes'?><a/>",
    ] {
        assert!(parse(good).is_ok(), "{good:?}");
    }
    for version in ["1.1", "1.5", "2.0", "", "1.00"] {
        refused(&alloc::format!("<?xml version='{version}'?><a/>"), Kind::Version);
    }
    for malformed in [
        "<?xml?><a/>",
        "<?xml ?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml encoding='UTF-8' version='1.0'?><a/>",
        "<?xml version='1.0'encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0' version='1.0'?><a/>",
        "<?xml version='1.0' a='b'?><a/>",
        "<?xml version='1.0?><a/>",
        "<?xml version=1.0?><a/>",
        " <?xml version='1.0'?><a/>",
        "<!-- x --><?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<a/><?xml version='1.0'?>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
    ] {
        refused(malformed, Kind::Declaration);
    }
}

#[test]
fn a_doctype_is_refused_before_it_is_looked_into() {
    refused_at("<?xml version='1.0'?><!DOCTYPE a><a/>", Kind::DocType, 21);
    refused("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Kind::DocType);
    refused("<!DOCTYPE a [", Kind::DocType);
    refused("<!DOCTYPE", Kind::DocType);
    refused("<a><!DOCTYPE a></a>", Kind::DocType);
    assert_eq!(text("<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>"), "<!DOCTYPE a>");
}

#[test]
fn a_document_is_one_element_and_no_text_around_it() {
    refused_at("", Kind::NoRoot, 0);
    refused("<?xml version='1.0'?><!-- x --> ", Kind::NoRoot);
    refused_at("<a/><b/>", Kind::SecondRoot, 5);
    refused("<a></a><a></a>", Kind::SecondRoot);
    refused_at("<a><b></b>", Kind::UnclosedRoot, 10);
    refused("x<a/>", Kind::TextOutsideRoot);
    refused("<a/>x", Kind::TextOutsideRoot);
    refused("<a/>&amp;", Kind::TextOutsideRoot);
    refused("<a/>&#32;", Kind::TextOutsideRoot);
    refused("<![CDATA[ ]]><a/>", Kind::TextOutsideRoot);
    refused("\u{feff}<a/>", Kind::TextOutsideRoot);
    assert!(parse(" <!-- x -->\n<?y?><a/>\r\n<!-- z --><?y z?> ").is_ok());
}

#[test]
fn tags_must_match() {
    refused("<a></b>", Kind::EndTag);
    refused("</a>", Kind::EndTag);
    refused("<a/></a>", Kind::EndTag);
    refused("<a><b></a></b>", Kind::EndTag);
    refused("<a></ a>", Kind::EndTag);
    refused("<a></a b='c'>", Kind::EndTag);
    refused("<p:a xmlns:p='x' xmlns:q='x'></q:a>", Kind::EndTag);
    assert!(parse("<a></a \n>").is_ok());
    for unclosed in ["<a", "<a b='>", "<a><!-- ", "<a><![CDATA[ ]]", "<a><?b ", "<", "<a><!x></a>"]
    {
        refused(unclosed, Kind::Markup);
    }
    refused("<a><![cdata[x]]></a>", Kind::Markup);
}

#[test]
fn names_must_be_qualified_xml_names() {
    for name in
        ["1a", "-a", ".a", ":a", "a:", "a:b:c", "a:1", "a+b", "a/b", "a&b", "\u{d7}", "a\u{37e}"]
    {
        refused(&alloc::format!("<{name}/>"), Kind::Name);
        refused(&alloc::format!("<a {name}='x'/>"), Kind::Name);
    }
    refused("< a/>", Kind::Name);
    refused("<>", Kind::Name);
    refused("<a xmlns:='x'/>", Kind::Name);
    refused("<a/ >", Kind::Name);
    assert!(parse("<\u{e9}.b-c_1\u{b7} \u{10000}=''/>").is_ok());
}

#[test]
fn attributes_must_be_well_formed() {
    for tag in ["<a b/>", "<a b=/>", "<a b=c/>", "<a b='c'd='e'/>", "<a b='<'/>"] {
        refused(tag, Kind::Attribute);
    }
    refused_at("<a b='c'd='e'/>", Kind::Attribute, 8);
    refused_at("<a b='1<2'/>", Kind::Attribute, 7);
    assert_eq!(value("<a a = '>\"' />"), ">\"");
}

#[test]
fn attributes_must_be_unique_also_by_expanded_name() {
    refused("<a b='' b=''/>", Kind::DuplicateAttribute);
    refused_at("<a xmlns:p='x' xmlns:q='x' p:b='' q:b=''/>", Kind::DuplicateAttribute, 36);
    refused("<a xmlns='x' xmlns='x'/>", Kind::DuplicateAttribute);
    refused("<a xmlns:p='x' xmlns:p='y'/>", Kind::DuplicateAttribute);
    assert!(parse("<a xmlns='x' xmlns:p='x' b='' p:b=''/>").is_ok());
}

#[test]
fn prefixes_must_be_declared_and_reserved_ones_left_alone() {
    refused_at("<p:a/>", Kind::UnboundPrefix, 1);
    refused_at("<a p:b=''/>", Kind::UnboundPrefix, 3);
    refused("<a><b xmlns:p='x'/><p:c/></a>", Kind::UnboundPrefix);
    refused("<xmlns:a/>", Kind::UnboundPrefix);
    for declaration in [
        "xmlns:p=''",
        "xmlns:xmlns='x'",
        "xmlns:xmlns='http://www.w3.org/2000/xmlns/'",
        "xmlns:p='http://www.w3.org/2000/xmlns/'",
        "xmlns='http://www.w3.org/2000/xmlns/'",
        "xmlns:xml='x'",
        "xmlns:p='http://www.w3.org/XML/1998/namespace'",
        "xmlns='http://www.w3.org/XML/1998/namespace'",
    ] {
        refused(&alloc::format!("<a {declaration}/>"), Kind::NamespaceDeclaration);
    }
    refused("<xml:a/>", Kind::ReservedName);
    refused("<a xmlns:p='x' p:xmlns=''/>", Kind::ReservedName);
}

#[test]
fn characters_that_xml_does_not_allow_are_refused_everywhere() {
    for c in ['\0', '\x08', '\x0b', '\x0c', '\x1f', '\u{fffe}', '\u{ffff}'] {
        refused_at(&alloc::format!("<a>x{c}</a>"), Kind::Character, 4);
        refused(&alloc::format!("<a b='{c}'/>"), Kind::Character);
        refused(&alloc::format!("<a><!--{c}--></a>"), Kind::Character);
        refused(&alloc::format!("<a><![CDATA[{c}]]></a>"), Kind::Character);
        refused(&alloc::format!("<a><?b {c}?></a>"), Kind::Character);
        refused(&alloc::format!("<a>&#{};</a>", u32::from(c)), Kind::Reference);
        refused(&alloc::format!("<a b='&#x{:x};'/>", u32::from(c)), Kind::Reference);
    }
    let allowed = "\t\u{20}\u{7f}\u{80}\u{d7ff}\u{e000}\u{f000}\u{fffd}\u{10000}\u{10ffff}";
    assert_eq!(text(&alloc::format!("<a>{allowed}</a>")), allowed);
}

#[test]
fn references_must_be_defined_and_well_formed() {
    refused_at("<a>&b;</a>", Kind::Entity, 4);
    refused_at("<a b='&nbsp;'/>", Kind::Entity, 7);
    refused("<a>&AMP;</a>", Kind::Entity);
    let malformed = [
        "&",
        "&;",
        "&#;",
        "&#x;",
        "&#X41;",
        "&#+65;",
        "&#x+41;",
        "&#-1;",
        "&# 65;",
        "&amp ;",
        "&#xd800;",
        "&#1114112;",
        "&#4294967361;",
        "&1;",
        "& ",
        "&amp",
    ];
    for malformed in malformed {
        refused(&alloc::format!("<a>{malformed}</a>"), Kind::Reference);
        refused(&alloc::format!("<a b='{malformed}'/>"), Kind::Reference);
    }
}

#[test]
fn the_end_of_a_cdata_section_is_refused_in_text() {
    refused_at("<a>x]]></a>", Kind::CDataEnd, 4);
    assert_eq!(text("<a>]] ]> ]]&gt;</a>"), "]] ]> ]]>");
    assert_eq!(value("<a a=']]>'/>"), "]]>");
}

#[test]
fn comments_and_instructions_must_be_well_formed() {
    refused("<a><!-- -- --></a>", Kind::Comment);
    refused("<a><!-- ---></a>", Kind::Comment);
    refused("<a><!--></a>", Kind::Markup);
    refused("<a><!---></a>", Kind::Markup);
    assert!(parse("<a><!----><!-- - - > --></a>").is_ok());
    for target in ["", " b", "1", "XML", "xMl", "a:b", "a+", "?"] {
        refused(&alloc::format!("<a><?{target}?></a>"), Kind::ProcessingInstruction);
    }
    refused("<a><?></a>", Kind::Markup);
    assert!(parse("<?xml-stylesheet a?><a><?b?><?b c > d??></a>").is_ok());
}

#[test]
fn every_limit_holds_and_is_inclusive() {
    const D: Limits = Limits::DEFAULT;
    let document = "<a><b><c x='1234' y=''>12<!-- -->34</c></b><d xmlns='u'/></a>";
    let exact = Limits {
        octets: document.len(),
        depth: 3,
        elements: 4,
        attributes: 2,
        namespaces: 1,
        value: 4,
    };
    assert!(Document::parse(document, &exact).is_ok());
    assert!(decode(document.as_bytes(), &exact).is_ok());
    limited(document, Limits { octets: document.len() - 1, ..D }, Kind::TooLarge);
    limited(document, Limits { depth: 2, ..D }, Kind::TooDeep);
    limited(document, Limits { elements: 3, ..D }, Kind::TooManyElements);
    limited(document, Limits { attributes: 1, ..D }, Kind::TooManyAttributes);
    limited(document, Limits { namespaces: 0, ..D }, Kind::TooManyNamespaces);
    limited(document, Limits { value: 3, ..D }, Kind::ValueTooLong);
    limited("<a x='1234'/>", Limits { value: 3, ..D }, Kind::ValueTooLong);
    limited("<a xmlns='u' xmlns:p='u'/>", Limits { attributes: 1, ..D }, Kind::TooManyAttributes);
    let large = decode(document.as_bytes(), &Limits { octets: document.len() - 1, ..D });
    assert_eq!(large, Err(XmlError { kind: Kind::TooLarge, offset: document.len() - 1 }));
}

#[test]
fn an_error_says_what_and_where_and_debug_shows_no_text() {
    let error = parse("<a>&secret;</a>").unwrap_err();
    assert_eq!(
        alloc::format!("{error}"),
        "XML refused at octet 4: the entity is not defined; only amp, lt, gt, apos and quot are"
    );
    let document = parse("<a b='secret'>secret</a>").unwrap();
    assert!(!alloc::format!("{document:?} {:?}", document.root()).contains("secret"));
}
