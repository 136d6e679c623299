//! What went wrong below HTTP, in the words of [`TransportErrorKind`].
//!
//! A request counts as not sent only where no connection came about: what fails later, however it
//! looks, may have reached the server.

use ctkip_transport::{TransportError, TransportErrorKind};
use std::error::Error;
use std::io;

type Cause<'e> = &'e (dyn Error + 'static);

/// There is no client: that is for TLS alone to cause.
pub(crate) fn building(error: reqwest::Error) -> TransportError {
    wrap(TransportErrorKind::Tls, error.without_url(), "the certificates to trust cannot be used")
}

/// There is no answer.
pub(crate) fn sending(error: reqwest::Error, host: &str) -> TransportError {
    let kind = if error.is_dns() {
        TransportErrorKind::UnknownHost
    } else if error.is_connect() && has::<rustls::Error>(&error) {
        TransportErrorKind::Tls
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if causes(&error).any(is_cut) {
        TransportErrorKind::Interrupted
    } else {
        TransportErrorKind::Other
    };
    wrap(kind, error.without_url(), host)
}

/// The answer began and did not become whole.
pub(crate) fn receiving(error: reqwest::Error, host: &str) -> TransportError {
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if has::<hyper::Error>(&error) {
        TransportErrorKind::Interrupted
    } else {
        // What arrives is whole; what it decompresses to is not.
        TransportErrorKind::Encoding
    };
    wrap(kind, error.without_url(), host)
}

fn wrap<E: Error + Send + Sync + 'static>(
    kind: TransportErrorKind,
    error: E,
    what: &str,
) -> TransportError {
    let reason = causes(&error).last().map(ToString::to_string).unwrap_or_default();
    let detail = format!("{what}: {reason}");
    TransportError { kind, detail, source: Some(Box::new(error)) }
}

/// An error and what caused it, one after the other. An `io::Error` passes over the error it is made
/// of, so that is asked for.
fn causes<'e>(error: Cause<'e>) -> impl Iterator<Item = Cause<'e>> {
    std::iter::successors(Some(error), |error: &Cause<'e>| cause(*error))
}

fn cause(error: Cause<'_>) -> Option<Cause<'_>> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as Cause<'_>),
        None => error.source(),
    }
}

fn has<E: Error + 'static>(error: Cause<'_>) -> bool {
    causes(error).any(|cause| cause.is::<E>())
}

/// Whether an answer was not there or not whole when the connection ended, rather than no HTTP.
fn is_cut(cause: Cause<'_>) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(|error| !error.is_parse())
}
