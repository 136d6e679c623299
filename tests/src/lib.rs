//! What the integration tests share: vectors, scripted randomness, recordings, farms of nodes.
#![forbid(unsafe_code)]

pub mod cases;
pub mod clients;
pub mod databases;
pub mod farm;
pub mod hooked;
pub mod http;
pub mod http_clients;
pub mod judge;
pub mod messages;
pub mod pair;
pub mod recording;
pub mod rng;
pub mod serving;
pub mod sites;
pub mod vectors;
