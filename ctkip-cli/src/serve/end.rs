//! When a server is to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// The end of a server: after an interrupt, a request to end, or when it is called for.
#[derive(Clone)]
pub(super) struct End(Arc<watch::Sender<bool>>);

impl End {
    /// A second interrupt does not wait for whatever is being answered.
    pub(super) fn watched() -> Self {
        let end = Self(Arc::new(watch::Sender::new(false)));
        let (called, interrupted) = (end.clone(), AtomicBool::new(false));
        // Where there are no signals to be had, an interrupt is what it always is.
        let _ = ctrlc::set_handler(move || {
            if interrupted.swap(true, Ordering::Relaxed) {
                std::process::exit(0);
            }
            called.call();
        });
        end
    }

    /// Now.
    pub(super) fn call(&self) {
        self.0.send_replace(true);
    }

    /// Waits for it, with whoever else does.
    pub(super) async fn come(&self) {
        // It can be called for as long as this is there.
        let _ = self.0.subscribe().wait_for(|ended| *ended).await;
    }
}
