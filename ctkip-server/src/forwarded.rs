//! Where a request came from, when a proxy stands in between (RFC 7239).

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address that the proxies vouch for: the last in `Forwarded` that is none of them. A proxy that
/// is not trusted, or a header that cannot be read, leaves it at what was reached last.
pub(crate) fn source(peer: IpAddr, forwarded: &[&[u8]], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| {
        let address = address.to_canonical();
        trusted.iter().any(|network| network.contains(&address))
    };
    let elements = forwarded.iter().rev().flat_map(|value| value.split(|c| *c == b',').rev());
    let mut source = peer;
    for element in elements {
        if !is_trusted(&source) {
            break;
        }
        match address(element) {
            Some(address) => source = address,
            None => break,
        }
    }
    source
}

/// The `for` of one element.
fn address(element: &[u8]) -> Option<IpAddr> {
    let element = str::from_utf8(element).ok()?;
    let pair = element.split(';').map(str::trim).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    let node = pair.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(pair);
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    bare.parse().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[&str], trusted: &[&str]) -> String {
        let headers: Vec<&[u8]> = headers.iter().map(|header| header.as_bytes()).collect();
        let trusted: Vec<IpNet> =
            trusted.iter().map(|network| network.parse().expect("a network")).collect();
        source(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = &["10.0.0.0/8"];
        for (peer, headers, trusted, expected) in [
            ("192.0.2.1", &["for=198.51.100.7"][..], &proxies[..], "192.0.2.1"),
            ("10.0.0.1", &["for=198.51.100.7"], &[], "10.0.0.1"),
            ("10.0.0.1", &["for=198.51.100.7"], proxies, "198.51.100.7"),
            ("10.0.0.1", &["For=\"198.51.100.7:4711\";proto=https"], proxies, "198.51.100.7"),
            ("10.0.0.1", &["for=\"[2001:db8::7]:4711\""], proxies, "2001:db8::7"),
            ("10.0.0.1", &["for=\"[2001:db8::7]\""], proxies, "2001:db8::7"),
            // What the client itself wrote stands further left.
            ("10.0.0.1", &["for=203.0.113.9, for=198.51.100.7"], proxies, "198.51.100.7"),
            ("10.0.0.1", &["for=203.0.113.9", "for=198.51.100.7"], proxies, "198.51.100.7"),
            ("10.0.0.1", &["for=198.51.100.7, for=10.0.0.2"], proxies, "198.51.100.7"),
            ("::ffff:10.0.0.1", &["for=198.51.100.7"], proxies, "198.51.100.7"),
            ("10.0.0.1", &["for=unknown"], proxies, "10.0.0.1"),
            ("10.0.0.1", &["proto=https"], proxies, "10.0.0.1"),
            ("10.0.0.1", &["\u{FF}"], proxies, "10.0.0.1"),
            ("10.0.0.1", &[], proxies, "10.0.0.1"),
        ] {
            assert_eq!(seen(peer, headers, trusted), expected, "{peer} {headers:?}");
        }
    }
}
