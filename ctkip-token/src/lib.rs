//! In the making.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "xml"))]
extern crate std;

mod block;
pub mod ctf;
mod date;
mod error;
mod expiry;
mod flags;
mod hex;
#[cfg(feature = "json")]
pub mod json;
pub mod link;
mod pin;
mod recognise;
#[cfg(feature = "xml")]
pub mod sdtid;
mod seed;
mod serial;
pub mod stokenrc;
mod token;
mod tokencode;
mod unlock;
#[cfg(test)]
mod vectors;

pub use error::{Error, ErrorKind};
pub use expiry::ExpiryDay;
pub use flags::{Digits, Flags, Interval, PinMode};
pub use pin::Pin;
pub use recognise::{Format, MAX_FILE, read_batch, read_file, read_text};
pub use seed::Seed;
pub use serial::Serial;
pub use token::{FromCtkip, Labels, Token};
pub use tokencode::Tokencode;
pub use unlock::{Device, MAX_PASSWORD, Opened, Unlock};
