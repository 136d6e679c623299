//! The protocol of RFC 4758, the Cryptographic Token Key Initialization Protocol (CT-KIP), as client
//! and server states: what a person with an activation code needs to get a SecurID software token.
//!
//! This crate moves no octets. It has no socket, clock, file or random source: requests and responses
//! are values, time and randomness are arguments, and the slow steps of a server (its private key, its
//! store) are pauses between two calls. So both roles can be driven by one test, and by whatever
//! program embeds them. To provision a token over HTTP use `ctkip-transport-blocking`; to write it to
//! a file, `ctkip-token`.
//!
//! # The run
//!
//! ```text
//! client                                                     server
//! Client::start            ── ClientHello ────────────────▶  Server::hello        chooses, makes R_S
//! AwaitServerHello         ◀─────────────── ServerHello ──   Offer, Pending       kept under a SessionID
//!   makes R_C, K_TOKEN
//!                          ── ClientNonce ────────────────▶  Server::nonce
//! AwaitServerFinished                                        Opening              R_C: the private key
//!                                                            Derived              K_TOKEN: the commit
//! Provisioned              ◀──────────── ServerFinished ──   Derived::finish
//! ```
//!
//! Each state is consumed by the message it waits for, so wrong order, reuse, a key before its MAC was
//! checked, and a reply before the key was made durable do not compile. The whole of it in memory:
//!
//! ```
//! use ctkip_core::crypto::{NonceKey, RsaPrivateKey};
//! use ctkip_core::message::TokenRecord;
//! use ctkip_core::*;
//!
//! let mut rng = getrandom::SysRng;
//! let key = RsaPrivateKey::generate(2048, &mut rng)?;
//! let server = Server::new(ServerConfig::new(Profile::RFC4758, key.public().clone()));
//!
//! // Client: what can I do?
//! let client = Client::new(ClientConfig::new(Profile::RFC4758)).start(&mut rng)?;
//! // Server: choose, make R_S, remember.
//! let offer = server.hello(&client.message, Credentials::default(), &mut rng).map_err(|r| r.error)?;
//! let (pending, unnamed) = offer.into_parts();
//! let hello = unnamed.into_hello(SessionId::random(Layout::Schema, &mut rng)?);
//! // Client: make R_C, encrypt it.
//! let client = client.state.receive(hello, &mut rng)?;
//! // Server: decrypt (here, or in an HSM), derive, make durable, confirm.
//! let opening = server.nonce(pending, client.message).map_err(|r| r.error)?;
//! let r_c = key.decrypt(opening.scheme(), opening.server_nonce(), opening.ciphertext(), &mut rng);
//! let derived = opening.complete(r_c).map_err(|r| r.error)?;
//! let stored = derived.key().expose().to_vec();
//! let finished = derived.finish(TokenRecord { key_id: b"000123456789".to_vec(), ..Default::default() });
//! // Client: only now is there a key.
//! let token = client.state.receive(finished)?;
//! assert!(token.key().matches(&stored));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Dialects
//!
//! RFC 4758 to the letter is [`Profile::RFC4758`]; what RSA's own programs speak is
//! [`Profile::SECURID`]. A dialect is a value with a field for every difference, and nothing else in
//! this crate asks which one it has. `docs/profile.md` gives the evidence for each.
//!
//! # Which level to use
//!
//! | to write | use |
//! |---|---|
//! | a client over HTTP or anything else | [`Exchange`] (requests out, responses in), or a transport |
//! | a server with key and store at hand | [`service::Service`] |
//! | a server whose key or store is elsewhere | [`Server`], [`Opening`], [`Derived`] |
//! | a token without XML (`no_std`) | [`Client`] and [`message`] |
//! | a linter of captures | [`xml::inspect()`] |
//!
//! # What a good MAC means
//!
//! It means that the server derived the same key from the R_C it was sent. It covers neither serial
//! number nor expiry nor settings, and whoever replaces the server's key and recomputes the MAC passes
//! it: TLS is the protection, a pinned key ([`ClientConfig::pin_server_key`]) the second. See
//! `docs/security.md`.
//!
//! # Features
//!
//! `xml` (default): messages as XML, the SOAP and plain HTTP bindings, [`Exchange`] and
//! [`service`]. Needs std. Without it the crate is `no_std` with `alloc`.
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

#[cfg(doctest)]
mod misuse;

#[cfg(feature = "xml")]
mod exchange;
#[cfg(feature = "xml")]
pub mod service;
#[cfg(feature = "xml")]
pub mod wire;
#[cfg(feature = "xml")]
pub mod xml;

pub use algorithm::{EncryptionAlgorithm, KeyType, Namespace, Prf};
pub use client::{
    AwaitServerFinished, AwaitServerHello, Client, ClientConfig, Outgoing, Provisioned,
};
pub use error::{ClientError, ClientErrorKind, MessageError, MessageErrorKind, RandomnessFailed};
#[cfg(feature = "xml")]
pub use exchange::{Exchange, NewToken, Progress};
pub use profile::{
    Counter, Departure, KeyInput, Layout, MacAlgorithmPlace, MacLabels, MacLength, Profile,
    Reading, Rsa15, UntypedExtension,
};
pub use secret::{ActivationCode, AuthKey, SecretNonce, SharedKey, TokenKey};
pub use server::{
    Credentials, Derived, Offer, Opening, Pending, Rejection, Server, ServerConfig, ServerError,
    UnnamedOffer,
};
pub use session::{Grant, SessionId, Timestamp};
pub use settings::{Date, OtpFormat, PinSettings, TokenSettings, Warning};
