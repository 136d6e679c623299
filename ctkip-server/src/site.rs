//! A node: it answers requests over a register, and says how it is.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use ctkip_core::crypto::NonceKey;
use ctkip_core::service::{Handled, ServerBinding, Service, ServiceRequest};
use ctkip_core::{Server, ServerConfig, Timestamp};
use ctkip_transport_axum::{Limits, both};
use getrandom::SysRng;
use ipnet::IpNet;
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use crate::guard::{Guard, GuessLimits};
use crate::metrics::Metrics;
use crate::office::Office;
use crate::ring::{MakeKey, Ring};
use crate::sessions::RingSessions;
use crate::store::StoreError;
use crate::{Dialect, Registry, forwarded};

/// What a node may be told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SiteOptions {
    /// How long a session lasts, in seconds. Default: 300.
    pub session_lifetime: u64,
    /// How many wrong codes are borne.
    pub guesses: GuessLimits,
    /// Proxies whose `Forwarded` header says where a request came from. Default: none.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self { session_lifetime: 300, guesses: GuessLimits::default(), trusted_proxies: Vec::new() }
    }
}

/// A node of a server. Clones are the same node.
pub struct Site<K>(Arc<Inner<K>>);

struct Inner<K> {
    registry: Arc<Registry>,
    ring: Ring<K>,
    guard: Arc<Guard>,
    metrics: Arc<Metrics>,
    soap: Service<RingSessions<K>, Ring<K>, Office<K>>,
    plain: Service<RingSessions<K>, Ring<K>, Office<K>>,
    trusted: Vec<IpNet>,
}

impl<K> Clone for Site<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: NonceKey + 'static> Site<K> {
    /// A node over a register, whose RSA keys `make` brings into use. The register has to have one:
    /// [`Registry::first_key`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when none of its keys can be used, and the rest of [`StoreError`].
    pub fn new(
        registry: Arc<Registry>,
        make: MakeKey<K>,
        options: SiteOptions,
    ) -> Result<Self, StoreError> {
        let ring = Ring::new(Arc::clone(&registry), make);
        ring.refresh()?;
        let keys = ring.keys();
        let Some(current) = keys.first() else {
            return Err(StoreError::Corrupt("there is no RSA key in it that can be used".into()));
        };
        let guard = Arc::new(Guard::new(options.guesses));
        let metrics = Arc::new(Metrics::new());
        let service = |dialect: Dialect, binding: ServerBinding| {
            let config = ServerConfig::new(dialect.profile(), current.public.clone());
            let server = Server::new(config);
            let lifetime = options.session_lifetime;
            let sessions =
                RingSessions::new(&server, Arc::clone(&registry), ring.clone(), lifetime);
            let office = Office {
                registry: Arc::clone(&registry),
                ring: ring.clone(),
                guard: Arc::clone(&guard),
                metrics: Arc::clone(&metrics),
                dialect,
            };
            Service::new(server, binding, sessions, ring.clone(), office)
        };
        let soap = service(Dialect::Securid, ServerBinding::Soap);
        let plain = service(Dialect::Rfc4758, ServerBinding::Plain);
        let trusted = options.trusted_proxies;
        Ok(Self(Arc::new(Inner { registry, ring, guard, metrics, soap, plain, trusted })))
    }

    /// Everything that clients may ask, in both dialects, on one port; `seen` is told of each request
    /// that was answered, as coming from whom trusted proxies say.
    pub fn router<S>(&self, limits: &Limits, seen: S) -> Router
    where
        S: Fn(ServiceRequest<'_>, &Handled) + Send + Sync + Clone + 'static,
    {
        let answer = |dialect: Dialect| {
            let (site, seen) = (self.clone(), seen.clone());
            move |request: ServiceRequest<'_>| {
                let request = site.sourced(request);
                let handled = site.answer(dialect, request, now());
                seen(request, &handled);
                handled
            }
        };
        both(limits, answer(Dialect::Securid), answer(Dialect::Rfc4758))
    }

    /// Answers a request in one dialect. It may block.
    pub fn handle(&self, dialect: Dialect, request: ServiceRequest<'_>, now: Timestamp) -> Handled {
        self.answer(dialect, self.sourced(request), now)
    }

    fn answer(&self, dialect: Dialect, request: ServiceRequest<'_>, now: Timestamp) -> Handled {
        let began = Instant::now();
        let service = match dialect {
            Dialect::Securid => &self.0.soap,
            Dialect::Rfc4758 => &self.0.plain,
        };
        let handled = service.handle(request, now, &mut SysRng);
        self.0.metrics.answered(&handled.event, began.elapsed());
        handled
    }

    /// The request as it came from whoever the trusted proxies say.
    fn sourced<'r>(&self, request: ServiceRequest<'r>) -> ServiceRequest<'r> {
        let source = request.source.map(|peer| self.source(peer, request));
        ServiceRequest { source, ..request }
    }

    fn source(&self, peer: std::net::IpAddr, request: ServiceRequest<'_>) -> std::net::IpAddr {
        if self.0.trusted.is_empty() {
            return peer;
        }
        let headers = request.headers.iter();
        let forwarded: Vec<&[u8]> = headers
            .filter(|(name, _)| name.eq_ignore_ascii_case("forwarded"))
            .map(|(_, value)| value.as_slice())
            .collect();
        forwarded::source(peer, &forwarded, &self.0.trusted)
    }

    /// For whoever watches over the node: `/healthz` (it runs), `/readyz` (it can use its store),
    /// `/metrics` (for Prometheus). Not for clients to see.
    pub fn admin_router(&self) -> Router {
        async fn ready<K: NonceKey + 'static>(State(site): State<Site<K>>) -> impl IntoResponse {
            let check = move || site.0.registry.store().check();
            match tokio::task::spawn_blocking(check).await {
                Ok(Ok(())) => (StatusCode::OK, "ready\n".to_owned()),
                Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
                Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "not known\n".to_owned()),
            }
        }
        async fn metrics<K: NonceKey + 'static>(State(site): State<Site<K>>) -> impl IntoResponse {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], site.0.metrics.text())
        }
        Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready::<K>))
            .route("/metrics", get(metrics::<K>))
            .with_state(self.clone())
    }

    /// What is to be done every minute or so: reads the keys again, so that one that was retired is
    /// used no more, and forgets what is over. It may block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.ring.refresh()?;
        let limits = self.0.guard.limits();
        let before = now.0.saturating_sub(limits.window.saturating_mul(2));
        self.0.registry.store().forget_guesses(Timestamp(before))
    }

    /// The chance that a day of guessing finds an open code ([`GuessLimits::risk`]), all lengths
    /// together.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn risk(&self, now: Timestamp) -> Result<f64, StoreError> {
        let (limits, open) = (self.0.guard.limits(), self.0.registry.store().open_codes(now)?);
        Ok(open.iter().map(|(length, codes)| limits.risk(*codes, *length)).sum())
    }

    /// The register.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

fn now() -> Timestamp {
    Timestamp(UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs()))
}
