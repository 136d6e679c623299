//! A loop that serves a router on a port, within limits that `axum::serve` does not have.

use crate::{Limits, Peer};
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, rustls};

/// How long to wait before the next connection when one could not be taken: there are no file
/// descriptors left, as a rule.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// Serves a router on a port: HTTP/1.1, kept alive, within [`Limits`].
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

/// What every connection needs.
#[derive(Clone)]
struct Site {
    http: http1::Builder,
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    closing: watch::Receiver<bool>,
}

impl Server {
    /// Serves on this listener, without TLS, within the default limits.
    #[must_use]
    pub fn new(listener: TcpListener) -> Self {
        Self { listener, tls: None, limits: Limits::default() }
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.tls = Some(config.into());
        self
    }

    /// Other limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Serves until `shutdown` is over. Then no connection is taken any more, idle ones are closed,
    /// and requests that are being answered get [`Limits::closing_time`].
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) {
        let Self { listener, tls, limits } = self;
        let (close, closing) = watch::channel(false);
        let site = Site { http: http(&limits), router, tls, limits, closing };
        let places = Arc::new(Semaphore::new(limits.connections.max(1)));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let taken = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (listener.accept().await, place)
            };
            let (accepted, place) = select! {
                taken = taken => taken,
                () = &mut shutdown => break,
            };
            while connections.try_join_next().is_some() {}
            let Ok((stream, peer)) = accepted else {
                sleep(AFTER_FAILURE).await;
                continue;
            };
            let site = site.clone();
            connections.spawn(async move {
                let _held = place;
                site.welcome(stream, Peer(peer)).await;
            });
        }
        drop(listener);
        // Nobody may be listening any more.
        let _ = close.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        // Whoever is left then is cut off.
        let _ = timeout(limits.closing_time, all).await;
    }
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head.max(8192))
        // Headers are to look as recorded, for clients that compare text.
        .title_case_headers(true);
    http
}

impl Site {
    async fn welcome(self, stream: TcpStream, peer: Peer) {
        // Only slower without it.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.talk(stream, peer).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(self.limits.head_time, tls.accept(stream)).await {
                    self.talk(stream, peer).await;
                }
            }
        }
    }

    /// What becomes of a connection is its client's affair; the answers are in the router's log.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, peer: Peer) {
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut closing = self.closing.clone();
        select! {
            _ = connection.as_mut() => return,
            _ = closing.wait_for(|closing| *closing) => {}
            () = sleep(self.limits.connection_time) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(self.limits.closing_time, connection).await;
    }
}
