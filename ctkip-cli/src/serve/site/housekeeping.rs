//! What is done beside answering: a thread that tidies up, and looks whether codes can be guessed.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ctkip_server::{GuessLimits, Site};

use super::super::key::Key;
use super::risk;
use crate::output::Output;
use crate::register::now;

const MINUTE: Duration = Duration::from_secs(60);

/// Between two warnings.
const HOUR: Duration = Duration::from_secs(3600);

/// The thread that does it.
pub(super) struct Housekeeping {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeping {
    /// Begins with a first look.
    pub(super) fn begin(site: Site<Key>, guesses: GuessLimits, output: Output) -> Self {
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut warned = look(&site, guesses, |warning| output.warn(warning));
            while ended.recv_timeout(MINUTE) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = site.tidy(now()) {
                    tracing::error!(%error, "the store cannot be tidied up");
                }
                if warned.is_none_or(|warned| warned.elapsed() >= HOUR) {
                    warned = look(&site, guesses, |warning| tracing::warn!("{warning}"));
                }
            }
        });
        Self { end, thread }
    }

    /// Waits until what is being done is done.
    pub(super) fn finish(self) {
        drop(self.end);
        // What went wrong there was told there.
        let _ = self.thread.join();
    }
}

/// Warns if need be; when that was.
fn look(site: &Site<Key>, guesses: GuessLimits, warn: impl Fn(&str)) -> Option<Instant> {
    match risk::warning(site, guesses, now()) {
        Ok(warning) => warning.map(|warning| {
            warn(&warning);
            Instant::now()
        }),
        Err(error) => {
            tracing::error!(%error, "whether codes can be guessed is not known");
            None
        }
    }
}
