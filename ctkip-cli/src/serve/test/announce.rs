//! What a server for testing says when it listens.

use std::io::IsTerminal;

use ctkip_core::ActivationCode;
use serde_json::json;

use super::super::key::Key;
use super::super::link::Place;
use crate::error::Failure;
use crate::output::{self, Output};
use crate::qr;

/// Prints where the server listens, and what clients want to know of it.
pub(super) fn announce(
    place: &Place,
    code: &ActivationCode,
    key: &Key,
    output: Output,
) -> Result<(), Failure> {
    let (url, link, pin) = (place.url(), place.link(code), key.pin());
    if output.json {
        return output.result(&format!("{}\n", json!({ "url": url, "link": link, "pin": pin })));
    }
    output.result(&output::table(&[
        ("URL", url),
        ("Activation link", link.clone()),
        ("Key, for --pin-key", pin),
    ]))?;
    if std::io::stdout().is_terminal() {
        output.result(&qr::for_terminal(&qr::encode(&link)?))?;
    }
    Ok(())
}
