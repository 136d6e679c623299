//! The parts of a link (docs/spec/securid-token.md section 7.2, steps 1 to 5).

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

use super::LinkError;

const PREFIXES: [&str; 6] = [
    "com.rsa.securid://",
    "com.rsa.securid.iphone://",
    "securidauthenticator://",
    "viewclient-securid://",
    "http://127.0.0.1/securid/",
    "https://127.0.0.1/securid/",
];

/// The keys, with the alias of the first one.
const KEYS: [(&str, usize); 4] = [("scheme", 0), ("schema", 0), ("url", 1), ("activationcode", 2)];

/// Scheme, URL and code, decoded.
pub(super) type Parts = (Option<String>, String, Option<String>);

/// What follows prefix, word and `?` of a link for an app.
pub(super) fn after_prefix(text: &str) -> Option<&str> {
    let rest = PREFIXES.iter().find_map(|prefix| strip(text, prefix))?;
    let rest = strip(rest, "ctkip").or_else(|| strip(rest, "ctf"))?;
    rest.strip_prefix('/').unwrap_or(rest).strip_prefix('?')
}

/// Splits and decodes a query.
pub(super) fn fields(query: &str) -> Result<Parts, LinkError> {
    let query = unescape_html(query);
    if query.split('&').any(|part| split(part).0.eq_ignore_ascii_case("ctfData")) {
        return Err(LinkError::NotALink);
    }
    let mut values: [Option<&str>; 3] = [None; 3];
    for part in query.split('&') {
        let (key, value) = split(part);
        let slot = key_index(key).and_then(|index| values.get_mut(index));
        if slot.is_some_and(|slot| slot.replace(value).is_some()) {
            return Err(LinkError::Duplicate);
        }
    }
    let [scheme, url, code] = values.map(|value| value.map(decode).transpose());
    let (scheme, url, code) = (scheme?, url?.unwrap_or_default(), code?);
    let url = if starts_with(&url, "http%3A") || starts_with(&url, "https%3A") {
        decode(&url)?
    } else {
        url
    };
    Ok((scheme, url, code))
}

/// A text that is the service URL itself. A code in its query is taken out.
pub(super) fn bare_url(text: &str) -> Result<Parts, LinkError> {
    let rest = strip(text, "https://").or_else(|| strip(text, "http://"));
    let rest = rest.ok_or(LinkError::NotALink)?;
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    if host == "127.0.0.1" {
        return Err(LinkError::NotALink);
    }
    let Some((base, query)) = text.split_once('?') else {
        return Ok((None, text.into(), None));
    };
    let query = unescape_html(query);
    let (codes, others): (Vec<_>, Vec<_>) =
        query.split('&').partition(|part| key_index(split(part).0) == Some(2));
    if codes.len() > 1 {
        return Err(LinkError::Duplicate);
    }
    let code = codes.first().map(|part| decode(split(part).1)).transpose()?;
    let url = match others.join("&") {
        query if query.is_empty() => base.to_string(),
        query => alloc::format!("{base}?{query}"),
    };
    Ok((None, url, code))
}

/// Undoes `&amp;` if the link was evidently copied out of HTML source.
fn unescape_html(query: &str) -> Cow<'_, str> {
    let known = |part: &str| key_index(split(part).0).is_some();
    match query.contains("&amp;") && !query.split('&').skip(1).any(known) {
        true => query.replace("&amp;", "&").into(),
        false => query.into(),
    }
}

fn split(part: &str) -> (&str, &str) {
    part.split_once('=').unwrap_or((part, ""))
}

fn key_index(key: &str) -> Option<usize> {
    KEYS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name)).map(|(_, index)| *index)
}

fn decode(text: &str) -> Result<String, LinkError> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let pair = [rest.next(), rest.next()].map(|c| char::from(c?).to_digit(16));
                let [Some(high), Some(low)] = pair else { return Err(LinkError::Percent) };
                ((high << 4) | low) as u8
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).map_err(|_| LinkError::Percent)
}

fn strip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn starts_with(text: &str, prefix: &str) -> bool {
    strip(text, prefix).is_some()
}
