//! Threads for what takes long, and a queue before them, both bounded.

use crate::Limits;
use axum::http::StatusCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The runtime's blocking threads, of which only so many are used at a time.
pub(crate) struct Workers {
    /// For whoever is at work or waits for it.
    places: Arc<Semaphore>,
    /// For whoever is at work.
    turns: Arc<Semaphore>,
}

impl Workers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let turns = limits.workers.max(1);
        Self {
            places: Arc::new(Semaphore::new(turns.saturating_add(limits.queue))),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// Does a job when it is its turn; or the status to answer when there is no room, or it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StatusCode> {
        let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(unavailable)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let done = spawn_blocking(move || {
            // Given back when the job is done, even if nobody waits for it any more.
            let _held = (place, turn);
            job()
        });
        done.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}
