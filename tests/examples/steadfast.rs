//! Provisions every code in a file, with clients that send `ClientNonce` again until it is answered.
//!
//! ```text
//! steadfast HOST:PORT FILE [CLIENTS]
//! ```
//!
//! The file is what `ctkip enrol --csv` writes: a head, then lines of serial number, user, code and
//! more. Prints a line a token, serial number and seed, and at the end `clients N tokens N refused N
//! unknown N resent N hellos_lost N`. The exit status is 1 if a client got no token.

use ctkip_tests::clients::{Effort, End, Pool, Steadfast, Ticket};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [host, file, clients @ ..] = args.as_slice() else {
        return Err("HOST:PORT and FILE are wanted".into());
    };
    let clients: usize = clients.first().map_or(Ok(16), |clients| clients.parse())?;
    let pool = Pool::default();
    for line in std::fs::read_to_string(file)?.lines().skip(1) {
        let mut cells = line.split(',').map(str::to_owned);
        let (serial, code) = (cells.next(), cells.nth(1));
        let (serial, code) = serial.zip(code).ok_or("serial, user and code are wanted")?;
        pool.add(&Ticket { serial, code }, 1);
    }
    pool.close();
    let host = || Some(host.clone());
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| pool.work(Steadfast::new(&host, Duration::from_secs(60))));
        }
    });
    let (ended, Effort { hellos_lost, resent }) = pool.ended();
    let (mut tokens, mut refused, mut unknown) = (0, 0, 0);
    for (ticket, end) in &ended {
        match end {
            End::Token(held) => {
                tokens += 1;
                let seed: Vec<String> =
                    held.key.iter().map(|octet| format!("{octet:02x}")).collect();
                println!("{} {}", held.serial, seed.concat());
            }
            End::NotOpened(error) | End::NotFinished(error) => {
                refused += 1;
                eprintln!("{}: {error}", ticket.serial);
            }
            End::Unknown => unknown += 1,
        }
    }
    println!(
        "clients {} tokens {tokens} refused {refused} unknown {unknown} resent {resent} hellos_lost {hellos_lost}",
        ended.len()
    );
    Ok(if tokens == ended.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
