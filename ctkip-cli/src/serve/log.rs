//! What a server tells its operator. Neither codes nor keys nor bodies are among it.

use std::io;

use ctkip_core::service::{Event, Handled, ServiceRequest};
use tracing::field::display;
use tracing::{Level, debug, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::LogForm;

/// The target of what belongs in an audit log, in every crate of ours.
const AUDIT: &str = "audit";

/// Logs to standard error from now on; if `named`, with the part of the program that each line comes
/// from: `audit` for what an auditor wants to know.
pub(super) fn start(form: LogForm, verbose: bool, named: bool) {
    let level = if verbose { Level::DEBUG } else { Level::INFO };
    // Of other people's parts only what is wrong: they do not know what is secret here.
    let ours =
        Targets::new().with_default(Level::WARN).with_targets([("ctkip", level), (AUDIT, level)]);
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .with_target(named)
        .with_ansi(false);
    // Fails only if there is a log already.
    let _ = match form {
        LogForm::Text => builder.finish().with(ours).try_init(),
        LogForm::Json => builder.json().flatten_event(true).finish().with(ours).try_init(),
        LogForm::None => Ok(()),
    };
}

/// What came of a request. Whatever text comes from it is written escaped.
pub(super) fn handled(request: ServiceRequest<'_>, handled: &Handled) {
    let (status, octets) = (handled.response.status, handled.response.body.len());
    let received = request.body.len();
    let source = request.source.map(display);
    debug!(method = request.method, path = ?request.path, received, status, octets, source, "request");
    match &handled.event {
        // Whoever issued the token told of it.
        Event::Committed(_) => {}
        Event::Opened(_) => debug!(source, "session opened"),
        Event::Repeated(_) => info!(source, "answer repeated"),
        Event::Rejected(error) => info!(source, reason = ?error.to_string(), "refused"),
        Event::CodeRefused => info!(source, "activation code refused"),
        Event::Unreadable(error) => {
            info!(source, status, reason = ?error.to_string(), "not readable")
        }
        Event::Http(_) => info!(source, status, "refused as HTTP"),
        Event::Busy => debug!(source, "the same request is being answered"),
        Event::Unavailable => warn!(source, "no room"),
        other => info!(source, ?other, "handled"),
    }
}
