//! The command line of `ctkip serve`, as far as it is that of both kinds of server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rustls::ServerConfig;

use super::kind::Kind;
use super::site::args::SiteArgs;
use super::test::args::TestArgs;
use super::tls;
use crate::error::Failure;
use crate::value::bits;

#[derive(Debug, Args)]
#[command(
    mut_arg("store", |arg| arg.help_heading("A server that remembers").help(STORE)),
    mut_arg("master_key_file", |arg| arg.help_heading("A server that remembers"))
)]
pub(crate) struct ServeArgs {
    // The first, since those below take their options out of what was parsed.
    #[command(flatten)]
    pub(crate) kind: Kind,
    /// Take options from this file too, in TOML: their long names as keys, without the dashes, as in
    /// `listen = "127.0.0.1:8080"`; true for those without a value; a list for those that are
    /// repeatable. Those of the command line take their place
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) test: TestArgs,
}

const STORE: &str = "Where enrolments and tokens are kept: sqlite:FILE, \
    postgres://USER@HOST/DATABASE (with the password in PGPASSWORD or ~/.pgpass), or memory, to try \
    it out [default: as CTKIP_STORE says]";

// What every server takes.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// Where to listen: address and port; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Speak TLS with the certificate, and those below it, in this PEM file. When it changes, the new
    /// one is taken
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Write what happens to standard error in this form; with --verbose, every request
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log: LogForm,
    /// The size of a new RSA key; a store has one after its first start. Old clients want 1024
    #[arg(long, value_name = "BITS", default_value_t = 2048, value_parser = bits)]
    pub(crate) key_bits: usize,
    /// Who computes with it: the Rust crate, or OpenSSL, which is faster
    #[arg(long, value_name = "BY", default_value = "rustcrypto")]
    pub(crate) rsa: Rsa,
    /// How long a session lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) session_lifetime: u64,
    /// In a test, whose the tokens are; with --store memory, whom to enrol at the start, each with a
    /// code of his own that is printed: repeatable then
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Vec<String>,
}

impl CommonArgs {
    /// What to speak TLS with, if it is to be spoken.
    pub(super) fn tls(&self) -> Result<Option<Arc<ServerConfig>>, Failure> {
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        files.map(|(certificates, key)| tls::config(certificates, key)).transpose()
    }
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
