//! A server at the level of octets: requests in, responses out.
//!
//! [`Service`] ties [`crate::Server`] to a key in this process, a store of sessions and an issuer of
//! tokens. It moves no octets, reads no clock and blocks on nothing but those three. A server whose
//! key or store is far away uses the states themselves.

mod expiring;
mod issuer;
mod keys;
mod progress;
mod replay;
mod sealed;
mod sessions;
mod triggers;

pub use issuer::{Bearer, Commit, Denied, Granted, Issued, Issuer};
pub use keys::NonceKeys;
pub use replay::{MemoryReplayLog, ReplayLog, Ticket, UnderwayLog};
pub use sealed::{SealedSessions, SealingKey};
pub use sessions::{Answer, End, Entry, Full, MemorySessions, NonceDigest, Sessions};
pub use triggers::MemoryTriggers;

use crate::crypto::Scheme;
use crate::message::{
    ClientHello, ClientNonce, EncryptionKey, Message, Refusal, ServerFinished, ServerHello, Status,
};
use crate::wire::{self, Headers, Step, WireResponse, plain, soap};
use crate::{
    ActivationCode, Derived, Grant, MessageError, Offer, Opening, Pending, PinSettings, Rejection,
    Server, ServerError, SessionId, Timestamp, xml,
};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A request as it came: whatever its method, path and headers.
#[derive(Clone, Copy)]
pub struct ServiceRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without query.
    pub path: &'a str,
    /// All headers.
    pub headers: &'a Headers,
    /// Where it came from: the address of the peer, or, behind a proxy that is trusted, what that
    /// says.
    pub source: Option<IpAddr>,
    /// The body. Bound it before it gets here: more than [`MAX_BODY`] is refused.
    pub body: &'a [u8],
}

/// The longest body a service looks at, in octets.
pub const MAX_BODY: usize = 256 * 1024;

/// How a server's messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerBinding {
    /// As the body.
    Plain,
    /// In a SOAP envelope, beside an activation code, on the paths that deployed clients know.
    Soap,
}

/// What came of a request, for logs; the client learns less.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// `ClientHello` was answered: a session is open.
    Opened(Grant),
    /// `ClientNonce` was answered: a token is committed.
    Committed(Grant),
    /// A repeated `ClientNonce` got the answer it had before.
    Repeated(Grant),
    /// Refused within the protocol.
    Rejected(ServerError),
    /// The activation code was refused, or none was sent, or two that differ.
    CodeRefused,
    /// There is no reading the request.
    Unreadable(MessageError),
    /// Refused as HTTP: path, method, size, media type.
    Http(u16),
    /// The same `ClientNonce` is being processed, by another thread or another server of the farm.
    /// The service waits for nobody; whoever can hands the same request in again, for as long as he
    /// cares to wait, before he sends this response: 503, to be tried again later.
    Busy,
    /// There is no room, or the issuer's store cannot be asked: 503, to be tried again later.
    Unavailable,
}

/// A response, and what it came of.
#[must_use]
#[derive(Debug)]
pub struct Handled {
    /// What to send.
    pub response: WireResponse,
    /// What came of the request.
    pub event: Event,
}

/// A server with everything it needs.
#[derive(Debug)]
pub struct Service<S, K, I> {
    server: Server,
    binding: ServerBinding,
    sessions: S,
    key: K,
    issuer: I,
}

/// What a request comes to, before it is put into a binding.
enum Reply {
    Hello(ServerHello),
    Finished(ServerFinished, PinSettings),
    /// A message that refuses, for bindings that send it; the reason is the event's.
    Rejected(Message),
    CodeRefused(Step),
    Unavailable,
    Http(u16),
}

/// A reply and what it came of.
type Outcome = Box<(Reply, Event)>;

fn outcome(reply: Reply, event: Event) -> Outcome {
    Box::new((reply, event))
}

/// A request taken out of its binding.
struct Request {
    code: Option<ActivationCode>,
    source: Option<IpAddr>,
    provisioning: Vec<u8>,
    pdu: Vec<u8>,
}

impl Request {
    const fn bearer(&self) -> Bearer<'_> {
        Bearer { code: self.code.as_ref(), source: self.source }
    }
}

impl<S: Sessions, K: NonceKeys, I: Issuer> Service<S, K, I> {
    /// A service.
    #[must_use]
    pub const fn new(
        server: Server,
        binding: ServerBinding,
        sessions: S,
        key: K,
        issuer: I,
    ) -> Self {
        Self { server, binding, sessions, key, issuer }
    }

    /// Whoever issues the tokens.
    #[must_use]
    pub const fn issuer(&self) -> &I {
        &self.issuer
    }

    /// The store of sessions.
    #[must_use]
    pub const fn sessions(&self) -> &S {
        &self.sessions
    }

    /// Answers a request. Whatever it holds, there is an answer and no panic.
    pub fn handle<R: TryCryptoRng + ?Sized>(
        &self,
        request: ServiceRequest<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Handled {
        let (reply, event, code, provisioning) = match self.unwrap(request) {
            Err((status, event)) => (Reply::Http(status), event, None, Vec::new()),
            Ok(None) => {
                self.issuer.codeless(request.source, now);
                (Reply::CodeRefused(Step::Hello), Event::CodeRefused, None, Vec::new())
            }
            Ok(Some(request)) => {
                let (reply, event) = *self.answer(&request, now, rng);
                (reply, event, request.code, request.provisioning)
            }
        };
        let code = code.as_ref().and_then(ActivationCode::text).unwrap_or_default();
        Handled { response: self.respond(reply, code, &provisioning), event }
    }

    /// Takes a request out of its binding. `None`: its activation code is missing somewhere.
    fn unwrap(&self, request: ServiceRequest<'_>) -> Result<Option<Request>, (u16, Event)> {
        let http = |status| Err((status, Event::Http(status)));
        let soap = self.binding == ServerBinding::Soap;
        if soap && !soap::PATHS.contains(&request.path) {
            return http(404);
        }
        if request.method != "POST" {
            return http(405);
        }
        if request.body.len() > MAX_BODY {
            return http(413);
        }
        match wire::header(request.headers, "content-type") {
            Some(media_type) if !plain::is_message_type(media_type) => return http(415),
            None if soap => return http(415),
            _ => {}
        }
        if !soap {
            let pdu = request.body.to_vec();
            let source = request.source;
            return Ok(Some(Request { code: None, source, provisioning: Vec::new(), pdu }));
        }
        let envelope = soap::SoapRequest::read(request.body)
            .map_err(|error| (500, Event::Unreadable(error)))?;
        // The header is Latin-1, the element text; both have to be there and to be the same.
        let header = wire::header(request.headers, "authorization").unwrap_or_default();
        let header: Zeroizing<String> =
            Zeroizing::new(header.iter().copied().map(char::from).collect());
        let code = envelope
            .auth_data
            .map(|data| ActivationCode::new(data.as_bytes().to_vec()))
            .filter(|code| !header.is_empty() && code.matches(header.as_bytes()));
        let (provisioning, pdu) = (envelope.provisioning, envelope.pdu);
        let source = request.source;
        Ok(code.map(|code| Request { code: Some(code), source, provisioning, pdu }))
    }

    fn answer<R: TryCryptoRng + ?Sized>(
        &self,
        request: &Request,
        now: Timestamp,
        rng: &mut R,
    ) -> Outcome {
        match xml::read_request(&request.pdu, self.server.profile()).map(|read| read.message) {
            Ok(xml::Request::ClientHello(hello)) => self.hello(request, &hello, now, rng),
            Ok(xml::Request::ClientNonce(nonce)) => self.nonce(request, nonce, now, rng),
            Err(bad) => {
                // An error answer ends the session, as far as there is one (R019).
                if let xml::Root::ClientNonce(Some(id)) = &bad.root
                    && let Entry::Open(_) = self.sessions.enter(id, &NonceDigest::default(), now)
                {
                    self.sessions.leave(id, End::Failed);
                }
                outcome(self.answer_to_bad(&bad), Event::Unreadable(bad.error))
            }
        }
    }

    /// What a request that cannot be read is owed: section 3 of
    /// `docs/spec/rfc4758-requirements.md`, or, in an envelope, section 4 of
    /// `docs/spec/deployed-profile.md`.
    fn answer_to_bad(&self, bad: &xml::BadRequest) -> Reply {
        match (self.binding, bad.reply()) {
            (ServerBinding::Soap, _) => Reply::Http(500),
            (ServerBinding::Plain, Some(message)) => Reply::Rejected(message),
            (ServerBinding::Plain, None) if bad.root == xml::Root::Foreign => Reply::Http(500),
            (ServerBinding::Plain, None) => Reply::Http(400),
        }
    }

    fn hello<R: TryCryptoRng + ?Sized>(
        &self,
        request: &Request,
        hello: &ClientHello,
        now: Timestamp,
        rng: &mut R,
    ) -> Outcome {
        if let Err(rejection) = self.server.check(hello) {
            return rejected_hello(rejection);
        }
        let granted = match self.issuer.authorize(request.bearer(), hello, now) {
            Ok(granted) => granted,
            Err(denied) => return refused(denied, Step::Hello),
        };
        let offer = self.server.hello(hello, granted.credentials, rng);
        let (pending, unnamed) = match offer.map(|offer| offer.grant(granted.grant)) {
            Ok(offer) => Offer::into_parts(offer),
            Err(rejection) => return rejected_hello(rejection),
        };
        let grant = pending.granted().clone();
        match self.sessions.open(pending, now, rng) {
            Ok(id) => outcome(Reply::Hello(unnamed.into_hello(id)), Event::Opened(grant)),
            Err(Full) => outcome(Reply::Unavailable, Event::Unavailable),
        }
    }

    fn nonce<R: TryCryptoRng + ?Sized>(
        &self,
        request: &Request,
        nonce: ClientNonce,
        now: Timestamp,
        rng: &mut R,
    ) -> Outcome {
        let bearer = request.bearer();
        let id = nonce.session_id.clone();
        let digest: NonceDigest = Sha256::digest(&nonce.encrypted_nonce).into();
        match self.sessions.enter(&id, &digest, now) {
            Entry::Open(pending) => {
                let provisioned = self.provision(*pending, nonce, bearer, &digest, now, rng);
                let (outcome, end) = match provisioned {
                    Ok((answer, event)) => {
                        let reply = Reply::Finished(answer.finished.clone(), answer.pin);
                        (outcome(reply, event), End::Answered(Box::new(answer)))
                    }
                    Err(outcome) => {
                        let undecided = matches!(outcome.0, Reply::Unavailable);
                        (outcome, if undecided { End::Undecided } else { End::Failed })
                    }
                };
                self.sessions.leave(&id, end);
                outcome
            }
            Entry::Answered(answer) => match self.issuer.recognise(bearer, &answer.grant, now) {
                Ok(()) => outcome(
                    Reply::Finished(answer.finished, answer.pin),
                    Event::Repeated(answer.grant),
                ),
                Err(denied) => refused(denied, Step::Nonce),
            },
            Entry::Busy => outcome(Reply::Unavailable, Event::Busy),
            Entry::Full => outcome(Reply::Unavailable, Event::Unavailable),
            Entry::Unknown => rejected(self.server.unknown_session(&nonce)),
        }
    }

    /// From an open session to a committed token.
    fn provision<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        nonce: ClientNonce,
        bearer: Bearer<'_>,
        digest: &NonceDigest,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Answer, Event), Outcome> {
        let grant = pending.granted().clone();
        let session: SessionId = nonce.session_id.clone();
        self.issuer
            .recognise(bearer, &grant, now)
            .map_err(|denied| refused(denied, Step::Nonce))?;
        let opening = self.server.nonce(pending, nonce).map_err(rejected)?;
        let derived = self.decrypt(opening, rng)?;
        let commit = Commit {
            grant: &grant,
            token_id: derived.token_id(),
            key_id: derived.key_id(),
            key: derived.key(),
            mac: derived.mac(),
            session: &session,
            digest,
            source: bearer.source,
        };
        let issued = match self.issuer.commit(&commit, now) {
            Ok(issued) => issued,
            Err(denied) => return Err(refused(denied, Step::Nonce)),
        };
        let event = match issued.repeated {
            true => Event::Repeated(grant.clone()),
            false => Event::Committed(grant.clone()),
        };
        Ok((Answer { finished: derived.finish(issued.record), pin: issued.pin, grant }, event))
    }

    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        opening: Opening,
        rng: &mut R,
    ) -> Result<Derived, Outcome> {
        let scheme = opening.scheme();
        match (scheme, opening.encryption_key()) {
            (Scheme::SharedKey(_), EncryptionKey::Named(name)) => {
                match self.issuer.shared_key(name) {
                    Some(key) => opening.complete_shared(&key),
                    None => opening.complete(Err(crate::crypto::DecryptFailed)),
                }
            }
            (_, public) => {
                let (server_nonce, ciphertext) = (opening.server_nonce(), opening.ciphertext());
                let r_c = self.key.decrypt_under(public, scheme, server_nonce, ciphertext, rng);
                opening.complete(r_c)
            }
        }
        .map_err(rejected)
    }

    fn respond(&self, reply: Reply, code: &str, provisioning: &[u8]) -> WireResponse {
        let profile = self.server.profile();
        match (reply, self.binding) {
            (Reply::Http(status), _) => text(status),
            (Reply::Unavailable, _) => {
                let mut response = text(503);
                response.headers.push(("Retry-After".into(), b"1".to_vec()));
                response
            }
            (Reply::Hello(hello), ServerBinding::Soap) => {
                let pdu = xml::write(&Message::ServerHello(hello), profile);
                soap::response(soap::envelope(code, provisioning, &pdu))
            }
            (Reply::Finished(finished, pin), ServerBinding::Soap) => {
                let pdu = xml::write(&Message::ServerFinished(finished), profile);
                let provisioning = soap::provisioning_data(pin);
                soap::response(soap::envelope(code, provisioning.as_bytes(), &pdu))
            }
            (Reply::CodeRefused(_), ServerBinding::Soap) => soap::fault(soap::INVALID_CODE),
            (Reply::Rejected(_), ServerBinding::Soap) => soap::fault(soap::NOT_PROCESSED),
            (Reply::Hello(hello), ServerBinding::Plain) => {
                plain::response(&Message::ServerHello(hello), profile)
            }
            (Reply::Finished(finished, _), ServerBinding::Plain) => {
                plain::response(&Message::ServerFinished(finished), profile)
            }
            (Reply::Rejected(message), ServerBinding::Plain) => plain::response(&message, profile),
            (Reply::CodeRefused(step), ServerBinding::Plain) => {
                plain::response(&access_denied(step), profile)
            }
        }
    }
}

fn refused(denied: Denied, step: Step) -> Outcome {
    match denied {
        Denied::Refused => outcome(Reply::CodeRefused(step), Event::CodeRefused),
        Denied::Forbidden => outcome(Reply::Http(403), Event::Http(403)),
        Denied::Unavailable => outcome(Reply::Unavailable, Event::Unavailable),
    }
}

fn rejected_hello(rejection: Rejection<ServerHello>) -> Outcome {
    let Rejection { error, reply } = rejection;
    outcome(Reply::Rejected(Message::ServerHello(reply)), Event::Rejected(error))
}

fn rejected(rejection: Rejection<ServerFinished>) -> Outcome {
    let Rejection { error, reply } = rejection;
    outcome(Reply::Rejected(Message::ServerFinished(reply)), Event::Rejected(error))
}

fn access_denied(step: Step) -> Message {
    let refusal = Refusal::new(Status::AccessDenied);
    match step {
        Step::Hello => Message::ServerHello(ServerHello::Refused(refusal)),
        Step::Nonce => Message::ServerFinished(ServerFinished::Refused(refusal)),
    }
}

fn text(status: u16) -> WireResponse {
    let reason = match status {
        400 => "bad request",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        413 => "body too large",
        415 => "unsupported media type",
        503 => "try again later",
        _ => "request not processed",
    };
    WireResponse {
        status,
        headers: plain::text_headers(),
        body: format!("{reason}\n").into_bytes(),
    }
}
