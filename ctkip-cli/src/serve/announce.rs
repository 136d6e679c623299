//! What a server says when it listens.

use std::io::IsTerminal;
use std::net::TcpListener;

use ctkip_core::ActivationCode;
use serde_json::json;

use super::failed;
use super::key::Key;
use crate::activation;
use crate::error::Failure;
use crate::output::{self, Output};
use crate::qr;

/// The path that clients are used to.
const PATH: &str = "/ctkip/services/CtkipService";

/// Prints where the server listens, and what clients want to know of it.
pub(super) fn announce(
    listener: &TcpListener,
    tls: bool,
    code: &ActivationCode,
    key: &Key,
    output: Output,
) -> Result<(), Failure> {
    let address = listener.local_addr().map_err(failed)?;
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{address}{PATH}");
    let link = activation::link(scheme, &format!("{address}{PATH}"), code);
    let pin = key.pin();
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
