//! Whoever decides who gets a token, and makes it durable.

use super::NonceDigest;
use crate::message::{ClientHello, TokenRecord};
use crate::{
    ActivationCode, Credentials, Grant, PinSettings, SessionId, SharedKey, Timestamp, TokenKey,
};
use core::net::IpAddr;

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// This code, or this client, gets no token. The client does not learn why.
    #[error("this client gets no token")]
    Refused,
    /// This server does not talk to this peer at all: HTTP status 403 (R259).
    #[error("this server does not talk to this peer")]
    Forbidden,
    /// The store cannot be asked now; later it may.
    #[error("the store cannot be asked now")]
    Unavailable,
}

/// Who asks, as far as the request tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bearer<'a> {
    /// The activation code that came with the request.
    pub code: Option<&'a ActivationCode>,
    /// Where the request came from, by [`ServiceRequest::source`](super::ServiceRequest::source).
    pub source: Option<IpAddr>,
}

/// A client that may go on.
#[derive(Debug, Default)]
pub struct Granted {
    /// What it may have, to be handed back at the commit.
    pub grant: Grant,
    /// Keys that it shares with the server.
    pub credentials: Credentials,
}

/// A token to be made durable.
#[derive(Debug)]
#[non_exhaustive]
pub struct Commit<'a> {
    /// What was granted.
    pub grant: &'a Grant,
    /// The token that the client named, if it did. It is who `grant` says that it is, not this (R285).
    pub token_id: Option<&'a [u8]>,
    /// The key to be replaced, if one is.
    pub key_id: Option<&'a [u8]>,
    /// K_TOKEN.
    pub key: &'a TokenKey,
    /// MAC 2, with which a stored answer can be made again.
    pub mac: &'a [u8],
    /// The session.
    pub session: &'a SessionId,
    /// By which a repeated request is recognised.
    pub digest: &'a NonceDigest,
    /// Where the request came from.
    pub source: Option<IpAddr>,
}

/// A token that is durable.
#[derive(Debug, Clone)]
pub struct Issued {
    /// What to tell the client of it.
    pub record: TokenRecord,
    /// What to tell it beside the protocol.
    pub pin: PinSettings,
    /// The token was durable before: the same request was committed already, by another server of
    /// the farm, or before this one was restarted.
    pub repeated: bool,
}

/// Whoever decides who gets a token. All three calls may be slow: they happen between two steps of
/// the protocol.
pub trait Issuer: Send + Sync {
    /// Asked at `ClientHello`. A good answer spends nothing.
    ///
    /// # Errors
    /// [`Denied`].
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied>;

    /// Told of a request that is refused since it brought no code where its binding has one, or two
    /// that differ.
    fn codeless(&self, source: Option<IpAddr>, now: Timestamp) {
        let _ = (source, now);
    }

    /// Asked at `ClientNonce`: whether the code is that of the session's enrolment, be its token
    /// committed already or not.
    ///
    /// # Errors
    /// [`Denied`].
    fn recognise(&self, bearer: Bearer<'_>, grant: &Grant, now: Timestamp) -> Result<(), Denied>;

    /// Makes the token durable, in one transaction; at most one for a grant that is good for one. The
    /// answer is made from what this returns. What was committed for the same session and digest is
    /// committed: an issuer that remembers both returns the same again.
    ///
    /// # Errors
    /// [`Denied`]: there is no token then, or with [`Denied::Unavailable`] it is not known, and a
    /// repeated request is committed again.
    fn commit(&self, commit: &Commit<'_>, now: Timestamp) -> Result<Issued, Denied>;

    /// The shared key of this name, for clients that were offered it.
    fn shared_key(&self, name: &str) -> Option<SharedKey> {
        let _ = name;
        None
    }
}
