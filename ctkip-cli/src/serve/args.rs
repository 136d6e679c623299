//! The command line of `ctkip serve`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use ctkip_token::ExpiryDay;

/// Run a server for testing clients
///
/// Whoever brings the code gets a token, a new one each time. It speaks the dialect of deployed
/// clients on / and /ctkip/services/CtkipService, and RFC 4758 over plain HTTP on /rfc4758 (where
/// there is no code) and, for requests of its media type, on the same paths. Sessions are in memory,
/// tokens are forgotten once they are answered. On standard output: where it listens, an activation
/// link, the fingerprint of its key, and with --print-seeds a line a token. It ends when it is
/// interrupted.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen: address and port; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// The activation code that gets tokens
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Read the code from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) code_file: Option<PathBuf>,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    pub(crate) i_know_this_is_a_test: bool,
    /// Speak TLS with the certificate, and those below it, in this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// End after the first token was answered
    #[arg(long)]
    pub(crate) once: bool,
    /// Write what happens to standard error in this form; with --verbose, every request
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log: LogForm,

    /// The RSA key of the protocol, in a PEM file [default: a new one]
    #[arg(long, value_name = "FILE", help_heading = "Protocol", conflicts_with = "key_bits")]
    pub(crate) key: Option<PathBuf>,
    /// The size of a new RSA key. Old clients want 1024
    #[arg(long, value_name = "BITS", help_heading = "Protocol", default_value_t = 2048, value_parser = bits)]
    pub(crate) key_bits: usize,
    /// Who computes with it: the Rust crate, or OpenSSL, which is faster
    #[arg(long, value_name = "BY", help_heading = "Protocol", default_value = "rustcrypto")]
    pub(crate) rsa: Rsa,
    /// Where sessions are between two requests: in memory, or sealed into their identifiers
    #[arg(long, value_name = "WHERE", help_heading = "Protocol", default_value = "stored")]
    pub(crate) sessions: SessionsAre,
    /// How long a session lasts
    #[arg(long, value_name = "SECONDS", help_heading = "Protocol", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) session_lifetime: u64,
    /// Misbehave, to see what a client makes of it; `help` lists how. NAME:N does it N times only.
    /// Repeatable
    #[arg(long, value_name = "NAME[:N]", help_heading = "Protocol")]
    pub(crate) misbehave: Vec<String>,

    #[command(flatten)]
    pub(crate) token: TokenArgs,
}

/// What is said of the tokens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tokens")]
pub(crate) struct TokenArgs {
    /// The serial number of the first token; each further one is one higher [default: random ones]
    #[arg(long, value_name = "SERIAL", value_parser = serial)]
    pub(crate) token_id: Option<u64>,
    /// Whose tokens they are
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) user: String,
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

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// A line a thing that happened
    Text,
    /// A JSON object a line
    Json,
    /// Nothing
    None,
}

/// Who computes with the RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rsa {
    /// The crate `rsa`
    Rustcrypto,
    /// OpenSSL, if the program was built with the feature `openssl`
    Openssl,
}

/// Where sessions are between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SessionsAre {
    /// In memory
    Stored,
    /// In their identifiers
    Sealed,
}

fn bits(text: &str) -> Result<usize, String> {
    match text {
        "1024" => Ok(1024),
        "2048" => Ok(2048),
        "3072" => Ok(3072),
        _ => Err("1024, 2048 or 3072".into()),
    }
}

fn interval(text: &str) -> Result<u32, String> {
    match text {
        "30" => Ok(30),
        "60" => Ok(60),
        _ => Err("30 or 60".into()),
    }
}

fn serial(text: &str) -> Result<u64, String> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| "a serial number has up to 12 digits".into())
}

fn date(text: &str) -> Result<ExpiryDay, String> {
    ExpiryDay::from_date(text).map_err(|error| error.to_string())
}
