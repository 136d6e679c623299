//! Where clients find the server.

use std::str::FromStr;

use ctkip_core::ActivationCode;
use ctkip_token::link::{ActivationLink, Http};
use ctkip_transport_async::is_loopback;

use crate::activation;
use crate::output::Output;

/// A URL that an activation link can hold.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    scheme: &'static str,
    /// Without the scheme.
    place: String,
}

impl FromStr for Service {
    type Err = String;

    /// A URL without a path gets the usual one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let link = ActivationLink::parse(text, Http::Allow).map_err(|error| error.to_string())?;
        let split = link.url.split_once("://").filter(|_| link.activation_code.is_none());
        let (scheme, place) = match split {
            Some(("https", place)) => ("https", place),
            Some(("http", place)) => ("http", place),
            _ => return Err("the URL of the service is wanted, without a code".into()),
        };
        if place.contains(['&', '%', '+', '\'', '"']) {
            return Err("an activation link can hold no &, %, + or quotes".into());
        }
        Ok(Self { scheme, place: place.into() })
    }
}

impl Service {
    pub(super) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.place)
    }

    pub(super) fn link(&self, code: &ActivationCode) -> String {
        activation::link(self.scheme, &self.place, code)
    }

    /// Clients refuse what would carry their code in clear.
    pub(super) fn warn_of_http(&self, output: Output) {
        if self.scheme == "http" && !is_loopback(&self.url()) {
            output.warn("this URL is not https: apps refuse it, and codes would travel in clear");
        }
    }
}
