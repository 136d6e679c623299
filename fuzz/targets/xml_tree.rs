//! The XML reader against roxmltree: what ours accepts, roxmltree accepts with the same tree.
#![no_main]
#![forbid(unsafe_code)]

use ctkip_core::xml::tree::{Document, Element, Limits, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = decode(octets, &Limits::DEFAULT) else { return };
    let Ok(ours) = Document::parse(&text, &Limits::DEFAULT) else { return };
    // Section 2.11 of XML 1.0 has line ends normalised before parsing. roxmltree does it while
    // parsing and misses a CR next to a reference.
    let normal = text.replace("\r\n", "\n").replace('\r', "\n");
    match roxmltree::Document::parse(&normal) {
        Ok(theirs) => same(ours.root(), theirs.root_element()),
        Err(error) => panic!("roxmltree refuses what we accept: {error}"),
    }
});

fn same(ours: Element<'_, '_>, theirs: roxmltree::Node<'_, '_>) {
    let name = theirs.tag_name();
    assert_eq!((ours.namespace(), ours.local()), (named(name.namespace()), name.name()));
    let attributes = theirs.attributes().map(|a| (named(a.namespace()), a.name(), a.value()));
    assert!(ours.attributes().eq(attributes), "attributes of {}", name.name());
    let text: String =
        theirs.children().filter(roxmltree::Node::is_text).filter_map(|n| n.text()).collect();
    assert_eq!(ours.text(), text, "text of {}", name.name());
    let mut children = theirs.children().filter(roxmltree::Node::is_element);
    for child in ours.children() {
        same(child, children.next().expect("as many children"));
    }
    assert!(children.next().is_none(), "more children of {}", name.name());
}

/// Where the default namespace is reset, roxmltree gives an empty name.
fn named(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|name| !name.is_empty())
}
