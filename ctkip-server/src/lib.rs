//! A CT-KIP server that remembers: enrolments and their activation codes, and the tokens that were
//! issued for them, in a store that outlives the process and that several nodes can share.
//!
//! - A [`Registry`] is a [`store`] and the [`MasterKey`] to what is sealed in it. Operators work on it:
//!   [`Registry::enrol`], [`Registry::reissue`], [`Registry::revoke`], [`Registry::verify`] …
//! - A [`Site`] answers clients over a register, in both dialects. Any number of them, on any number of
//!   machines, may share one.
//!
//! An activation code yields at most one token, whatever crashes, races or is repeated: a token's row is
//! keyed by its code, it is written in the transaction that looks at the code, and the answer is made
//! from what that transaction left. A request that is repeated, at the same node or another, gets the
//! same answer.
//!
//! ```
//! use ctkip_core::{Date, PinSettings, Timestamp, crypto::RsaPrivateKey};
//! use ctkip_server::store::{MemoryStore, State};
//! use ctkip_server::{Dialect, Enrolment, MasterKey, NewCode, Registry, Site, SiteOptions};
//! use getrandom::SysRng;
//! use std::sync::Arc;
//!
//! let master = MasterKey::generate(&mut SysRng)?;
//! let registry = Arc::new(Registry::open(Arc::new(MemoryStore::new()), &master, &mut SysRng)?);
//! let now = Timestamp(1_795_428_000);
//! registry.first_key(2048, now, &mut SysRng)?;
//! let enrolment = Enrolment {
//!     serial: "000123456789".into(),
//!     user: "alice".into(),
//!     service: "example.com".into(),
//!     digits: 8,
//!     interval: 60,
//!     pin: PinSettings::default(),
//!     expires: Date { year: 2035, month: 12, day: 31 },
//!     device: None,
//!     dialect: Dialect::Securid,
//! };
//! let shown = registry.enrol(&[enrolment], NewCode::default(), now, &mut SysRng)?;
//! println!("{}", shown[0].code.text().unwrap_or_default()); // for alice alone
//! assert_eq!(registry.standing("000123456789")?.state(now), State::Open);
//!
//! let site = Site::new(registry, RsaPrivateKey::from_primes, SiteOptions::default())?;
//! let router = site.router(&Default::default(), |_, _| ()); // serve it: ctkip_transport_axum::Server
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here reads a clock but [`Site::router`]; randomness that is not an argument comes from the
//! system.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod code;
mod enrolment;
mod forwarded;
mod guard;
pub mod json_export;
mod master;
mod metrics;
mod office;
pub mod pskc;
mod registry;
mod ring;
mod seal;
#[cfg(test)]
mod secrets;
mod sessions;
mod site;
pub mod store;
#[cfg(test)]
mod testing;

pub use code::{CODE_LENGTH, CodeTag, MAX_CODE_LENGTH};
pub use enrolment::{Dialect, Enrolment};
pub use guard::GuessLimits;
pub use master::{MasterKey, MasterKeyError};
pub use registry::{
    Exported, IssuedToken, KeyInfo, NewCode, Registry, RegistryError, Shown, Verified,
};
pub use ring::MakeKey;
pub use seal::Tampered;
pub use site::{Site, SiteOptions};
