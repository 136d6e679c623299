//! The deployed layout, octet for octet (`docs/spec/deployed-profile.md` section 5): peers compare
//! text, so declarations are repeated where nothing needs them, and stand where they were recorded.

use super::layout::{Declare, Part, Style};
use Declare::{Ds, Own, ServerPrefix, Xsd, Xsi};

/// What the server sends: a line feed after each child.
pub(super) const SERVER: Style = Style {
    xml_declaration: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    root_prefix: "",
    after_child: "\n",
    after_base64: "",
    algorithm_type: None,
    in_text: &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")],
    in_attributes: &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")],
    declarations: server,
};

/// The client's second message: a line feed after base64 alone.
pub(super) const CLIENT_NONCE: Style = Style {
    after_child: "",
    after_base64: "\n",
    algorithm_type: Some("xsd:anyURI"),
    declarations: client_nonce,
    ..SERVER
};

/// The client's first message: no XML declaration.
pub(super) const CLIENT_HELLO: Style =
    Style { xml_declaration: "", declarations: client_hello, ..CLIENT_NONCE };

type Declarations = (&'static [Declare], &'static [Declare]);

fn server(part: Part) -> Declarations {
    match part {
        Part::Root => (&[Own, Ds, Xsi], &[]),
        Part::Child => (&[Declare::None], &[]),
        Part::Parent | Part::Key => (&[Declare::None, Ds, Xsi], &[]),
        Part::KeyValue => (&[Own, Ds, Xsi], &[]),
        Part::Typed | Part::Untyped => (&[], &[ServerPrefix, Declare::None, Ds, Xsi]),
        Part::UntypedOtp => (&[], &[Declare::None, Ds, Xsi]),
        Part::Mode => (&[], &[Own, Ds, Xsi]),
        Part::Mac => (&[Declare::None], &[Ds, Xsi]),
        Part::Inner => (&[], &[]),
    }
}

fn client_nonce(part: Part) -> Declarations {
    match part {
        Part::Root => (&[Own], &[]),
        Part::Typed | Part::Untyped => (&[], &[Declare::None, ServerPrefix, Ds, Xsi]),
        other => server(other),
    }
}

fn client_hello(part: Part) -> Declarations {
    match part {
        Part::Root => (&[Own, Xsd, Xsi], &[]),
        other => client_nonce(other),
    }
}
