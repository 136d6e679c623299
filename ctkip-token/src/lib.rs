//! RSA SecurID software tokens: what a CT-KIP exchange yields, and the files, links and codes that
//! are made of it.
//!
//! - [`Token`] is the model: serial number, seed, flags, expiry, and texts about it.
//!   [`Token::tokencode`] computes the code of a moment.
//! - [`read_file`] and [`read_text`] open a token in any form and say which it was.
//! - `sdtid` (feature `xml`), [`ctf`], [`stokenrc`] and `json` (feature `json`) write tokens.
//! - [`link`] reads CT-KIP activation links.
//!
//! The formats are described in docs/spec/securid-token.md; section numbers in this documentation
//! are those of that text.
//!
//! This crate opens no file, socket, clock or random device: time comes in as Unix seconds in 64
//! bits, randomness as a [`rand_core::TryCryptoRng`], texts as `&str` or octets. Without its
//! features it is `no_std` with `alloc`. It depends on no other crate of this project.
//!
//! ```
//! use ctkip_token::{Digits, ExpiryDay, FromCtkip, Interval, Seed, Serial, Token};
//!
//! // What the client holds once the MAC of ServerFinished has been verified.
//! let token = Token::from_ctkip(FromCtkip {
//!     k_token: Seed::new([0x5A; 16]),
//!     serial: Serial::new("000123456789")?,
//!     expiry: ExpiryDay::from_date("2031-02-28T00:00:00+00:00")?,
//!     issuer: "RSA CT-KIP",
//!     user: "",
//!     digits: Digits::new(8).unwrap_or_default(),
//!     interval: Interval::new(60).unwrap_or_default(),
//!     add_pin: true,
//!     pin_type: 0,
//! });
//! assert_eq!(token.tokencode(1_795_428_000, None).expose().len(), 8);
//! # Ok::<(), ctkip_token::Error>(())
//! ```
//!
//! # Secrets
//!
//! Seeds, PINs, tokencodes and activation codes are wiped on drop, redacted in `Debug`, and have
//! neither `Display` nor `Clone`; `expose` is the one way to them. Texts of whole tokens are plain
//! `String`s, since they are made to be passed on: a token's text without a password is its seed in
//! another spelling, and should be kept like it.
//!
//! # Departures from the programs in the field
//!
//! Expiry dates are exact beyond 2038 and 2179 (2044 in numeric tokens, where later ones are
//! refused instead of wrapped). Base64 is strict. XML with entity declarations is refused. Files
//! may hold several tokens. A device id is tried with the limits of both desktop and smartphone
//! forms. Version 4 is read, not written.
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
