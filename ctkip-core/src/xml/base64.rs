//! Base64 as messages and envelopes have it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use std::sync::LazyLock;

/// Base64 is the greater part of what is read and written: on the processors that the crate has
/// vector code for, that is used.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
type Engine = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
type Engine = base64::engine::GeneralPurpose;

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
fn engine(config: GeneralPurposeConfig) -> Engine {
    Engine::standard(config)
}
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
fn engine(config: GeneralPurposeConfig) -> Engine {
    Engine::new(&base64::alphabet::STANDARD, config)
}

/// With all of its padding, and no bits left over.
static CANONICAL: LazyLock<Engine> = LazyLock::new(|| engine(GeneralPurposeConfig::new()));
/// With padding or without.
static UNPADDED: LazyLock<Engine> = LazyLock::new(|| engine(indifferent()));
/// As envelopes have it: bits left over are let pass, too.
static LENIENT: LazyLock<Engine> =
    LazyLock::new(|| engine(indifferent().with_decode_allow_trailing_bits(true)));

const fn indifferent() -> GeneralPurposeConfig {
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent)
}

/// The octets of an encapsulated document.
pub(crate) fn decode_lenient(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(without_white(text)).ok()
}

/// Octets in canonical form, so that no two texts stand for the same.
pub(super) fn decode_canonical(text: &[u8]) -> Option<Vec<u8>> {
    CANONICAL.decode(text).ok()
}

/// Octets in canonical form but for the padding.
pub(super) fn decode_unpadded(text: &[u8]) -> Option<Vec<u8>> {
    UNPADDED.decode(text).ok()
}

/// Appends the canonical form of `octets`.
pub(crate) fn encode(octets: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let length = encoded_len(octets);
    out.resize(start.saturating_add(length), 0);
    // There is room for exactly this.
    let _ = CANONICAL.encode_slice(octets, out.get_mut(start..).unwrap_or_default());
}

/// As [`encode`], into text.
pub(super) fn encode_text(octets: &[u8], out: &mut String) {
    CANONICAL.encode_string(octets, out);
}

/// The length of the canonical form.
pub(crate) fn encoded_len(octets: &[u8]) -> usize {
    base64::encoded_len(octets.len(), true).unwrap_or_default()
}

/// Text without the white space of XML; a copy only if there is some inside.
pub(super) fn without_white(text: &str) -> Cow<'_, [u8]> {
    let is_white = |octet: u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let text = text.as_bytes().trim_ascii();
    // Most texts have no line breaks but at their ends, which is quickly seen.
    if text.iter().fold(true, |none, octet| none & (*octet > b' ')) {
        Cow::Borrowed(text)
    } else {
        text.iter().copied().filter(|octet| !is_white(*octet)).collect()
    }
}
