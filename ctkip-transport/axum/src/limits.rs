//! What a server puts up with.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// What a server puts up with. How long a body may be is the core's to say:
/// [`ctkip_core::service::MAX_BODY`]. So that, with the head, times the number of connections is all
/// the memory that requests take: 136 MiB by default.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Connections open at a time; more wait to be taken. Default: 512.
    pub connections: usize,
    /// Octets of a request's line and headers, at least 8192; more are answered with 431. Default:
    /// 16 KiB.
    pub head: usize,
    /// How long a connection may take for the line and headers of a request, or for its TLS
    /// handshake; the time between two requests counts. Then it is closed. Default: 15 seconds.
    pub head_time: Duration,
    /// How long a body may take; more is answered with 408. Default: 15 seconds.
    pub body_time: Duration,
    /// How long a repeated request waits for the answer to the first, before the 503. Default: 5
    /// seconds.
    pub busy_time: Duration,
    /// How long a connection may last in all. Then it is closed after the request it is at. Default:
    /// 5 minutes.
    pub connection_time: Duration,
    /// How long requests that are being answered may still take when their connection, or the server,
    /// is about to close. Default: 10 seconds.
    pub closing_time: Duration,
    /// Requests answered at a time. Default: as many as there are cores.
    pub workers: usize,
    /// Requests that wait for their turn; more are answered with 503. Default: 64 a worker.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let workers = available_parallelism().map_or(1, NonZero::get);
        Self {
            connections: 512,
            head: 16 << 10,
            head_time: Duration::from_secs(15),
            body_time: Duration::from_secs(15),
            busy_time: Duration::from_secs(5),
            connection_time: Duration::from_secs(300),
            closing_time: Duration::from_secs(10),
            workers,
            queue: 64 * workers,
        }
    }
}
