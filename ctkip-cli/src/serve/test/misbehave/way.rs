//! What befalls an answer on its way: a layer around the router, told by a header that it removes.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use ctkip_core::wire::WireResponse;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use tokio::time::sleep;

/// The header that says what is to happen.
const HEADER: &str = "x-ctkip-on-the-way";

/// How late an answer is.
const DELAY: Duration = Duration::from_secs(3);

/// Longer than anybody waits.
const EVER: Duration = Duration::from_secs(86_400);

/// Octets to a chunk.
const CHUNK: usize = 100;

/// What befalls an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It comes late.
    Late,
    /// It never comes.
    Silence,
    /// The connection ends in its place.
    Lost,
    /// The connection ends in its middle.
    Cut,
    /// It comes in pieces.
    Chunked,
}

impl Way {
    const ALL: [Self; 5] = [Self::Late, Self::Silence, Self::Lost, Self::Cut, Self::Chunked];

    const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Silence => "silence",
            Self::Lost => "lost",
            Self::Cut => "cut",
            Self::Chunked => "chunked",
        }
    }

    /// Says what is to befall this answer.
    pub(super) fn mark(self, response: &mut WireResponse) {
        response.headers.push((HEADER.into(), self.name().into()));
    }
}

/// A router whose answers meet what they are marked for.
pub(crate) fn on_the_way(router: Router) -> Router {
    router.layer(from_fn(|request: Request, next: Next| async move {
        befallen(next.run(request).await).await
    }))
}

async fn befallen(mut response: Response) -> Response {
    let marks: Vec<HeaderValue> = response.headers().get_all(HEADER).iter().cloned().collect();
    response.headers_mut().remove(HEADER);
    for way in Way::ALL.into_iter().filter(|way| marks.iter().any(|mark| mark == way.name())) {
        response = match way {
            Way::Late => {
                sleep(DELAY).await;
                response
            }
            Way::Silence => {
                sleep(EVER).await;
                response
            }
            Way::Lost => broken_off(response, 0).await,
            Way::Cut => broken_off(response, 2).await,
            Way::Chunked => chunked(response).await,
        };
    }
    response
}

/// Sends one part in so many of a body, or nothing at all, and ends the connection.
async fn broken_off(response: Response, part: usize) -> Response {
    let (head, octets, sender, body) = taken_apart(response).await;
    let sent = octets.len().checked_div(part).unwrap_or(0);
    let mut response = Response::from_parts(head, Body::new(body));
    response.headers_mut().insert(header::CONTENT_LENGTH, octets.len().into());
    tokio::spawn(send(sender, vec![octets.slice(..sent)], true));
    response
}

async fn chunked(response: Response) -> Response {
    let (head, octets, sender, body) = taken_apart(response).await;
    let chunks = octets.chunks(CHUNK).map(Bytes::copy_from_slice).collect();
    tokio::spawn(send(sender, chunks, false));
    Response::from_parts(head, Body::new(body))
}

type Head = axum::http::response::Parts;

async fn taken_apart(
    response: Response,
) -> (Head, Bytes, Sender<Bytes, io::Error>, Channel<Bytes, io::Error>) {
    let (head, body) = response.into_parts();
    let octets = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (sender, body) = Channel::new(1);
    (head, octets, sender, body)
}

/// A client that has gone needs no more.
async fn send(mut sender: Sender<Bytes, io::Error>, parts: Vec<Bytes>, abort: bool) {
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if sender.send_data(part).await.is_err() {
            return;
        }
        // Lets it get onto the wire.
        sleep(Duration::from_millis(1)).await;
    }
    if abort {
        sender.abort(io::Error::other("cut on purpose"));
    }
}
