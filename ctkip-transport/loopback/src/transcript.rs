//! What the server saw, kept for tests and demonstrations.

use ctkip_core::Timestamp;
use ctkip_core::service::Event;
use ctkip_core::wire::{WireRequest, WireResponse};
use std::fmt;

/// Every request that reached the server, and its answer. `Display` writes a line for each, with
/// sizes and no secret; the octets take an explicit call ([`Exchanged::expose_request`]).
#[derive(Debug, Default)]
pub struct Transcript(Vec<Exchanged>);

impl Transcript {
    pub(crate) fn record(
        &mut self,
        at: Timestamp,
        request: &WireRequest,
        response: &WireResponse,
        event: Event,
    ) {
        let response = WireResponse {
            status: response.status,
            headers: response.headers.clone(),
            body: response.body.clone(),
        };
        self.0.push(Exchanged { at, request: crate::fault::copy(request), response, event });
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Exchanged> {
        self.0.iter()
    }

    /// The number of requests.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no request reached the server.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'t> IntoIterator for &'t Transcript {
    type Item = &'t Exchanged;
    type IntoIter = std::slice::Iter<'t, Exchanged>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|exchanged| writeln!(f, "{exchanged}"))
    }
}

/// A request and its answer, as they were at the server's end.
#[derive(Debug)]
pub struct Exchanged {
    at: Timestamp,
    request: WireRequest,
    response: WireResponse,
    event: Event,
}

impl Exchanged {
    /// When the request arrived.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What came of it, as a server would log it.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// The request itself, which may hold an activation code.
    #[must_use]
    pub const fn expose_request(&self) -> &WireRequest {
        &self.request
    }

    /// The answer itself, which may repeat an activation code.
    #[must_use]
    pub const fn expose_response(&self) -> &WireResponse {
        &self.response
    }
}

impl fmt::Display for Exchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, request, response, event } = self;
        let (sent, status, answered) = (request.body.len(), response.status, response.body.len());
        write!(f, "{:>5} s: {sent} octets, answered {status} with {answered}: {event:?}", at.0)
    }
}
