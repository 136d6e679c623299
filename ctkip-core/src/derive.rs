//! Key derivation and MACs: the only callers of the PRF, as the profile says (RFC 4758 sections
//! 3.5, 3.6, 3.8.4 and 3.8.6). Under the PRF over AES every key has 16 octets.

use crate::crypto::{PrfError, prf};
use crate::{KeyInput, Prf, Profile, SecretNonce, TokenKey};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// K_TOKEN, `octets` long: CT-KIP-PRF under R_C over the label, k and R_S.
///
/// k is what R_C was encrypted under: the modulus of the server's RSA key, or K_SHARED.
///
/// # Errors
/// [`PrfError`] when R_C is no key of the PRF.
pub fn token_key(
    profile: &Profile,
    prf: Prf,
    r_c: &SecretNonce,
    k: &[u8],
    r_s: &[u8],
    octets: usize,
) -> Result<TokenKey, PrfError> {
    const LABEL: &[u8] = b"Key generation";
    let input = match profile.key_input {
        KeyInput::LabelFirst => [LABEL, k, r_s],
        KeyInput::KeyFirst => [k, LABEL, r_s],
    };
    output(profile, prf, r_c.expose(), &input, octets).map(|key| TokenKey::new(key.to_vec()))
}

/// MAC 1, by which a server shows that it may replace a key: over R, where the client sent one, and
/// R_S, under K_AUTH.
///
/// # Errors
/// [`PrfError`] when K_AUTH is no key of the PRF.
pub fn mac1(
    profile: &Profile,
    prf: Prf,
    k_auth: &[u8],
    r: Option<&[u8]>,
    r_s: &[u8],
) -> Result<Vec<u8>, PrfError> {
    let input = [profile.mac_labels.mac1(), r.unwrap_or_default(), r_s];
    mac(profile, prf, k_auth, &input, r_s.len())
}

/// MAC 2, by which the server confirms the run: over R_C, under K_AUTH or, where there is no such
/// key, under the new K_TOKEN.
///
/// # Errors
/// [`PrfError`] when K_AUTH is no key of the PRF.
pub fn mac2(
    profile: &Profile,
    prf: Prf,
    k_auth: &[u8],
    r_c: &SecretNonce,
) -> Result<Vec<u8>, PrfError> {
    mac(profile, prf, k_auth, &[profile.mac_labels.mac2(), r_c.expose()], r_c.expose().len())
}

/// R_C encrypted under a shared key, or decrypted: the octets XOR CT-KIP-PRF(K_SHARED,
/// "Encryption" ‖ R_S) of the same length (RFC 4758 section 3.6).
///
/// # Errors
/// [`PrfError`] when K_SHARED is no key of the PRF.
pub fn mask_nonce(
    profile: &Profile,
    prf: Prf,
    k_shared: &[u8],
    r_s: &[u8],
    octets: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PrfError> {
    let mut masked = output(profile, prf, k_shared, &[b"Encryption", r_s], octets.len())?;
    masked.iter_mut().zip(octets).for_each(|(mask, octet)| *mask ^= octet);
    Ok(masked)
}

fn mac(
    profile: &Profile,
    prf: Prf,
    key: &[u8],
    input: &[&[u8]],
    nonce: usize,
) -> Result<Vec<u8>, PrfError> {
    let octets = profile.mac_length.octets(nonce);
    output(profile, prf, key, input, octets).map(|mac| mac.to_vec())
}

fn output(
    profile: &Profile,
    algorithm: Prf,
    key: &[u8],
    input: &[&[u8]],
    octets: usize,
) -> Result<Zeroizing<Vec<u8>>, PrfError> {
    // RFC 4758 has keys of 16 octets only for the PRF over AES, which itself would take longer ones
    // (R201, R216).
    if !algorithm.takes_key_of(key.len()) {
        return Err(PrfError::KeyLength(key.len()));
    }
    let mut out = Zeroizing::new(alloc::vec![0; octets]);
    prf(algorithm, profile.counter, key, input, &mut out)?;
    Ok(out)
}
