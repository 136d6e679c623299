//! CT-KIP activation links (docs/spec/securid-token.md section 7).

mod query;
mod url;

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

/// Where to ask for a token, and with which code.
#[derive(Debug)]
#[non_exhaustive]
pub struct ActivationLink {
    /// The service's URL, scheme and host in lower case.
    pub url: String,
    /// The activation code, if the link has one; otherwise the user is to be asked.
    pub activation_code: Option<ActivationCode>,
}

/// An activation code: 1 to 64 ASCII letters and digits, good for one token.
///
/// Wiped on drop and redacted in `Debug`.
pub struct ActivationCode(Zeroizing<String>);

/// Whether a service URL may be `http`, where code and key travel in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Http {
    /// Only `https`.
    #[default]
    Refuse,
    /// The user has said that `http` is all right.
    Allow,
}

impl ActivationLink {
    /// Reads a link in any of the shapes found in the field, or a bare service URL.
    ///
    /// ```
    /// use ctkip_token::link::{ActivationLink, Http};
    ///
    /// let text = "com.rsa.securid://ctkip?scheme=https&url=am.example.com:7004&activationCode=1234-5678-9012";
    /// let link = ActivationLink::parse(text, Http::Refuse)?;
    /// assert_eq!(link.url, "https://am.example.com:7004/ctkip/services/CtkipService");
    /// assert_eq!(link.activation_code.unwrap().expose(), "123456789012");
    /// # Ok::<(), ctkip_token::link::LinkError>(())
    /// ```
    ///
    /// # Errors
    /// See [`LinkError`]; the first step of section 7.2 that fails counts.
    pub fn parse(text: &str, http: Http) -> Result<Self, LinkError> {
        let text = strip_quotes(text);
        let (scheme, url, code) = match query::after_prefix(text) {
            Some(query) => query::fields(query)?,
            None => query::bare_url(text)?,
        };
        let url = url::normalise(scheme.as_deref(), &url, http)?;
        let code = code.map(|code| ActivationCode::parse(&code)).transpose()?.flatten();
        Ok(Self { url, activation_code: code })
    }
}

impl ActivationCode {
    /// Reads a code; blanks and dashes are dropped. `None` if nothing is left.
    ///
    /// # Errors
    /// [`LinkError::ActivationCode`] unless 1 to 64 ASCII letters and digits are left.
    pub fn parse(text: &str) -> Result<Option<Self>, LinkError> {
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let code: Zeroizing<String> = Zeroizing::new(kept);
        if code.is_empty() {
            return Ok(None);
        }
        if code.len() > 64 || !code.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(LinkError::ActivationCode);
        }
        Ok(Some(Self(code)))
    }

    /// The code.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it has the usual shape of 12 digits. If not, a warning is in order.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.0.len() == 12 && self.0.bytes().all(|octet| octet.is_ascii_digit())
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(…)")
    }
}

/// Why a text is no activation link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No known prefix, or a token instead of a link.
    #[error("not an activation link: expected com.rsa.securid://ctkip?url=… or an https URL")]
    NotALink,
    /// A key occurs twice.
    #[error("the activation link names one of its values twice")]
    Duplicate,
    /// A bad percent escape.
    #[error("the activation link has a bad percent escape")]
    Percent,
    /// The service URL is missing or malformed.
    #[error("the activation link's service URL is missing or malformed")]
    Url,
    /// The scheme is not https.
    #[error("the activation link's service URL is not https; allow http only if you must")]
    Scheme,
    /// The activation code is malformed.
    #[error("the activation code is not 1 to 64 letters and digits")]
    ActivationCode,
}

impl LinkError {
    /// The error's stable name (section 7.2).
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::NotALink => "not-a-link",
            Self::Duplicate => "duplicate",
            Self::Percent => "percent",
            Self::Url => "url",
            Self::Scheme => "scheme",
            Self::ActivationCode => "activation-code",
        }
    }
}

/// Drops white space around a text, then one pair of angle brackets or quotes.
fn strip_quotes(text: &str) -> &str {
    let text = text.trim();
    [('<', '>'), ('"', '"'), ('\'', '\'')]
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(text)
        .trim()
}
