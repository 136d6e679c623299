//! What the user names to provision from.

use std::fmt;
use std::path::Path;

use ctkip_token::link::{ActivationLink, Http, LinkError};
use ctkip_transport_async::is_loopback;

use crate::error::Failure;
use crate::input;
use crate::qr;

/// The longest file that is searched for a link, in octets.
const MAX_FILE: usize = 16 << 20;

/// What activation links and URLs begin with.
const BEGINNINGS: [&str; 6] = [
    "com.rsa.securid://",
    "com.rsa.securid.iphone://",
    "securidauthenticator://",
    "viewclient-securid://",
    "https://",
    "http://",
];

/// Where to provision from.
#[derive(Debug)]
pub(crate) enum From {
    /// A server in this process.
    Loopback,
    /// A server elsewhere.
    Link(ActivationLink),
}

impl From {
    /// Reads a URL, a link, a picture of its QR code, or a file or text with a link in it.
    pub(crate) fn read(given: &str) -> Result<Self, Failure> {
        if given.trim() == "loopback:" {
            return Ok(Self::Loopback);
        }
        let begins = |text: &str| BEGINNINGS.iter().any(|start| begins_with(text, start));
        if begins(given.trim()) && !given.trim().contains(char::is_whitespace) {
            return Ok(Self::Link(link(given)?));
        }
        let text = if given == "-" || Path::new(given).exists() {
            let content = input::read(Path::new(given), MAX_FILE)?;
            match qr::text_in_picture(&content)? {
                Some(text) => text,
                None => String::from_utf8_lossy(&content).into_owned(),
            }
        } else {
            given.to_owned()
        };
        let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'');
        let mut links = text.split(ends).filter(|word| begins(word));
        let found = links.clone().find(|word| is_for_apps(word)).or_else(|| links.next());
        match found {
            Some(word) => link(word).map(Self::Link),
            None => Err(Failure::usage(
                "there is no activation link or URL in what was given",
                "Give https://HOST:PORT/…, a link, a picture of its QR code, or loopback: to try.",
            )),
        }
    }

    /// The code that stands in the link.
    pub(crate) fn link_code(&self) -> Option<&str> {
        match self {
            Self::Loopback => None,
            Self::Link(link) => link.activation_code.as_ref().map(|code| code.expose()),
        }
    }

    /// Refuses http to another host, unless the user allows it.
    pub(crate) fn check_scheme(&self, allow_http: bool) -> Result<(), Failure> {
        let Self::Link(link) = self else { return Ok(()) };
        if allow_http || begins_with(&link.url, "https://") || is_loopback(&link.url) {
            return Ok(());
        }
        Err(Failure::usage(
            format!("{} is not https: the code would travel in clear", link.url),
            "Ask for an https URL, or add --allow-http if the way is safe.",
        ))
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("a server in memory"),
            Self::Link(link) => f.write_str(&link.url),
        }
    }
}

/// A link or URL. Whether http is all right is asked later, when the host is known.
fn link(text: &str) -> Result<ActivationLink, Failure> {
    // Links of apps may begin with this address, so a URL of it is read under another name.
    const ADDRESS: &str = "://127.0.0.1";
    const OTHER: &str = "://loopback.invalid";
    match ActivationLink::parse(text, Http::Allow) {
        Err(LinkError::NotALink) if begins_with(text.trim(), "http") => {
            let mut link = ActivationLink::parse(&text.replacen(ADDRESS, OTHER, 1), Http::Allow)?;
            link.url = link.url.replacen(OTHER, ADDRESS, 1);
            Ok(link)
        }
        parsed => Ok(parsed?),
    }
}

fn is_for_apps(word: &str) -> bool {
    ActivationLink::parse(word, Http::Allow).is_ok() && !begins_with(word, "http")
}

fn begins_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}
