//! What a client checks in an answer.

use super::ClientConfig;
use crate::message::{Extension, ExtensionKind, Mac, Version};
use crate::{ClientError, Namespace, Prf};
use alloc::string::String;
use subtle::ConstantTimeEq;

/// The choice of a server: one of those offered, or the first of them where it names none.
pub(super) fn chosen<A: Copy + PartialEq>(
    uri: Option<&str>,
    offered: &[A],
    named: impl Fn(&str) -> Option<A>,
) -> Result<A, ClientError> {
    let Some(uri) = uri else {
        return offered.first().copied().ok_or_else(|| ClientError::Algorithm(String::new()));
    };
    named(uri)
        .filter(|algorithm| offered.contains(algorithm))
        .ok_or_else(|| ClientError::Algorithm(String::from(uri)))
}

/// This client speaks 1.0 alone: what is lower is a downgrade, what is higher was not announced
/// (R009, R010).
pub(super) fn version(version: Option<&Version>) -> Result<(), ClientError> {
    match version {
        Some(version) if *version != Version::V1_0 => {
            Err(ClientError::Version(String::from(version.as_str())))
        }
        _ => Ok(()),
    }
}

/// A client does not go on without what the server holds for critical (R097), nor when its own
/// `ClientInfo` comes back altered (R107). One that does not come back is done without.
pub(super) fn extensions(
    config: &ClientConfig,
    extensions: &[Extension],
) -> Result<(), ClientError> {
    let sent = config.client_info.as_ref();
    for extension in extensions {
        if let Some(name) = extension.unknown_critical(&config.profile) {
            return Err(ClientError::CriticalExtension(String::from(name)));
        }
        if let ExtensionKind::ClientInfo(echo) = &extension.kind
            && sent.is_some_and(|sent| sent != echo)
        {
            return Err(ClientError::ClientInfoEcho);
        }
    }
    Ok(())
}

/// A MAC is there, of the algorithm agreed on if it names one, and right; compared in constant time
/// (R299).
pub(super) fn mac(
    mac: Option<&Mac>,
    expected: &[u8],
    prf: Prf,
    namespaces: &[Namespace],
) -> Result<(), ClientError> {
    let mac = mac.ok_or(ClientError::Mac)?;
    let named = mac.algorithm.as_deref();
    let right_name = named.is_none_or(|uri| Prf::from_uri(uri, namespaces) == Some(prf));
    let right_value = bool::from(mac.value.ct_eq(expected));
    if right_name && right_value { Ok(()) } else { Err(ClientError::Mac) }
}
