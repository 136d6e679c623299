//! What clients are given to find a server.

use std::net::SocketAddr;

use ctkip_core::ActivationCode;

use crate::activation;

/// The path that clients are used to.
const PATH: &str = "/ctkip/services/CtkipService";

/// Where the service is.
pub(super) struct Place {
    scheme: &'static str,
    address: SocketAddr,
}

impl Place {
    pub(super) const fn new(tls: bool, address: SocketAddr) -> Self {
        Self { scheme: if tls { "https" } else { "http" }, address }
    }

    /// For clients that are told where to ask.
    pub(super) fn url(&self) -> String {
        format!("{}://{}{PATH}", self.scheme, self.address)
    }

    /// The activation link.
    pub(super) fn link(&self, code: &ActivationCode) -> String {
        activation::link(self.scheme, &format!("{}{PATH}", self.address), code)
    }
}
