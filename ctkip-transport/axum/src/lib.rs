//! The server's side of CT-KIP over HTTP: [`router`] makes an axum router, hence a tower service, of
//! anything that answers requests, such as [`ctkip_core::service::Service::handle`]; [`Server`]
//! serves it on a port, with or without TLS.
//!
//! ```no_run
//! use ctkip_core::service::ServerBinding;
//! use ctkip_core::{Profile, Timestamp, crypto::RsaPrivateKey};
//! use ctkip_transport_axum::{Limits, Server, router};
//! use ctkip_transport_loopback::{Enrolment, MemoryIssuer, service};
//! use getrandom::SysRng;
//! # use std::time::UNIX_EPOCH;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let key = RsaPrivateKey::generate(2048, &mut SysRng)?;
//! let issuer = MemoryIssuer::new(Enrolment::new("000123456789"));
//! let service = service(Profile::RFC4758, ServerBinding::Plain, key, issuer);
//! let now = || Timestamp(UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs()));
//! let router = router(&Limits::default(), move |request| {
//!     service.handle(request, now(), &mut SysRng)
//! });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! Server::new(listener).serve(router, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! What answers runs on threads of its own, since a private operation takes milliseconds and a store
//! may take longer: as many as there are cores, with a bounded queue before them. Whoever finds the
//! queue full is told so at once: status 503 with `Retry-After`.
//!
//! [`both`] puts the two bindings on one port.
#![forbid(unsafe_code)]

mod limits;
mod server;
mod workers;

pub use limits::Limits;
pub use server::Server;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use ctkip_core::service::{Event, Handled, MAX_BODY, ServiceRequest};
use ctkip_core::wire::{self, Headers, WireRequest, WireResponse, plain, soap};
use http_body_util::BodyExt;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use workers::Workers;

/// How long a repeated request waits before it asks again for the answer to the first.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// What is read of a body that is too long, in octets, so that its sender gets to hear of it.
const MAX_READ: usize = 16 << 20;

/// The other end of a connection, as [`Server`] adds it to the extensions of each request. Whoever
/// serves a router otherwise adds it likewise, so that [`ServiceRequest::source`] is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

type Answer = dyn Fn(ServiceRequest<'_>) -> Handled + Send + Sync;

/// What every request needs.
struct Site {
    answer: Box<Answer>,
    workers: Workers,
    limits: Limits,
}

/// A router that answers every path and method with what `answer` says, which may block. Time and
/// randomness are its to bring, and it sees what came of each request.
pub fn router<A>(limits: &Limits, answer: A) -> Router
where
    A: Fn(ServiceRequest<'_>) -> Handled + Send + Sync + 'static,
{
    let workers = Workers::new(limits);
    let site = Arc::new(Site { answer: Box::new(answer), workers, limits: *limits });
    Router::new().fallback(move |request: Request| exchange(site.clone(), request))
}

/// The path on which [`both`] speaks plain HTTP whatever the media type.
pub const PLAIN_PATH: &str = "/rfc4758";

/// Both bindings on one port. On [`PLAIN_PATH`] every request is plain; on the paths that deployed
/// clients know it is if its media type is that of RFC 4758 (section 4.2.2) and it has no
/// `SOAPAction`, which they send. Everything else is SOAP's.
pub fn both<S, P>(limits: &Limits, soap: S, plain: P) -> Router
where
    S: Fn(ServiceRequest<'_>) -> Handled + Send + Sync + 'static,
    P: Fn(ServiceRequest<'_>) -> Handled + Send + Sync + 'static,
{
    let answer = move |request: ServiceRequest<'_>| {
        let media_type = wire::header(request.headers, "content-type").unwrap_or_default();
        let essence = media_type.split(|octet| *octet == b';').next().unwrap_or_default();
        let is_plain = essence.trim_ascii().eq_ignore_ascii_case(plain::MEDIA_TYPE.as_bytes())
            && wire::header(request.headers, "soapaction").is_none();
        match request.path {
            PLAIN_PATH => plain(request),
            path if is_plain && soap::PATHS.contains(&path) => plain(request),
            _ => soap(request),
        }
    };
    router(limits, answer)
}

/// Answers a request, after its body was read and when it is its turn.
async fn exchange(site: Arc<Site>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let source = head.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let Ok(body) = timeout(site.limits.body_time, read(body)).await else {
        return short(StatusCode::REQUEST_TIMEOUT);
    };
    let Some(body) = body else { return short(StatusCode::BAD_REQUEST) };
    // This wipes what it holds, an activation code among it.
    let message = Arc::new(WireRequest { headers: owned(&head.headers), body });
    let head = Arc::new((head.method, head.uri));
    let deadline = Instant::now() + site.limits.busy_time;
    loop {
        let job = {
            let (site, head, message) = (site.clone(), head.clone(), message.clone());
            move || {
                let (method, path) = (head.0.as_str(), head.1.path());
                let WireRequest { headers, body } = &*message;
                (site.answer)(ServiceRequest { method, path, headers, body, source })
            }
        };
        match site.workers.run(job).await {
            Ok(Handled { event: Event::Busy, .. }) if Instant::now() < deadline => {
                sleep(BETWEEN_TRIES).await;
            }
            Ok(handled) => return response(handled.response),
            Err(status) => return short(status),
        }
    }
}

/// The octets of a body: all, or the first that are too many. `None` when it does not arrive whole.
async fn read(mut body: Body) -> Option<Vec<u8>> {
    let (mut octets, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length = length.saturating_add(data.len());
        let room = MAX_BODY + 1 - octets.len();
        octets.extend_from_slice(&data[..data.len().min(room)]);
        if length > MAX_READ {
            break;
        }
    }
    Some(octets)
}

fn owned(headers: &HeaderMap) -> Headers {
    let owned = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned().into(), value.as_bytes().to_vec())
    };
    headers.iter().map(owned).collect()
}

/// A response as axum sends it; to 405 belongs what would be allowed (RFC 9110 section 15.5.6).
fn response(mut ours: WireResponse) -> Response {
    let mut response = Response::new(Body::from(mem::take(&mut ours.body)));
    *response.status_mut() =
        StatusCode::from_u16(ours.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &ours.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    if ours.status == 405 {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// What is answered in the place of whoever answers.
fn short(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Body::from(format!("{reason}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
