//! Runs that every transport has to bring to the same end, whatever befalls them on the way.
//!
//! A transport's test gives [`check_all`] a way to run over it: it is handed a [`Loopback`], which
//! holds the server and the faults, and a run. The loopback transport runs over it as it is, a
//! transport with sockets puts it behind a listener.

use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::ServerBinding;
use ctkip_core::wire::{Binding, WireResponse, soap::Soap};
use ctkip_core::{ActivationCode, Client, ClientConfig, NewToken, Profile};
use ctkip_transport::{Outcome, Run, RunError};
use ctkip_transport_loopback::{Enrolment, Fault, Loopback, MemoryIssuer, MemoryService, service};
use getrandom::SysRng;
use std::iter::repeat_with;
use std::sync::Arc;

/// The activation code of every case.
pub const CODE: &str = "314159265358";
/// The serial number of every case.
pub const SERIAL: &str = "000123456789";

/// A profile and a binding, which may be combined freely.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// The profile.
    pub profile: Profile,
    /// The binding.
    pub binding: ServerBinding,
}

impl Dialect {
    /// All four.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Profile::SECURID, Profile::RFC4758]
            .into_iter()
            .flat_map(|profile| {
                [ServerBinding::Soap, ServerBinding::Plain]
                    .map(|binding| Self { profile: profile.clone(), binding })
            })
            .collect()
    }

    /// An RSA key that is quickly made: 1024 bits.
    #[must_use]
    pub fn key() -> RsaPrivateKey {
        RsaPrivateKey::generate(1024, &mut SysRng).expect("1024 bits are enough for a test")
    }

    /// A server with one token for whoever has [`CODE`], or for anybody where no code travels.
    #[must_use]
    pub fn service(&self) -> MemoryService {
        let issuer = MemoryIssuer::new(Enrolment::new(SERIAL));
        let issuer = match self.binding {
            ServerBinding::Soap => issuer.code(ActivationCode::new(CODE.into())),
            _ => issuer,
        };
        service(self.profile.clone(), self.binding, Self::key(), issuer)
    }

    /// What a client of this dialect is configured with.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        ClientConfig::new(self.profile.clone()).min_key_bits(1024)
    }

    /// A run of such a client.
    #[must_use]
    pub fn run(&self, config: ClientConfig, code: &str) -> Run<'static> {
        Run::new(Client::new(config), self.client_binding(code))
    }

    /// The client's side of the binding.
    #[must_use]
    pub fn client_binding(&self, code: &str) -> Binding {
        match self.binding {
            ServerBinding::Soap => Binding::Soap(
                Soap::new(ActivationCode::new(code.into())).expect("the code can travel"),
            ),
            _ => Binding::Plain,
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a token, the same on both sides.
    Token,
    /// By an answer that makes no token.
    Answered(Outcome),
    /// Without an answer.
    Lost(Outcome),
}

/// A run, what befalls it, and its end.
pub struct Case {
    /// In words.
    pub name: &'static str,
    /// What befalls each request.
    pub script: fn() -> Script,
    /// How it ends.
    pub end: End,
    /// How many requests reach the server.
    pub arrivals: usize,
    /// How many tokens the server gives out.
    pub issued: usize,
}

/// What befalls each request.
pub type Script = Box<dyn Iterator<Item = Fault> + Send>;

fn script<const N: usize>(faults: [Fault; N]) -> Script {
    Box::new(faults.into_iter())
}

/// The faults, and from then on always the last one.
fn for_ever(fault: fn() -> Fault) -> Script {
    Box::new([Fault::Deliver].into_iter().chain(repeat_with(fault)))
}

fn status(status: u16) -> Fault {
    Fault::Answer(WireResponse { status, headers: vec![], body: b"no\n".to_vec() })
}

/// The table.
pub const CASES: &[Case] = {
    use Fault::*;
    use Outcome::{MayBeCommitted, NothingCommitted, Refused, Unknown};
    &[
        Case {
            name: "nothing happens",
            script: || script([]),
            end: End::Token,
            arrivals: 2,
            issued: 1,
        },
        Case {
            name: "ClientHello is lost",
            script: || script([LoseRequest]),
            end: End::Lost(NothingCommitted),
            arrivals: 0,
            issued: 0,
        },
        Case {
            name: "ServerHello is lost",
            script: || script([LoseAnswer]),
            end: End::Lost(NothingCommitted),
            arrivals: 1,
            issued: 0,
        },
        Case {
            name: "ClientHello arrives twice",
            script: || script([Duplicate]),
            end: End::Token,
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "ClientNonce is lost once",
            script: || script([Deliver, LoseRequest]),
            end: End::Token,
            arrivals: 2,
            issued: 1,
        },
        Case {
            name: "ServerFinished is lost once",
            script: || script([Deliver, LoseAnswer]),
            end: End::Token,
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "ServerFinished is lost twice",
            script: || script([Deliver, LoseAnswer, LoseAnswer]),
            end: End::Token,
            arrivals: 4,
            issued: 1,
        },
        Case {
            name: "ServerFinished is always lost",
            script: || for_ever(|| LoseAnswer),
            end: End::Lost(Unknown),
            arrivals: 4,
            issued: 1,
        },
        Case {
            name: "ClientNonce is always lost",
            script: || for_ever(|| LoseRequest),
            end: End::Lost(Unknown),
            arrivals: 1,
            issued: 0,
        },
        Case {
            name: "ClientNonce arrives twice",
            script: || script([Deliver, Duplicate]),
            end: End::Token,
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "ClientNonce is overtaken by its repetition",
            script: || script([Deliver, Overtaken]),
            end: End::Token,
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "ClientNonce comes in the session's last second",
            script: || script([Deliver, Delay(299)]),
            end: End::Token,
            arrivals: 2,
            issued: 1,
        },
        Case {
            name: "ClientNonce comes when the session is over",
            script: || script([Deliver, Delay(300)]),
            end: End::Answered(Refused),
            arrivals: 2,
            issued: 0,
        },
        Case {
            name: "ServerFinished is lost, and asked for again when the session is over",
            script: || script([Deliver, LoseAnswer, Delay(300)]),
            end: End::Answered(MayBeCommitted),
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "ServerFinished is lost, and asked for again where nobody knows of it",
            script: || script([Deliver, LoseAnswer, status(404)]),
            end: End::Answered(MayBeCommitted),
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "an error page in the place of ServerHello",
            script: || script([status(500)]),
            end: End::Answered(NothingCommitted),
            arrivals: 1,
            issued: 0,
        },
        Case {
            name: "an overloaded server, once",
            script: || script([Deliver, status(503)]),
            end: End::Token,
            arrivals: 3,
            issued: 1,
        },
        Case {
            name: "an error page in the place of ServerFinished",
            script: || script([Deliver, status(500)]),
            end: End::Answered(Unknown),
            arrivals: 2,
            issued: 1,
        },
    ]
};

/// Runs every case in every dialect. `over` runs a run over the transport under test, and gives the
/// loopback back when it is done.
pub fn check_all(
    mut over: impl FnMut(
        Loopback<'static>,
        Run<'static>,
    ) -> (Result<NewToken, RunError>, Loopback<'static>),
) {
    for dialect in Dialect::all() {
        for case in CASES {
            let service = Arc::new(dialect.service());
            let loopback = Loopback::new(Arc::clone(&service), SysRng).script((case.script)());
            let (result, loopback) = over(loopback, dialect.run(dialect.config(), CODE));

            let name = format!("{} by {:?}: {}", dialect.profile.name, dialect.binding, case.name);
            let keys = service.issuer().keys();
            let end = match &result {
                Ok(token) => {
                    assert!(keys[0].matches(token.key().expose()), "{name}: keys differ");
                    assert_eq!(token.settings().serial, SERIAL, "{name}");
                    End::Token
                }
                Err(error) => end(error),
            };
            assert_eq!(end, case.end, "{name}: {result:?}");
            assert_eq!(loopback.transcript().len(), case.arrivals, "{name}: requests");
            assert_eq!(keys.len(), case.issued, "{name}: tokens");
        }
    }
}

fn end(error: &RunError) -> End {
    match error {
        RunError::Transport { outcome, .. } => End::Lost(*outcome),
        other => End::Answered(other.outcome()),
    }
}
