//! What an interrupt does to a run: it depends on how far the run is.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use ctkip_core::wire::Step;

use crate::error::{Failure, Status};
use crate::output::Output;

const NOTHING_COMMITTED: u8 = 0;
const UNKNOWN: u8 = 1;
const COMMITTED: u8 = 2;

/// How far the run is.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    step: AtomicU8,
    room: OnceLock<PathBuf>,
}

impl Stage {
    /// From now on an interrupt (and a hang-up, and a request to end) gives the room taken back and
    /// says what it leaves behind; once there is a token it waits until that is saved.
    pub(super) fn watched(output: Output) -> Self {
        let stage = Self::default();
        let Self(seen) = stage.clone();
        let interrupted = move || {
            let failure = match seen.step.load(Ordering::SeqCst) {
                NOTHING_COMMITTED => Failure::new(
                    Status::Transport,
                    "interrupted",
                    "interrupted",
                    "Nothing was committed: the code is as good as it was.",
                ),
                UNKNOWN => Failure::new(
                    Status::Unknown,
                    "interrupted",
                    "interrupted after the last request was sent: whether there is a token is not known",
                    "Nothing was saved. Ask the administrator whether the code was used.",
                ),
                _ => return,
            };
            if let Some(room) = seen.room.get() {
                // It may be gone already.
                let _ = std::fs::remove_file(room);
            }
            output.failure(&failure);
            std::process::exit(failure.status as i32);
        };
        // Where there are no signals to be had, an interrupt is what it always is.
        let _ = ctrlc::set_handler(interrupted);
        stage
    }

    /// Room for the token was taken.
    pub(super) fn reserved(&self, room: &Path) {
        let _ = self.0.room.set(room.to_owned());
    }

    /// A request is sent.
    pub(super) fn sending(&self, step: Step) {
        if step == Step::Nonce {
            self.0.step.store(UNKNOWN, Ordering::SeqCst);
        }
    }

    /// There is a token.
    pub(super) fn committed(&self) {
        self.0.step.store(COMMITTED, Ordering::SeqCst);
    }
}
