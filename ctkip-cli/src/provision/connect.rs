//! How the server is reached: in memory, or over HTTP.

use ctkip_core::ActivationCode;
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::ServerBinding;
use ctkip_transport::Transport;
use ctkip_transport_loopback::{Enrolment, Loopback, MemoryIssuer, random_serial, service};
use getrandom::SysRng;

use super::from::From;
use crate::args::{ProfileName, ProvisionArgs};
use crate::error::{Failure, Status};

/// The transport to wherever the token is to come from.
pub(super) fn transport(
    from: &From,
    args: &ProvisionArgs,
    code: &Option<ActivationCode>,
) -> Result<Box<dyn Transport>, Failure> {
    match from {
        From::Loopback => loopback(args, code),
        From::Link(_) => Err(Failure::usage("not yet", "wait")),
    }
}

/// A server in memory that gives out one token, with a key of the size the client wants at least.
fn loopback(
    args: &ProvisionArgs,
    code: &Option<ActivationCode>,
) -> Result<Box<dyn Transport>, Failure> {
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
