//! The options of a server for testing.

use std::path::PathBuf;

use crate::value::{date, interval};
use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use ctkip_token::ExpiryDay;

// What only a server for testing takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server for testing")]
pub(crate) struct TestArgs {
    /// The activation code that gets tokens
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Read the code from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) code_file: Option<PathBuf>,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    pub(crate) i_know_this_is_a_test: bool,
    /// End after the first token was answered
    #[arg(long)]
    pub(crate) once: bool,
    /// The RSA key of the protocol, in a PEM file [default: a new one]
    #[arg(long, value_name = "FILE", conflicts_with = "key_bits")]
    pub(crate) key: Option<PathBuf>,
    /// Where sessions are between two requests: in memory, or sealed into their identifiers
    #[arg(long, value_name = "WHERE", default_value = "stored")]
    pub(crate) sessions: SessionsAre,
    /// Misbehave, to see what a client makes of it; `help` lists how. NAME:N does it N times only.
    /// Repeatable
    #[arg(long, value_name = "NAME[:N]")]
    pub(crate) misbehave: Vec<String>,
    #[command(flatten)]
    pub(crate) token: TokenArgs,
}

// What is said of the tokens.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server for testing: its tokens")]
pub(crate) struct TokenArgs {
    /// The serial number of the first token; each further one is one higher [default: random ones]
    #[arg(long, value_name = "SERIAL", value_parser = serial)]
    pub(crate) token_id: Option<u64>,
    /// Digits of a tokencode
    #[arg(long, value_name = "DIGITS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) digits: u8,
    /// Seconds between two tokencodes, 30 or 60
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = interval)]
    pub(crate) interval: u32,
    /// The day they expire, as in 2035-12-31 [default: a year from now]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) expires: Option<ExpiryDay>,
    /// PinType
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) pin_type: u32,
    /// Whether the user's PIN is added to the tokencode (AddPIN)
    #[arg(long, value_name = "0|1", default_value = "1", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub(crate) add_pin: bool,
    /// Write serial number and seed of each token, in hexadecimal digits, to standard output
    #[arg(long)]
    pub(crate) print_seeds: bool,
}

/// Where sessions are between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SessionsAre {
    /// In memory
    Stored,
    /// In their identifiers
    Sealed,
}

fn serial(text: &str) -> Result<u64, String> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| "a serial number has up to 12 digits".into())
}
