//! Activation links, as apps take them.

use ctkip_core::ActivationCode;

/// The link to a service, with the code if it is one that a link can hold
/// (`docs/spec/securid-token.md` section 7).
pub(crate) fn link(scheme: &str, service: &str, code: &ActivationCode) -> String {
    let link = format!("com.rsa.securid://ctkip?scheme={scheme}&url={service}");
    let text = code.text().unwrap_or_default();
    let holds = text.len() <= 64 && text.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if holds { format!("{link}&activationCode={text}") } else { link }
}
