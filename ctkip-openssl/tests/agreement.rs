//! OpenSSL and RustCrypto give the same answers: to good ciphertexts, and to bad ones.

use ctkip_core::crypto::{
    DecryptFailed, NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme, UnusableKey,
};
use ctkip_core::{Prf, SecretNonce};
use ctkip_openssl::OpensslKey;
use getrandom::SysRng;
use rand_core::TryRng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

const OAEP: Scheme = Scheme::Rsa(Padding::OaepSha1);
const PKCS1: Scheme = Scheme::Rsa(Padding::Pkcs1v15);

/// The same key in both libraries.
struct Pair {
    ours: RsaPrivateKey,
    openssl: OpensslKey,
}

impl Pair {
    fn new(p: &[u8], q: &[u8], e: &[u8]) -> Self {
        let ours = RsaPrivateKey::from_primes(p, q, e).expect("a usable key");
        let openssl = OpensslKey::from_primes(p, q, e).expect("usable by OpenSSL too");
        assert!(ours.public() == openssl.public(), "two keys");
        Self { ours, openssl }
    }

    /// A key of this size: OpenSSL makes it, so that its primes can be had.
    fn generate(bits: u32) -> Self {
        let key = openssl::rsa::Rsa::generate(bits).expect("a key");
        let [p, q] = [key.p(), key.q()].map(|prime| prime.expect("it is known").to_vec());
        Self::new(&p, &q, &key.e().to_vec())
    }

    fn public(&self) -> &RsaPublicKey {
        self.ours.public()
    }

    fn encrypt(&self, padding: Padding, octets: &[u8]) -> Vec<u8> {
        let r_c = SecretNonce::new(octets.to_vec());
        self.public().encrypt(padding, &r_c, &mut SysRng).expect("it fits")
    }

    /// What both say of a ciphertext under OAEP, which is the same.
    fn both(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let ours = decrypt(&self.ours, OAEP, ciphertext);
        assert_eq!(decrypt(&self.openssl, OAEP, ciphertext), ours);
        ours
    }
}

fn decrypt(key: &impl NonceKey, scheme: Scheme, ciphertext: &[u8]) -> Option<Vec<u8>> {
    match key.decrypt(scheme, &[0; 16], ciphertext, &mut SysRng) {
        Ok(r_c) => Some(r_c.expose().to_vec()),
        Err(DecryptFailed) => None,
    }
}

fn random(octets: usize) -> Vec<u8> {
    let mut random = vec![0; octets];
    SysRng.try_fill_bytes(&mut random).expect("random octets");
    random
}

#[test]
fn good_ciphertexts_decrypt_alike() {
    for bits in [1024, 2048] {
        let pair = Pair::generate(bits);
        // Every length that fits: the core refuses what is not 16 octets, whoever decrypted it.
        for length in 0..=bits as usize / 8 - 42 {
            let octets = random(length);
            let ciphertext = pair.encrypt(Padding::OaepSha1, &octets);
            assert_eq!(pair.both(&ciphertext), Some(octets), "{bits} bits, {length} octets");
        }
    }
}

#[test]
fn garbled_ciphertexts_fail_alike() {
    let pair = Pair::generate(1024);
    let good = pair.encrypt(Padding::OaepSha1, &[7; 16]);
    let modulus = pair.public().modulus().to_vec();
    let mut bad = vec![
        Vec::new(),
        vec![0; 128],
        vec![0; 127],
        vec![0xFF; 128],
        modulus.clone(),
        good[1..].to_vec(),
        good[..127].to_vec(),
        [&[0], &good[..]].concat(),
        [&good[..], &[0]].concat(),
        good.repeat(2),
        pair.encrypt(Padding::Pkcs1v15, &[7; 16]),
    ];
    let mut one = vec![0; 128];
    one[127] = 1;
    bad.push(one);
    bad.extend((0..1024).map(|bit| {
        let mut garbled = good.clone();
        garbled[bit / 8] ^= 1 << (bit % 8);
        garbled
    }));
    bad.extend((0..500).map(|_| random(128)));
    for ciphertext in bad {
        assert_eq!(pair.both(&ciphertext), None, "{ciphertext:02x?}");
    }
    assert_eq!(pair.both(&good), Some(vec![7; 16]), "the key is as good as before");
}

/// With implicit rejection as RustCrypto, and without it not at all.
#[test]
fn pkcs1_v1_5_is_served_only_where_bad_padding_is_hidden() {
    let pair = Pair::generate(1024);
    let good = pair.encrypt(Padding::Pkcs1v15, &[7; 16]);
    if pair.openssl.rejects_implicitly() {
        println!("this OpenSSL rejects implicitly");
        assert_eq!(decrypt(&pair.openssl, PKCS1, &good), Some(vec![7; 16]));
        for _ in 0..500 {
            let mut garbled = random(128);
            garbled[0] = 0;
            assert!(decrypt(&pair.ours, PKCS1, &garbled).is_some(), "RustCrypto tells");
            assert!(decrypt(&pair.openssl, PKCS1, &garbled).is_some(), "OpenSSL tells");
        }
    } else {
        println!("this OpenSSL does not reject implicitly");
        assert_eq!(decrypt(&pair.openssl, PKCS1, &good), None);
        for _ in 0..500 {
            assert_eq!(decrypt(&pair.openssl, PKCS1, &random(128)), None);
        }
    }
    assert_eq!(decrypt(&pair.openssl, Scheme::SharedKey(Prf::Aes), &[7; 16]), None);
}

#[test]
fn keys_that_are_none_are_refused() {
    let key = openssl::rsa::Rsa::generate(1024).expect("a key");
    let [p, q] = [key.p(), key.q()].map(|prime| prime.expect("it is known").to_vec());
    let mut composite = p.clone();
    composite[20] ^= 1;
    let e: &[u8] = &[1, 0, 1];
    for (p, q, e) in [
        (&p[..], &q[..], &[1][..]),
        (&p, &q, &[2]),
        (&p, &q, &[]),
        (&p, &p, e),
        (&composite, &q, e),
        (&[], &q, e),
        (&p, &[], e),
        (&[0; 64], &q, e),
        (&[5], &[7], &[3]),
        (&[0xFF; 4096], &q, e),
    ] {
        assert!(OpensslKey::from_primes(p, q, e).is_err(), "{p:02x?} {q:02x?} {e:?}");
    }
    assert_eq!(OpensslKey::generate(1023).err(), Some(UnusableKey::TooSmall(1023)));
    assert_eq!(OpensslKey::generate(16385).err(), Some(UnusableKey::TooLarge(16385)));
}

#[test]
fn pem_files_are_read_and_passwords_are_not_asked_for() {
    let key = openssl::rsa::Rsa::generate(1024).expect("a key");
    let modulus = key.n().to_vec();
    let pkcs1 = key.private_key_to_pem().expect("PEM");
    let locked = key
        .private_key_to_pem_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
        .expect("PEM");
    let public = key.public_key_to_pem().expect("PEM");
    let pkcs8 = openssl::pkey::PKey::from_rsa(key).and_then(|key| key.private_key_to_pem_pkcs8());
    for pem in [pkcs1, pkcs8.expect("PEM")] {
        let key = OpensslKey::from_pem(&pem).expect("a key");
        assert_eq!(key.public().modulus(), modulus);
        assert!(!format!("{key:?}").contains(&format!("{:x}", modulus[0])), "{key:?}");
    }
    for pem in [locked, public, Vec::new(), b"nothing".to_vec()] {
        assert_eq!(OpensslKey::from_pem(&pem).err(), Some(UnusableKey::Private));
    }
}

/// One key serves many threads at once.
#[test]
fn a_key_may_be_shared() {
    let pair = Pair::generate(1024);
    thread::scope(|scope| {
        for n in 0..4 {
            let pair = &pair;
            scope.spawn(move || {
                for _ in 0..100 {
                    let ciphertext = pair.encrypt(Padding::OaepSha1, &[n; 16]);
                    assert_eq!(decrypt(&pair.openssl, OAEP, &ciphertext), Some(vec![n; 16]));
                }
            });
        }
    });
}

/// Every key of the recorded exchanges, and every `EncryptedNonce` recorded under it.
#[test]
fn vectors_recorded_nonces_decrypt_alike() {
    let mut keys: BTreeMap<String, Pair> = BTreeMap::new();
    let mut nonces = 0;
    for (name, recording) in recordings() {
        let key = &recording["server_key"];
        let (Some(p), Some(q)) = (hex(&key["p_hex"]), hex(&key["q_hex"])) else { continue };
        let modulus = key["n_hex"].as_str().unwrap_or_default().to_owned();
        let e = key["e"].as_u64().expect("an exponent").to_be_bytes();
        let pair = keys.entry(modulus).or_insert_with(|| Pair::new(&p, &q, &e));
        let Some(ciphertext) = encrypted_nonce(&recording) else { continue };
        let plain = pair.both(&ciphertext);
        if let Some(r_c) = hex(&recording["secrets"]["R_C_hex"]) {
            assert_eq!(plain, Some(r_c), "{name}");
        }
        nonces += 1;
    }
    for pair in keys.values() {
        let ciphertext = pair.encrypt(Padding::OaepSha1, &[7; 16]);
        assert_eq!(pair.both(&ciphertext), Some(vec![7; 16]));
    }
    assert!(!keys.is_empty() && nonces > 0, "no recordings");
    println!("{} recorded keys, {nonces} recorded nonces", keys.len());
}

fn recordings() -> Vec<(String, Value)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = std::env::var_os("CTKIP_VECTORS").map_or_else(
        || here.join("../tests/vectors"),
        // Tests run in the package's folder; a relative path is meant from where cargo was started.
        |root| here.join("..").join(root),
    );
    let folder = root.join("exchanges");
    if !folder.exists() {
        println!("SKIP exchanges/: absent");
        return Vec::new();
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("its entries too").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read(file).expect("the file can be read");
        let value = serde_json::from_slice(&text).expect("it is JSON");
        (file.display().to_string(), value)
    };
    files.iter().map(read).collect()
}

fn hex(value: &Value) -> Option<Vec<u8>> {
    let octet = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal")
    };
    Some(value.as_str()?.as_bytes().chunks(2).map(octet).collect())
}

fn encrypted_nonce(recording: &Value) -> Option<Vec<u8>> {
    let pdu = recording["pdus"]["ClientNonce"].as_str()?;
    let (_, rest) = pdu.split_once("<EncryptedNonce")?;
    let (_, base64) = rest.split_once('>')?;
    let base64: String = base64.split('<').next()?.split_whitespace().collect();
    openssl::base64::decode_block(&base64).ok()
}
