//! Threads for what takes long, and a queue before them, both bounded.

use crate::Limits;
use axum::http::StatusCode;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs from a queue, until the last owner of this has gone. The runtime's blocking
/// threads would do, were they bounded, and handed on from one job to the next without being woken.
pub(crate) struct Workers {
    queue: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
    room: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    over: bool,
}

impl Workers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let room = limits.queue;
        let queue = Arc::new(Queue { waiting: Mutex::default(), more: Condvar::new(), room });
        for _ in 0..limits.workers.max(1) {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.work());
        }
        Self { queue }
    }

    /// Does a job when it is its turn; or the status to answer when there is no room, or it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StatusCode> {
        let (done, result) = oneshot::channel();
        // Whoever asked may have gone: before it is his turn, so that nothing is to be done, or later.
        let job = Box::new(move || {
            if !done.is_closed() {
                drop(done.send(job()));
            }
        });
        if !self.queue.offer(job) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        result.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.waiting().over = true;
        self.queue.more.notify_all();
    }
}

impl Queue {
    /// Takes a job, if a thread is free or there is room for one more to wait.
    fn offer(&self, job: Job) -> bool {
        let mut waiting = self.waiting();
        if waiting.jobs.len() >= self.room.saturating_add(waiting.idle) {
            return false;
        }
        waiting.jobs.push_back(job);
        let wanted = waiting.idle > 0;
        drop(waiting);
        if wanted {
            self.more.notify_one();
        }
        true
    }

    fn work(&self) {
        loop {
            let mut waiting = self.waiting();
            let job = loop {
                if let Some(job) = waiting.jobs.pop_front() {
                    break job;
                }
                if waiting.over {
                    return;
                }
                waiting.idle += 1;
                waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                waiting.idle -= 1;
            };
            drop(waiting);
            // The one who asked is told by the end of his channel, and the thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No job runs while it is locked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
