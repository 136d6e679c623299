//! What an interrupt does to a run: it depends on how far the run is.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use ctkip_core::wire::Step;

use crate::error::{Failure, Status};

/// An interrupt, a hang-up, or a request to end. Once they are awaited they do not end the program by
/// themselves any more, so that a token is saved whatever comes.
pub(super) struct Interrupts(#[cfg(unix)] [tokio::signal::unix::Signal; 3]);

impl Interrupts {
    /// From now on, on the runtime of the caller.
    pub(super) fn awaited() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [interrupt, terminate, hangup] = kinds.map(signal);
            Ok(Self([interrupt?, terminate?, hangup?]))
        }
        #[cfg(not(unix))]
        Ok(Self())
    }

    /// Waits for the first.
    pub(super) async fn come(self) {
        #[cfg(unix)]
        {
            let Self([mut interrupt, mut terminate, mut hangup]) = self;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// How far the run is: whether the request was sent after which there may be a token.
#[derive(Debug, Default)]
pub(super) struct Stage(AtomicBool);

impl Stage {
    /// A request is sent.
    pub(super) fn sending(&self, step: Step) {
        self.0.store(step == Step::Nonce, Ordering::Relaxed);
    }

    /// What an interrupt leaves behind.
    pub(super) fn interrupted(&self) -> Failure {
        if self.0.load(Ordering::Relaxed) {
            Failure::new(
                Status::Unknown,
                "interrupted",
                "interrupted after the last request was sent: whether there is a token is not known",
                "Nothing was saved. Ask the administrator whether the code was used.",
            )
        } else {
            Failure::new(
                Status::Transport,
                "interrupted",
                "interrupted",
                "Nothing was committed: the code is as good as it was.",
            )
        }
    }
}
