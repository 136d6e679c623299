//! Two clients on one thread: gets a SecurID token for each of two codes, at once, on tokio.
//!
//! ```sh
//! CTKIP_CODES=314159265358,271828182845 cargo run -p ctkip-examples --bin async_client -- \
//!     https://am.example.com:7004/ctkip/services/CtkipService
//! ```
#![forbid(unsafe_code)]

use ctkip_core::wire::{Binding, soap::Soap};
use ctkip_core::{ActivationCode, Client, ClientConfig, NewToken, Profile};
use ctkip_transport::Run;
use ctkip_transport_async::HttpTransport;
use getrandom::SysRng;
use std::error::Error;
use std::{env, process::ExitCode};
use tokio::runtime::Builder;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let (Some(url), Ok(codes)) = (env::args().nth(1), env::var("CTKIP_CODES")) else {
        eprintln!("usage: CTKIP_CODES=…,… async_client URL");
        return Ok(ExitCode::from(2));
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        let provision = |code: &str| tokio::spawn(provision(url.clone(), code.into()));
        let runs: Vec<_> = codes.split(',').map(provision).collect();
        let mut status = ExitCode::SUCCESS;
        for run in runs {
            match run.await.map_err(Failure::from).flatten() {
                Ok(token) => println!("token {}", token.settings().serial),
                Err(error) => {
                    eprintln!("no token: {error}");
                    status = ExitCode::FAILURE;
                }
            }
        }
        status
    }))
}

/// Dropping this future closes the connection, and leaves the outcome unknown if the second request
/// was under way.
async fn provision(url: String, code: String) -> Result<NewToken, Failure> {
    let soap = Soap::new(ActivationCode::new(code.into_bytes()))?;
    let client = Client::new(ClientConfig::new(Profile::SECURID));
    let mut transport = HttpTransport::new(&url)?;
    let run = Run::new(client, Binding::Soap(soap));
    Ok(run.over_async(&mut transport, &mut SysRng).await?)
}
