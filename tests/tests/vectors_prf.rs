//! CT-KIP-PRF, key derivation, MACs and the encryption of R_C against computed values
//! (`vectors/README.md`).

use ctkip_core::crypto::{NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme, prf};
use ctkip_core::{Counter, Prf, Profile, SecretNonce, derive};
use ctkip_tests::rng::Scripted;
use ctkip_tests::vectors::{self, from_hex, to_hex};
use serde_json::Value;

fn hex(vector: &Value, field: &str) -> Vec<u8> {
    vectors::octets(&vector[field]).unwrap_or_else(|| panic!("{field} is missing in {vector}"))
}

fn algorithm(vector: &Value) -> Prf {
    match vector["alg"].as_str() {
        Some("CT-KIP-PRF-AES") => Prf::Aes,
        Some("CT-KIP-PRF-SHA256") => Prf::Sha256,
        other => panic!("unknown PRF {other:?}"),
    }
}

fn counter(vector: &Value) -> Counter {
    match vector["counter"].as_str() {
        Some("prefix") => Counter::Prefix,
        Some("suffix") => Counter::Suffix,
        other => panic!("unknown place of the counter {other:?}"),
    }
}

/// The profile whose derivation a vector shows; the place of the counter is the vector's to say.
fn profile(vector: &Value) -> Profile {
    let mut profile = match vector["profile"].as_str() {
        Some("deployed") => Profile::SECURID,
        Some("rfc4758") => Profile::RFC4758,
        None => Profile::RFC4758,
        other => panic!("unknown profile {other:?}"),
    };
    profile.counter = counter(vector);
    profile
}

fn each(list: &str, check: impl Fn(&Value)) {
    let Some(file) = vectors::load("prf.json") else { return };
    let vectors = file[list].as_array().unwrap_or_else(|| panic!("prf.json has no {list}"));
    vectors.iter().for_each(check);
    println!("prf.json: {} of {list}", vectors.len());
    assert!(!vectors.is_empty(), "nothing ran");
}

#[test]
fn vectors_prf_alone() {
    each("prf", |vector| {
        let length = vector["dsLen"].as_u64().expect("a length");
        let mut out = vec![0; usize::try_from(length).expect("a length in memory")];
        let (key, s) = (hex(vector, "key_hex"), hex(vector, "s_hex"));
        prf(algorithm(vector), counter(vector), &key, &[&s], &mut out).expect("a key of the PRF");
        assert_eq!(to_hex(&out), vector["out_hex"], "{vector}");
        // The input may come in parts.
        let (front, back) = s.split_at(s.len() / 3);
        prf(algorithm(vector), counter(vector), &key, &[front, &[], back], &mut out)
            .expect("a key of the PRF");
        assert_eq!(to_hex(&out), vector["out_hex"], "in parts: {vector}");
    });
}

#[test]
fn vectors_prf_derivation_and_macs() {
    each("derive", |vector| {
        let (profile, prf) = (profile(vector), algorithm(vector));
        let (r_s, k) = (hex(vector, "R_S_hex"), hex(vector, "k_hex"));
        let r_c = SecretNonce::new(hex(vector, "R_C_hex"));
        let length = vector["dsLen"].as_u64().expect("a length");
        let length = usize::try_from(length).expect("a length in memory");
        let key = derive::token_key(&profile, prf, &r_c, &k, &r_s, length).expect("a key");
        assert_eq!(to_hex(key.expose()), vector["K_TOKEN_hex"], "{vector}");
        let k_auth = key.expose();
        let mac1 = derive::mac1(&profile, prf, k_auth, None, &r_s).expect("MAC 1");
        assert_eq!(to_hex(&mac1), vector["mac1_over_R_S_hex"], "{vector}");
        if let Some(r) = vectors::octets(&vector["mac1_R_hex"]) {
            let mac1 = derive::mac1(&profile, prf, k_auth, Some(&r), &r_s).expect("MAC 1");
            assert_eq!(to_hex(&mac1), vector["mac1_over_R_and_R_S_hex"], "{vector}");
        }
        let mac2 = derive::mac2(&profile, prf, k_auth, &r_c).expect("MAC 2");
        assert_eq!(to_hex(&mac2), vector["mac2_over_R_C_hex"], "{vector}");
    });
}

#[test]
fn vectors_prf_nonce_under_a_shared_key() {
    each("nonce_encryption", |vector| {
        let (profile, prf) = (profile(vector), algorithm(vector));
        let (key, r_s) = (hex(vector, "K_SHARED_hex"), hex(vector, "R_S_hex"));
        let r_c = hex(vector, "R_C_hex");
        let masked = derive::mask_nonce(&profile, prf, &key, &r_s, &r_c).expect("a mask");
        assert_eq!(to_hex(&masked), vector["encrypted_nonce_hex"], "{vector}");
        let back = derive::mask_nonce(&profile, prf, &key, &r_s, &masked).expect("a mask");
        assert_eq!(to_hex(&back), to_hex(&r_c), "{vector}");
    });
}

#[test]
fn vectors_prf_nonce_under_an_rsa_key() {
    each("oaep", |vector| {
        let e = vector["e"].as_u64().expect("an exponent").to_be_bytes();
        let key = RsaPublicKey::new(&hex(vector, "n_hex"), &e).expect("a usable key");
        let message = SecretNonce::new(hex(vector, "message_hex"));
        let mut rng = Scripted::new(&[&hex(vector, "seed_hex")]);
        let ciphertext = key.encrypt(Padding::OaepSha1, &message, &mut rng).expect("a ciphertext");
        assert_eq!(to_hex(&ciphertext), vector["ciphertext_hex"], "{vector}");
        assert_eq!(rng.left(), 0, "the seed is all that is drawn");
    });
}

#[test]
fn a_ciphertext_of_another_key_scheme_or_length_does_not_decrypt() {
    let mut seed = Scripted::default().then_anything();
    let key = RsaPrivateKey::from_primes(
        &from_hex("a08125d90f3d73adb1a099c740850ad185238a96568ebaa189ddf8a88aab6fa828e89bbda5622559e08eb888f4b4ec5e18947e489aea24f43963a6eba6d735a7"),
        &from_hex("eeb531d3bce7ff27425f39b9066e04a2a0cfc02204c868211ce568fb319b75198612b2abc76dd8e5bf8e7c05c712632ecc591461082acd75dd834879db86c0a5"),
        &[1, 0, 1],
    )
    .expect("a usable key");
    let r_c = SecretNonce::new(vec![7; 16]);
    let scheme = Scheme::Rsa(Padding::OaepSha1);
    let good = key.public().encrypt(Padding::OaepSha1, &r_c, &mut seed).expect("a ciphertext");
    assert!(key.decrypt(scheme, &[], &good, &mut seed).expect("it decrypts").matches(&[7; 16]));
    let mut garbled = good.clone();
    garbled[77] ^= 1;
    let mut longer = good.clone();
    longer.insert(0, 0);
    for bad in [&garbled[..], &longer, &good[1..], &[], &[0xFF; 128]] {
        assert!(key.decrypt(scheme, &[], bad, &mut seed).is_err());
    }
    assert!(key.decrypt(Scheme::SharedKey(Prf::Aes), &[], &good, &mut seed).is_err());
}
