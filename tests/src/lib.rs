//! What the integration tests share: vectors, scripted randomness, recordings.
#![forbid(unsafe_code)]

pub mod cases;
pub mod http;
pub mod http_clients;
pub mod messages;
pub mod pair;
pub mod recording;
pub mod rng;
pub mod serving;
pub mod sites;
pub mod vectors;
