//! In the making.
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "xml"), no_std)]
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

extern crate alloc;

mod algorithm;
mod client;
pub mod crypto;
pub mod derive;
mod error;
pub mod message;
mod profile;
mod secret;
mod server;
mod session;
mod settings;

#[cfg(feature = "xml")]
mod exchange;
#[cfg(feature = "xml")]
pub mod service;
#[cfg(feature = "xml")]
pub mod wire;
#[cfg(feature = "xml")]
pub mod xml;

#[cfg(feature = "xml")]
pub use exchange::{Exchange, NewToken, Progress};
pub use algorithm::{EncryptionAlgorithm, KeyType, Namespace, Prf};
pub use client::{AwaitServerFinished, AwaitServerHello, Client, ClientConfig, Outgoing, Provisioned};
pub use error::{ClientError, ClientErrorKind, MessageError, MessageErrorKind, RandomnessFailed};
pub use profile::{
    Counter, Departure, KeyInput, Layout, MacAlgorithmPlace, MacLabels, MacLength, Profile, Reading,
    Rsa15, UntypedExtension,
};
pub use secret::{ActivationCode, AuthKey, SecretNonce, SharedKey, TokenKey};
pub use server::{
    Credentials, Derived, Offer, Opening, Pending, Rejection, Server, ServerConfig, ServerError, UnnamedOffer,
};
pub use session::{Grant, SessionId, Timestamp};
pub use settings::{Date, OtpFormat, PinSettings, TokenSettings, Warning};
