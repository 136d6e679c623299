//! What tests of a server serve, and a client that finds out whether it still does.

use crate::cases::{CODE, Dialect, SERIAL};
use crate::serving::Serving;
use ctkip_core::service::{Handled, ServerBinding, ServiceRequest};
use ctkip_core::{ActivationCode, NewToken, Profile, Timestamp};
use ctkip_transport_blocking::HttpTransport;
use ctkip_transport_loopback::{Enrolment, MemoryIssuer, MemoryService, service};
use getrandom::SysRng;
use std::sync::{Arc, LazyLock};

/// What deployed clients send beside the code.
pub const SOAP: &str = "application/vnd.otps.ct-kip";
/// What clients of RFC 4758 send.
pub const PLAIN: &str = "application/vnd.otps.ct-kip+xml";

fn dialect(profile: Profile, binding: ServerBinding) -> Dialect {
    Dialect { profile, binding }
}

/// The two dialects that share a port.
pub static DIALECTS: LazyLock<[Dialect; 2]> = LazyLock::new(|| {
    [
        dialect(Profile::SECURID, ServerBinding::Soap),
        dialect(Profile::RFC4758, ServerBinding::Plain),
    ]
});

/// A server of many tokens.
#[must_use]
pub fn plenty(dialect: &Dialect) -> Arc<MemoryService> {
    let issuer = MemoryIssuer::new(Enrolment::new(SERIAL)).limit(1000);
    let issuer = match dialect.binding {
        ServerBinding::Soap => issuer.code(ActivationCode::new(CODE.into())),
        _ => issuer,
    };
    Arc::new(service(dialect.profile.clone(), dialect.binding, Dialect::key(), issuer))
}

/// What a router wants of a service.
pub fn answers(
    service: &Arc<MemoryService>,
) -> impl Fn(ServiceRequest<'_>) -> Handled + Send + Sync + 'static {
    let service = Arc::clone(service);
    move |request| service.handle(request, Timestamp(0), &mut SysRng)
}

/// A good run over HTTP, and its token.
///
/// # Panics
/// When it is not served.
#[track_caller]
#[must_use]
pub fn provision(dialect: &Dialect, server: &Serving, path: &str) -> NewToken {
    let url = format!("http://{}{path}", server.host());
    let mut transport = HttpTransport::new(&url).expect("a good URL");
    let run = dialect.run(dialect.config(), CODE);
    run.over(&mut transport, &mut SysRng).expect("the next good client is served")
}
