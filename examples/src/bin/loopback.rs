//! Four runs in one process: an honest one, and two men in the middle, of whom the second is caught by
//! a pinned key alone (`docs/security.md`).
//!
//! ```sh
//! cargo run -p ctkip-examples --bin loopback
//! ```
#![forbid(unsafe_code)]

use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::ServerBinding;
use ctkip_core::wire::{Binding, soap::Soap};
use ctkip_core::{ActivationCode, Client, ClientConfig, Profile};
use ctkip_transport::Run;
use ctkip_transport_loopback::{Enrolment, Loopback, ManInTheMiddle, MemoryIssuer, service};
use getrandom::SysRng;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    play("nobody in the middle", None, false)?;
    play("a man who swaps the server's key for his", Some(man()?), false)?;
    play("a man who also recomputes the MAC", Some(man()?.recomputing_mac()), false)?;
    play(
        "the same man, and a client that pins the server's key",
        Some(man()?.recomputing_mac()),
        true,
    )
}

type Man = ManInTheMiddle<SysRng>;

fn man() -> Result<Man, Box<dyn Error>> {
    let his_key = RsaPrivateKey::generate(1024, &mut SysRng)?;
    Ok(ManInTheMiddle::new(Profile::SECURID, his_key, SysRng))
}

fn play(title: &str, mut man: Option<Man>, pinned: bool) -> Result<(), Box<dyn Error>> {
    println!("* {title}");
    let code = || ActivationCode::new(b"314159265358".to_vec());
    let key = RsaPrivateKey::generate(1024, &mut SysRng)?;
    let mut config = ClientConfig::new(Profile::SECURID);
    if pinned {
        config = config.pin_server_key(key.public().fingerprint());
    }

    let issuer = MemoryIssuer::new(Enrolment::new("000123456789")).code(code());
    let service = service(Profile::SECURID, ServerBinding::Soap, key, issuer);
    let mut transport = Loopback::new(&service, SysRng);
    if let Some(man) = &mut man {
        transport = transport.man(|request, onward| man.carry(request, onward));
    }
    let run = Run::new(Client::new(config), Binding::Soap(Soap::new(code())?));
    let result = run.over(&mut transport, &mut SysRng);

    print!("{}", transport.transcript());
    drop(transport);
    match result {
        Ok(token) => {
            let known = |key: &[u8]| if token.key().matches(key) { "has" } else { "does not have" };
            let server_key = &service.issuer().keys()[0];
            println!("  the client has a token; the server {} its key", known(server_key.expose()));
            if let Some(his) = man.as_ref().and_then(Man::client_key) {
                println!("  the man in the middle {} its key", known(his.expose()));
            }
        }
        Err(error) => println!("  the client has no token: {error}"),
    }
    Ok(())
}
