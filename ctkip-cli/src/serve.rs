//! `ctkip serve`: a server for testing clients, and one that remembers.

pub(crate) mod args;
pub(crate) mod config;
mod end;
mod key;
mod kind;
mod link;
mod listen;
mod log;
mod site;
mod test;
mod tls;

use std::io;

use ctkip_core::Date;
use ctkip_token::ExpiryDay;

use self::args::ServeArgs;
use self::kind::Kind;
use crate::error::{Failure, Status};
use crate::output::Output;

/// The largest PEM file, in octets.
const MAX_PEM: usize = 1 << 20;

pub(crate) fn run(args: &ServeArgs, output: Output) -> Result<(), Failure> {
    match args.kind {
        Kind::Test => test::run(&args.common, &args.test, output),
        Kind::Site => site::run(&args.common, &args.site, output),
    }
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Status::Usage, "serve", format!("cannot serve: {error}"), "Try again.")
}

/// The last day of a token, as the protocol has it.
fn date(day: ExpiryDay) -> Date {
    let text = day.last_day();
    let mut parts = text.splitn(3, ['-', '/']).map(|part| part.parse().unwrap_or(1));
    let mut part = || parts.next().unwrap_or(1);
    let (year, month, day) = (part(), part(), part());
    let small = |number: u16| u8::try_from(number).unwrap_or(1);
    Date { year, month: small(month), day: small(day) }
}
