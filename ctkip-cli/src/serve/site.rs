//! A server that remembers: enrolments with codes for one token each, in a store.

mod announce;
pub(crate) mod args;
mod housekeeping;
mod risk;
mod users;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use ctkip_server::store::StoreUrl;
use ctkip_server::{GuessLimits, Registry, RegistryError, Site, SiteOptions};
use ctkip_transport_axum::{Limits, Server};
use getrandom::SysRng;

use self::args::{NodeArgs, SiteArgs};
use self::housekeeping::Housekeeping;
use super::args::CommonArgs;
use super::end::End;
use super::key::{self, Key};
use super::link::Place;
use super::{failed, listen, log};
use crate::error::Failure;
use crate::output::Output;
use crate::register::{self, now};

/// Connections at a time to those who watch over the server.
const WATCHERS: usize = 16;

pub(super) fn run(common: &CommonArgs, args: &SiteArgs, output: Output) -> Result<(), Failure> {
    let address = address(common, args)?;
    let admin = args.node.admin()?;
    let make = Key::maker(common.rsa)?;
    let url = args.url()?;
    if url != StoreUrl::Memory && !common.user.is_empty() {
        return Err(Failure::usage(
            format!("--user enrols into a store in memory, and this is {url}"),
            "Enrol with `ctkip enrol`, at any time.",
        ));
    }
    let tls = common.tls()?;
    // A port that is taken is told of before a store is made.
    let listener = listen::listen(address)?;
    let admin = admin.map(listen::listen).transpose()?;
    log::start(common.log, output.verbose, true);
    let end = End::watched();

    let unusable = |error: RegistryError| register::failure(&url, error);
    let registry = Arc::new(args.store.open_at(&url)?);
    registry.first_key(common.key_bits, now(), &mut SysRng).map_err(unusable)?;
    let codes = users::enrol(&registry, &common.user, now()).map_err(unusable)?;
    let guesses = args.node.guesses();
    let options = args.node.options(common, guesses);
    let site =
        Site::new(Arc::clone(&registry), make, options).map_err(|error| unusable(error.into()))?;

    let limits = args.node.limits();
    let router = site.router(&limits, log::handled);
    let place = Place::new(tls.is_some(), listener.local_addr().map_err(failed)?);
    let watched = admin.as_ref().map(TcpListener::local_addr).transpose().map_err(failed)?;
    announce::announce(&place, watched, &pin(&registry, &url)?, &codes, output)?;
    drop(codes);
    let housekeeping = Housekeeping::begin(site.clone(), guesses, output);

    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    let served = runtime.block_on(async {
        let mut server = Server::new(tokio_listener(listener)?).limits(limits);
        if let Some(config) = tls {
            server = server.tls(config);
        }
        let admin = admin.map(tokio_listener).transpose()?;
        let watched = async {
            if let Some(listener) = admin {
                watch(listener, site.admin_router(), &end).await;
            }
        };
        tokio::join!(server.serve(router, end.come()), watched);
        Ok(())
    });
    // The store blocks while it is closed, which is not for a runtime to do: so that goes first.
    drop(runtime);
    housekeeping.finish();
    served
}

/// Where to listen. Codes do not travel in clear over a network, unless a proxy takes care of that.
fn address(common: &CommonArgs, args: &SiteArgs) -> Result<SocketAddr, Failure> {
    let address = listen::address(&common.listen)?;
    if address.ip().is_loopback() || common.tls_cert.is_some() || args.node.behind_proxy {
        return Ok(address);
    }
    Err(Failure::usage(
        format!(
            "{address} can be reached from other machines, and without TLS codes travel in clear"
        ),
        "Add --tls-cert and --tls-key; or --behind-proxy, if a proxy that speaks TLS stands before it.",
    ))
}

/// The fingerprint of the key that is offered to new enrolments.
fn pin(registry: &Registry, url: &StoreUrl) -> Result<String, Failure> {
    let keys = registry.keys(now()).map_err(|error| register::failure(url, error))?;
    let current = keys.iter().find(|key| key.current);
    Ok(current.map(|current| key::pin(&current.id)).unwrap_or_default())
}

/// Tells how the server is.
async fn watch(listener: tokio::net::TcpListener, router: Router, end: &End) {
    let mut limits = Limits::default();
    limits.connections = WATCHERS;
    Server::new(listener).limits(limits).serve(router, end.come()).await;
}

fn tokio_listener(listener: TcpListener) -> Result<tokio::net::TcpListener, Failure> {
    tokio::net::TcpListener::from_std(listener).map_err(failed)
}

impl SiteArgs {
    fn url(&self) -> Result<StoreUrl, Failure> {
        self.store.url()?.ok_or_else(|| {
            Failure::usage(
                "no store was named",
                "Add --store sqlite:FILE, or set CTKIP_STORE; for a test give --code instead.",
            )
        })
    }
}

impl NodeArgs {
    fn admin(&self) -> Result<Option<SocketAddr>, Failure> {
        let Some(named) = &self.admin_listen else { return Ok(None) };
        let address = listen::address(named)?;
        if address.ip().is_loopback() || self.admin_exposed {
            return Ok(Some(address));
        }
        Err(Failure::usage(
            format!(
                "{address} can be reached from other machines, and tells them how the server is"
            ),
            "Give --admin-listen an address of this machine alone, or add --admin-exposed.",
        ))
    }

    fn guesses(&self) -> GuessLimits {
        let mut guesses = GuessLimits::default();
        guesses.per_source = self.guesses_per_source;
        guesses.total = self.guesses_total;
        guesses.window = self.guess_window;
        guesses
    }

    fn options(&self, common: &CommonArgs, guesses: GuessLimits) -> SiteOptions {
        let mut options = SiteOptions::default();
        options.session_lifetime = common.session_lifetime;
        options.guesses = guesses;
        options.trusted_proxies.clone_from(&self.trusted_proxy);
        options
    }

    fn limits(&self) -> Limits {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let mut limits = Limits::default();
        limits.workers = number(self.workers);
        limits.connections = number(self.connections);
        // Each connection has one request under way: none is turned away for want of a place.
        limits.queue = limits.queue.max(limits.connections);
        limits
    }
}
