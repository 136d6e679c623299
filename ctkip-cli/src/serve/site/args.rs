//! The options of a server that remembers.

use std::net::IpAddr;

use clap::Args;
use ipnet::IpNet;

use crate::register::StoreArgs;

// What only a server that remembers takes.
#[derive(Debug, Args)]
pub(crate) struct SiteArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

// How it serves what is in the store: another server of the same store may do it otherwise.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server that remembers")]
pub(crate) struct NodeArgs {
    /// Listen on an address that other machines can reach without TLS, since a proxy that speaks TLS
    /// stands before it
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) behind_proxy: bool,
    /// Believe the header `Forwarded` of this proxy, or of those in this network, where it says whom a
    /// request came from. Repeatable
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// Tell how the server is, on a port of its own: /healthz, /readyz, and /metrics for Prometheus
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) admin_listen: Option<String>,
    /// Let --admin-listen be an address that other machines can reach: there is neither TLS nor a
    /// password, and no secret either
    #[arg(long, requires = "admin_listen")]
    pub(crate) admin_exposed: bool,
    /// Requests answered at a time. They wait for the store's disk more than they compute
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) workers: u32,
    /// Connections at a time; more wait
    #[arg(long, value_name = "NUMBER", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) connections: u32,
    /// Wrong codes borne from one address within a window; then it gets nothing, whatever it brings
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) guesses_per_source: u64,
    /// Wrong codes borne from all together within a window; then nobody gets anything
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) guesses_total: u64,
    /// How long a window is
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) guess_window: u64,
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "give an address or a network, as in 192.0.2.1 or 10.0.0.0/8".into())
}
