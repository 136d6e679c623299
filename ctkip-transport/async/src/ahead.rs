//! Connections made before there is a request to send on them.
//!
//! reqwest makes a connection only for a request. So one is begun that gets no further than its
//! connection: a layer over reqwest's connector keeps that for the next request, and gives the one
//! that asked for it an error instead.

use std::any::Any;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tower_layer::Layer;
use tower_service::Service;

/// How long a connection is kept. Servers wait some seconds at least for a request.
const FRESH: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// Set where a connection is to be kept.
    static KEEP: ();
}

/// Runs a request whose connection is kept, and which goes no further.
pub(crate) async fn keeping<F: Future>(request: F) -> F::Output {
    KEEP.scope((), request).await
}

/// The one connection that is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ahead(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Of a type that reqwest does not name.
    kept: Mutex<Option<(Box<dyn Any + Send>, Instant)>>,
    connected: Notify,
}

impl Ahead {
    /// Waits until a request has its connection: what is made from then on comes after it.
    pub(crate) async fn connected(&self) {
        self.0.connected.notified().await;
    }

    /// Whether there is one.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn keep<C: Send + 'static>(&self, connection: C) {
        let kept = Some((Box::new(connection) as Box<_>, Instant::now()));
        *self.0.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    fn take<C: 'static>(&self) -> Option<C> {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (connection, since) = kept?;
        let fresh = since.elapsed() < FRESH;
        connection.downcast().ok().filter(|_| fresh).map(|connection| *connection)
    }
}

impl<S> Layer<S> for Ahead {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector { inner, ahead: self.clone() }
    }
}

/// A connector that hands out what was kept.
#[derive(Debug, Clone)]
pub(crate) struct Connector<S> {
    inner: S,
    ahead: Ahead,
}

type Failure = Box<dyn Error + Send + Sync>;

impl<R, S> Service<R> for Connector<S>
where
    S: Service<R, Error = Failure>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let ahead = self.ahead.clone();
        if KEEP.try_with(|()| ()).is_ok() {
            let connection = self.inner.call(request);
            return Box::pin(async move {
                ahead.keep(connection.await?);
                Err("the connection is kept for the next request".into())
            });
        }
        let made = match ahead.take() {
            Some(connection) => Ok(connection),
            None => Err(self.inner.call(request)),
        };
        Box::pin(async move {
            let connection = match made {
                Ok(connection) => connection,
                Err(connection) => connection.await?,
            };
            ahead.0.connected.notify_one();
            Ok(connection)
        })
    }
}
