//! The prefix form, valid by RFC 4758's schema: the root with the prefix `ct-kip`, its descendants
//! in no namespace but XML Signature's (`docs/spec/rfc4758-requirements.md` section 2).
//!
//! There is an XML declaration, since the media type has no charset parameter (E36): the document
//! itself says that it is UTF-8.

use super::layout::{Declare, Part, Style};

pub(super) const STYLE: Style = Style {
    xml_declaration: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    root_prefix: "ct-kip:",
    after_child: "",
    after_base64: "",
    algorithm_type: None,
    in_text: &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('\r', "&#13;")],
    // A receiver's parser makes blanks of white space that is not written as references (E38).
    in_attributes: &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\t', "&#9;"),
        ('\n', "&#10;"),
        ('\r', "&#13;"),
    ],
    declarations,
};

/// Each prefix is declared where it is used.
fn declarations(part: Part) -> (&'static [Declare], &'static [Declare]) {
    match part {
        Part::Root => (&[Declare::OwnPrefix], &[]),
        Part::Key => (&[Declare::Ds], &[]),
        Part::Typed => (&[Declare::Xsi], &[]),
        _ => (&[], &[]),
    }
}
