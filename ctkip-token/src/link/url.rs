//! The service URL (docs/spec/securid-token.md section 7.2, steps 6 and 7).

use alloc::{format, string::String};

use super::{Http, LinkError};

const DEFAULT_PATH: &str = "/ctkip/services/CtkipService";

/// Checks a URL, with or without a scheme of its own, and puts it into its usual shape.
pub(super) fn normalise(scheme: Option<&str>, url: &str, http: Http) -> Result<String, LinkError> {
    if url.is_empty() {
        return Err(LinkError::Url);
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((own, rest)) if is_web(own) => (own, rest),
        _ => (scheme.unwrap_or("https"), url),
    };
    let scheme = scheme.to_ascii_lowercase();
    match (scheme.as_str(), http) {
        ("https", _) | ("http", Http::Allow) => {}
        _ => return Err(LinkError::Scheme),
    }
    if rest.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '#' | '\\')) {
        return Err(LinkError::Url);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(LinkError::Url)?;
    let (host, port) = authority_parts(authority).ok_or(LinkError::Url)?;
    let path = match path {
        "" | "/" => DEFAULT_PATH.into(),
        query if query.starts_with('?') => format!("{DEFAULT_PATH}{query}"),
        path => String::from(path),
    };
    Ok(format!("{scheme}://{}{port}{path}", host.to_ascii_lowercase()))
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Host, and port with its colon. An IPv6 address stands in brackets. No user info.
fn authority_parts(authority: &str) -> Option<(&str, &str)> {
    let host_end = match authority.strip_prefix('[') {
        Some(_) => authority.find(']')?.checked_add(1)?,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(host_end)?;
    let valid = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['@', '[', ']', '<', '>', '"', '%']),
    };
    let port_valid = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|octet| octet.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => port.is_empty(),
    };
    (valid && port_valid).then_some((host, port))
}
