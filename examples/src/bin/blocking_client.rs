//! A client of a few lines: gets a SecurID token from a server over HTTP(S).
//!
//! ```sh
//! CTKIP_CODE=314159265358 cargo run -p ctkip-examples --bin blocking_client -- \
//!     https://am.example.com:7004/ctkip/services/CtkipService
//! ```
//!
//! A server to try it with, not by the same authors, comes with `rsa_ct_kip`; `tests/interop.sh` runs
//! it.
#![forbid(unsafe_code)]

use ctkip_core::wire::{Binding, soap::Soap};
use ctkip_core::{ActivationCode, Client, ClientConfig, Profile};
use ctkip_transport::{Outcome, Run, RunError};
use ctkip_transport_blocking::HttpTransport;
use getrandom::SysRng;
use std::error::Error;
use std::{env, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (Some(url), Ok(code)) = (env::args().nth(1), env::var("CTKIP_CODE")) else {
        eprintln!("usage: CTKIP_CODE=… blocking_client URL");
        return Ok(ExitCode::from(2));
    };
    let soap = Soap::new(ActivationCode::new(code.into_bytes()))?;
    let client = Client::new(ClientConfig::new(Profile::SECURID));
    let mut transport = HttpTransport::new(&url)?;

    match Run::new(client, Binding::Soap(soap)).over(&mut transport, &mut SysRng) {
        Ok(token) => {
            let settings = token.settings();
            println!("token {} of {:?}", settings.serial, settings.issuer);
            println!("{} digits every {} seconds", settings.digits, settings.interval);
            // The seed is `token.key().expose()`: keep it where nobody else reads it.
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("no token: {error}");
            eprintln!("{}", what_now(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn what_now(error: &RunError) -> &'static str {
    match error.outcome() {
        Outcome::NothingCommitted => "Nothing was committed; the code is as good as before.",
        Outcome::Refused => "The server refused; ask for another code.",
        Outcome::MayBeCommitted | Outcome::Unknown => {
            "The server may hold a token for this code; ask for another one."
        }
    }
}
