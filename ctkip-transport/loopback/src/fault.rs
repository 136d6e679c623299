//! What can befall a request on its way, and its answer on the way back.

use ctkip_core::wire::{WireRequest, WireResponse};
use ctkip_transport::{TransportError, TransportErrorKind};

/// What befalls one request and its answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    Deliver,
    /// The request never arrives.
    LoseRequest,
    /// The request arrives; its answer does not.
    LoseAnswer,
    /// The request arrives twice. The client gets the second answer.
    Duplicate,
    /// The request arrives only after the next one, and nobody waits for its answer any more.
    Overtaken,
    /// The request takes so many seconds to arrive, by the virtual clock.
    Delay(u64),
    /// A bit of the request's body is flipped. Bits count from the first octet's highest on, and
    /// from the start again where the body has no so many.
    FlipRequest(usize),
    /// A bit of the answer's body is flipped.
    FlipAnswer(usize),
    /// The request arrives, and the client gets this answer instead of the server's.
    Answer(WireResponse),
}

/// What a client notices of whatever is lost.
pub(crate) fn lost(what: &str) -> TransportError {
    TransportError::new(TransportErrorKind::Timeout, what)
}

/// Requests are not `Clone`, since they hold activation codes. Here the copy is the point.
pub(crate) fn copy(request: &WireRequest) -> WireRequest {
    WireRequest { headers: request.headers.clone(), body: request.body.clone() }
}

pub(crate) fn flip(octets: &mut [u8], bit: usize) {
    let length = octets.len().max(1);
    if let Some(octet) = octets.get_mut((bit / 8) % length) {
        *octet ^= 0x80 >> (bit % 8);
    }
}
