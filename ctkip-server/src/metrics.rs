//! What a node counts, for Prometheus. No label tells one user from another.

use ctkip_core::Timestamp;
use ctkip_core::service::Event;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::Cause;

/// How many refusals that are no guesses are written to the audit log in a minute, at most.
const NOTES: u64 = 100;

type Labels = [(&'static str, &'static str); 1];

/// Counters of one node.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    refusals: Family<Labels, Counter>,
    store_failures: Counter,
    seconds: Histogram,
    notes: Mutex<(u64, u64)>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("ctkip");
        let (requests, refusals) = (Family::default(), Family::default());
        let store_failures = Counter::default();
        let buckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];
        let seconds = Histogram::new(buckets);
        registry.register("requests", "Requests answered, by what came of them", requests.clone());
        registry.register("refusals", "Codes refused, by cause", refusals.clone());
        let help = "Requests that failed since the store could not be used";
        registry.register("store_failures", help, store_failures.clone());
        let help = "How long answering took, queueing not included";
        registry.register("request_seconds", help, seconds.clone());
        let notes = Mutex::default();
        Self { registry, requests, refusals, store_failures, seconds, notes }
    }

    pub(crate) fn answered(&self, event: &Event, took: Duration) {
        let outcome = match event {
            Event::Opened(_) => "opened",
            Event::Committed(_) => "committed",
            Event::Repeated(_) => "repeated",
            Event::Rejected(_) => "rejected",
            Event::CodeRefused => "refused",
            Event::Unreadable(_) => "unreadable",
            Event::Http(_) => "http",
            Event::Busy => "busy",
            Event::Unavailable => "unavailable",
            _ => "other",
        };
        self.requests.get_or_create(&[("outcome", outcome)]).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, cause: Cause) {
        self.refusals.get_or_create(&[("cause", cause.name())]).inc();
    }

    pub(crate) fn store_failed(&self) {
        self.store_failures.inc();
    }

    /// Whether one more refusal may be noted in this minute.
    pub(crate) fn may_note(&self, now: Timestamp) -> bool {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.0 / 60;
        if notes.0 != minute {
            *notes = (minute, 0);
        }
        notes.1 = notes.1.saturating_add(1);
        notes.1 <= NOTES
    }

    /// As Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}
