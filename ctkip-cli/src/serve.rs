//! `ctkip serve`: a server for testing clients.

mod announce;
pub(crate) mod args;
mod issuer;
mod key;
mod log;
mod misbehave;
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use ctkip_core::service::{
    Event, Handled, MemoryReplayLog, MemorySessions, SealedSessions, SealingKey, ServerBinding,
    Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::soap::Soap;
use ctkip_core::{ActivationCode, Date, PinSettings, Profile, Server, ServerConfig, Timestamp};
use ctkip_token::ExpiryDay;
use ctkip_transport_axum::{Limits, both};
use ctkip_transport_loopback::Enrolment;
use getrandom::SysRng;
use tokio::sync::Notify;

use self::args::{ServeArgs, SessionsAre, TokenArgs};
use self::issuer::{TestIssuer, Tokens};
use self::key::Key;
use self::misbehave::Misbehaviour;
use crate::code::Sources;
use crate::error::{Failure, Status};
use crate::output::Output;
use crate::tokencode;

/// The largest PEM file, in octets.
const MAX_PEM: usize = 1 << 20;

/// How many sessions are kept in memory at a time: some 100 MB at most.
const SESSIONS: usize = 1 << 16;

type Answer = Box<dyn Fn(ServiceRequest<'_>) -> Handled + Send + Sync>;

pub(crate) fn run(args: &ServeArgs, output: Output) -> Result<(), Failure> {
    if args.misbehave.iter().any(|name| name == "help") {
        return misbehave::help(output);
    }
    let misbehaviour = Misbehaviour::named(&args.misbehave)?;
    let code = code(args)?;
    let address = address(args)?;
    let certificate = args.tls_cert.as_deref().zip(args.tls_key.as_deref());
    let tls = certificate.map(|(chain, key)| tls::config(chain, key)).transpose()?;
    let key = Key::load(args.key.as_deref(), args.key_bits, args.rsa)?;
    let listener = listen(address)?;

    log::start(args.log, output.verbose);
    output.warn("a test server: whoever has the code gets tokens, as many as he likes");
    let over = Over::watched();
    let tokens = Arc::new(tokens(&args.token, output));
    let site = Site { args, key: &key, tokens, misbehaviour, over: &over };
    let soap = site.answer(Profile::SECURID, ServerBinding::Soap, Some(copy(&code)))?;
    let plain = site.answer(Profile::RFC4758, ServerBinding::Plain, None)?;
    let limits = Limits::default();
    let mut router = both(&limits, soap, plain);
    if !args.misbehave.is_empty() {
        router = misbehave::on_the_way(router);
    }

    announce::announce(&listener, tls.is_some(), &code, &key, output)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let mut server = ctkip_transport_axum::Server::new(listener).limits(limits);
        if let Some(config) = tls {
            server = server.tls(config);
        }
        server.serve(router, over.signal.notified()).await;
        Ok(())
    })
}

fn code(args: &ServeArgs) -> Result<ActivationCode, Failure> {
    let sources =
        Sources { argument: args.code.as_deref(), file: args.code_file.as_deref(), link: None };
    let code = sources.given()?.ok_or_else(|| {
        Failure::usage(
            "no activation code was given",
            "Choose one, as in --code 123456789012: whoever brings it gets a token.",
        )
    })?;
    Soap::new(copy(&code)).map_err(|error| {
        Failure::usage(error.to_string(), "Choose another code; it usually has 12 digits.")
    })?;
    Ok(code)
}

fn copy(code: &ActivationCode) -> ActivationCode {
    ActivationCode::new(code.expose().to_vec())
}

/// Where to listen. Other machines reach a test server only if that is meant.
fn address(args: &ServeArgs) -> Result<SocketAddr, Failure> {
    let unknown = |error: String| {
        let what = format!("cannot listen on {}: {error}", args.listen);
        Failure::usage(what, "Give address and port, as in 127.0.0.1:8080 or [::1]:8080.")
    };
    let mut found = args.listen.to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    let address = found.next().ok_or_else(|| unknown("no address".into()))?;
    if !address.ip().is_loopback() && !args.i_know_this_is_a_test {
        return Err(Failure::usage(
            format!(
                "{address} can be reached from other machines, and this server gives tokens to all who know the code"
            ),
            "Listen on 127.0.0.1, or add --i-know-this-is-a-test.",
        ));
    }
    Ok(address)
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address);
    let listener = bound.map_err(|error| {
        let next = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "Another program listens there: choose another port, or 0 for a free one."
            }
            io::ErrorKind::PermissionDenied => "Choose a port from 1024 on.",
            _ => "Choose an address of this machine.",
        };
        Failure::new(Status::Usage, "listen", format!("cannot listen on {address}: {error}"), next)
    })?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Status::Usage, "serve", format!("cannot serve: {error}"), "Try again.")
}

/// What is said of each token.
fn tokens(args: &TokenArgs, output: Output) -> Tokens {
    let in_a_year =
        || ExpiryDay::from_unix(tokencode::now()).unwrap_or(ExpiryDay::MAX).plus_days(365);
    let day = args.expires.unwrap_or_else(in_a_year);
    let enrolment = Enrolment {
        serial: String::new(),
        user: args.user.clone(),
        service: "ctkip test server".into(),
        expiry: date(day),
        digits: args.digits,
        interval: args.interval,
        pin: PinSettings { pin_type: args.pin_type, add_pin: args.add_pin },
    };
    let print = args.print_seeds.then_some(output);
    Tokens { enrolment, next: args.token_id.map(Into::into), print }
}

fn date(day: ExpiryDay) -> Date {
    let text = day.last_day();
    let mut parts = text.splitn(3, ['-', '/']).map(|part| part.parse().unwrap_or(1));
    let mut part = || parts.next().unwrap_or(1);
    let (year, month, day) = (part(), part(), part());
    let small = |number: u16| u8::try_from(number).unwrap_or(1);
    Date { year, month: small(month), day: small(day) }
}

/// What both services have in common.
struct Site<'s> {
    args: &'s ServeArgs,
    key: &'s Key,
    tokens: Arc<Tokens>,
    misbehaviour: Misbehaviour,
    over: &'s Over,
}

impl Site<'_> {
    fn answer(
        &self,
        profile: Profile,
        binding: ServerBinding,
        code: Option<ActivationCode>,
    ) -> Result<Answer, Failure> {
        let lifetime = self.args.session_lifetime;
        let stored = MemorySessions::new(profile.layout, SESSIONS, lifetime);
        let server = Server::new(ServerConfig::new(profile.clone(), self.key.public().clone()));
        match self.args.sessions {
            SessionsAre::Stored => self.service(profile, binding, code, server, stored),
            SessionsAre::Sealed => {
                let sealing = SealingKey::generate(&mut SysRng)
                    .map_err(|error| failed(io::Error::other(error)))?;
                let log = MemoryReplayLog::new(SESSIONS);
                let sealed = SealedSessions::new(&server, &sealing, lifetime, log, stored);
                self.service(profile, binding, code, server, sealed)
            }
        }
    }

    fn service<S: Sessions + 'static>(
        &self,
        profile: Profile,
        binding: ServerBinding,
        code: Option<ActivationCode>,
        server: Server,
        sessions: S,
    ) -> Result<Answer, Failure> {
        let issuer = TestIssuer { code, tokens: Arc::clone(&self.tokens) };
        let service = Service::new(server, binding, sessions, self.key.clone(), issuer);
        let misbehaving = self.misbehaviour.clone().with(profile, self.key.public().bits())?;
        let over = self.args.once.then(|| self.over.clone());
        Ok(Box::new(move |request| {
            let honest = |request: ServiceRequest<'_>| service.handle(request, now(), &mut SysRng);
            let handled = misbehaving.answer(request, &honest);
            log::handled(request, &handled);
            if let (Event::Committed(_), Some(over)) = (&handled.event, &over) {
                over.signal.notify_one();
            }
            handled
        }))
    }
}

fn now() -> Timestamp {
    Timestamp(UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs()))
}

/// When the server is to end: after an interrupt, a request to end, or its only token.
#[derive(Clone)]
struct Over {
    signal: Arc<Notify>,
}

impl Over {
    /// A second interrupt does not wait for whatever is being answered.
    fn watched() -> Self {
        let signal = Arc::new(Notify::new());
        let over = Self { signal: Arc::clone(&signal) };
        let interrupted = AtomicBool::new(false);
        // Where there are no signals to be had, an interrupt is what it always is.
        let _ = ctrlc::set_handler(move || {
            if interrupted.swap(true, Ordering::Relaxed) {
                std::process::exit(0);
            }
            signal.notify_one();
        });
        over
    }
}
