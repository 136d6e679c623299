//! How the server is reached: in memory, or over HTTP.

use std::time::Duration;

use ctkip_core::ActivationCode;
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::ServerBinding;
use ctkip_transport::{AsyncTransport, Outcome, RunError, TransportError};
use ctkip_transport_async::{HttpTransport, Options, Proxy};
use ctkip_transport_loopback::{Enrolment, Loopback, MemoryIssuer, random_serial, service};
use getrandom::SysRng;

use super::from::From;
use crate::args::{Connection, ProfileName, ProvisionArgs};
use crate::error::{Failure, Status};
use crate::input;

/// The largest file of certificates, in octets.
const MAX_PEM: usize = 4 << 20;

/// The transport to wherever the token is to come from.
pub(super) async fn transport(
    from: &From,
    args: &ProvisionArgs,
    code: &Option<ActivationCode>,
) -> Result<Box<dyn AsyncTransport>, Failure> {
    match from {
        From::Loopback => loopback(args, code),
        From::Link(link) => {
            let mut transport = http(&link.url, &args.connection)?;
            // The server turns to it while room for the token is taken.
            let outcome = Outcome::NothingCommitted;
            let connected = transport.connect().await;
            connected.map_err(|error| RunError::Transport { error, outcome })?;
            Ok(Box::new(transport))
        }
    }
}

fn http(url: &str, args: &Connection) -> Result<HttpTransport, Failure> {
    let local = |error: TransportError, next: &str| {
        Failure::new(Status::Usage, error.kind.as_str(), error.to_string(), next)
    };
    let mut options = Options::default().timeout(Duration::from_secs(args.timeout));
    for path in &args.ca_cert {
        let pem = input::read(path, MAX_PEM)?;
        options = options.ca_pem(&pem).map_err(|error| {
            let what = format!("{}: {error}", path.display());
            Failure { what, ..local(error, "Give a PEM file with the authority's certificate.") }
        })?;
    }
    if args.insecure {
        options = options.dangerous_accept_any_certificate();
    }
    if let Some(proxy) = &args.proxy {
        options = options.proxy(Proxy::Url(proxy.clone()));
    }
    HttpTransport::with(url, &options)
        .map_err(|error| local(error, "Check the URL, --proxy and --ca-cert."))
}

/// A server in memory that gives out one token, with a key of the size the client wants at least.
fn loopback(
    args: &ProvisionArgs,
    code: &Option<ActivationCode>,
) -> Result<Box<dyn AsyncTransport>, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::new(
            Status::Usage,
            "loopback",
            format!("no server in memory: {error}"),
            "Try again.",
        )
    };
    let profile = args.profile.profile();
    let bits = args.min_key_bits.unwrap_or(profile.min_key_bits).max(1024);
    let key = RsaPrivateKey::generate(bits, &mut SysRng).map_err(|error| failed(&error))?;
    let serial = random_serial(&mut SysRng).map_err(|error| failed(&error))?;
    let mut issuer = MemoryIssuer::new(Enrolment::new(serial));
    if let Some(code) = code {
        issuer = issuer.code(ActivationCode::new(code.expose().to_vec()));
    }
    let binding = match args.profile {
        ProfileName::Securid => ServerBinding::Soap,
        ProfileName::Rfc4758 => ServerBinding::Plain,
    };
    let service = Box::new(service(profile, binding, key, issuer));
    Ok(Box::new(Loopback::new(service, SysRng)))
}
