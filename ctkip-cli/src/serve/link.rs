//! What clients are given to find a server.

use std::net::SocketAddr;

use ctkip_core::ActivationCode;

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

    /// The activation link, with the code if it is one that a link can hold
    /// (`docs/spec/securid-token.md` section 7).
    pub(super) fn link(&self, code: &ActivationCode) -> String {
        let Self { scheme, address } = self;
        let link = format!("com.rsa.securid://ctkip?scheme={scheme}&url={address}{PATH}");
        let text = code.text().unwrap_or_default();
        let holds = text.len() <= 64 && text.bytes().all(|octet| octet.is_ascii_alphanumeric());
        if holds { format!("{link}&activationCode={text}") } else { link }
    }
}
