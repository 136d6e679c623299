//! A server for testing clients: whoever has its one code gets tokens, and it forgets them.

mod announce;
pub(crate) mod args;
mod issuer;
mod misbehave;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ctkip_core::service::{
    Event, Handled, MemoryReplayLog, MemorySessions, SealedSessions, SealingKey, ServerBinding,
    Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::soap::Soap;
use ctkip_core::{ActivationCode, PinSettings, Profile, Server, ServerConfig};
use ctkip_token::ExpiryDay;
use ctkip_transport_axum::{Limits, both};
use ctkip_transport_loopback::Enrolment;
use getrandom::SysRng;

use self::args::{SessionsAre, TestArgs, TokenArgs};
use self::issuer::{TestIssuer, Tokens};
use self::misbehave::Misbehaviour;
use super::args::CommonArgs;
use super::end::End;
use super::key::Key;
use super::link::Place;
use super::{date, failed, listen, log};
use crate::code::Sources;
use crate::error::Failure;
use crate::output::Output;
use crate::register::now;
use crate::tokencode;

/// How many sessions are kept in memory at a time: some 100 MB at most.
const SESSIONS: usize = 1 << 16;

type Answer = Box<dyn Fn(ServiceRequest<'_>) -> Handled + Send + Sync>;

pub(super) fn run(common: &CommonArgs, args: &TestArgs, output: Output) -> Result<(), Failure> {
    if args.misbehave.iter().any(|name| name == "help") {
        return misbehave::help(output);
    }
    let misbehaviour = Misbehaviour::named(&args.misbehave)?;
    let code = code(args)?;
    let tokens = Arc::new(tokens(&args.token, &common.user, output)?);
    let address = address(common, args)?;
    let tls = common.tls()?;
    let key = Key::load(args.key.as_deref(), common.key_bits, common.rsa)?;
    let listener = listen::listen(address)?;

    log::start(common.log, output.verbose, false);
    output.warn("a test server: whoever has the code gets tokens, as many as he likes");
    let end = End::watched();
    let lifetime = common.session_lifetime;
    let site = Site { args, lifetime, key: &key, tokens, misbehaviour, end: &end };
    let soap = site.answer(Profile::SECURID, ServerBinding::Soap, Some(copy(&code)))?;
    let plain = site.answer(Profile::RFC4758, ServerBinding::Plain, None)?;
    let limits = Limits::default();
    let mut router = both(&limits, soap, plain);
    if !args.misbehave.is_empty() {
        router = misbehave::on_the_way(router);
    }

    let place = Place::new(tls.is_some(), listener.local_addr().map_err(failed)?);
    announce::announce(&place, &code, &key, output)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let mut server = ctkip_transport_axum::Server::new(listener).limits(limits);
        if let Some(config) = tls {
            server = server.tls(config);
        }
        server.serve(router, end.come()).await;
        Ok(())
    })
}

fn code(args: &TestArgs) -> Result<ActivationCode, Failure> {
    let sources =
        Sources { argument: args.code.as_deref(), file: args.code_file.as_deref(), link: None };
    let code = sources.given()?.ok_or_else(|| {
        Failure::usage(
            "no activation code was given",
            "For a test choose one, as in --code 123456789012: whoever brings it gets a token. A \
             server that remembers wants --store.",
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
fn address(common: &CommonArgs, args: &TestArgs) -> Result<SocketAddr, Failure> {
    let address = listen::address(&common.listen)?;
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

/// What is said of each token.
fn tokens(args: &TokenArgs, users: &[String], output: Output) -> Result<Tokens, Failure> {
    if users.len() > 1 {
        return Err(Failure::usage(
            "in a test all tokens are one user's, and --user names several",
            "Give --user once.",
        ));
    }
    let in_a_year =
        || ExpiryDay::from_unix(tokencode::now()).unwrap_or(ExpiryDay::MAX).plus_days(365);
    let day = args.expires.unwrap_or_else(in_a_year);
    let enrolment = Enrolment {
        serial: String::new(),
        user: users.first().cloned().unwrap_or_default(),
        service: "ctkip test server".into(),
        expiry: date(day),
        digits: args.digits,
        interval: args.interval,
        pin: PinSettings { pin_type: args.pin_type, add_pin: args.add_pin },
    };
    let print = args.print_seeds.then_some(output);
    Ok(Tokens { enrolment, next: args.token_id.map(Into::into), print })
}

/// What both services have in common.
struct Site<'s> {
    args: &'s TestArgs,
    lifetime: u64,
    key: &'s Key,
    tokens: Arc<Tokens>,
    misbehaviour: Misbehaviour,
    end: &'s End,
}

impl Site<'_> {
    fn answer(
        &self,
        profile: Profile,
        binding: ServerBinding,
        code: Option<ActivationCode>,
    ) -> Result<Answer, Failure> {
        let lifetime = self.lifetime;
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
        let end = self.args.once.then(|| self.end.clone());
        Ok(Box::new(move |request| {
            let honest = |request: ServiceRequest<'_>| service.handle(request, now(), &mut SysRng);
            let handled = misbehaving.answer(request, &honest);
            log::handled(request, &handled);
            if let (Event::Committed(_), Some(end)) = (&handled.event, &end) {
                end.call();
            }
            handled
        }))
    }
}
