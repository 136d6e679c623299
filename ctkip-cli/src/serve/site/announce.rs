//! What a server that remembers says when it listens.

use std::net::SocketAddr;

use serde_json::json;

use super::super::link::Place;
use super::users::Code;
use crate::error::Failure;
use crate::output::{self, Output};

/// Prints where the server listens, and the codes that are shown this once.
pub(super) fn announce(
    place: &Place,
    admin: Option<SocketAddr>,
    pin: &str,
    codes: &[Code],
    output: Output,
) -> Result<(), Failure> {
    let admin = admin.map(|address| format!("http://{address}"));
    if output.json {
        let code = |code: &Code| {
            json!({
                "user": code.user,
                "serial": code.serial,
                "code": code.code.text(),
                "link": place.link(&code.code),
            })
        };
        let codes = Vec::from_iter(codes.iter().map(code));
        let line = json!({ "url": place.url(), "pin": pin, "admin": admin, "codes": codes });
        return output.result(&format!("{line}\n"));
    }
    let mut rows = vec![("URL", place.url()), ("Key, for --pin-key", pin.to_owned())];
    if let Some(admin) = admin {
        rows.push(("For watching over it", format!("{admin}/healthz, /readyz, /metrics")));
    }
    for Code { user, serial, code } in codes {
        let text = code.text().unwrap_or_default();
        rows.push(("Code", format!("{text}, for the token {serial} of {user}")));
    }
    output.result(&output::table(&rows))
}
