//! Key derivation and MACs: the formulas of sections 3.4 to 3.6, 3.8.4, 3.8.6 and appendix D.

use crate::{confirmation_error, offer_error};
use ctkip_core::crypto::{PrfError, RsaPrivateKey, prf};
use ctkip_core::message::{EncryptionKey, ServerFinished, ServerHello};
use ctkip_core::{
    AuthKey, Client, ClientError, Counter, Credentials, Prf, Profile, SecretNonce, Server,
    SessionId, SharedKey, derive,
};
use ctkip_tests::pair::{
    ENCRYPTION, K_AUTH, K_SHARED, K_SHARED_NAME, Key, Office, answer, client_config, confirmed,
    k_auth, opened, record, run, server_config, site,
};
use ctkip_tests::vectors::{self, from_hex, to_hex};
use getrandom::SysRng;
use serde_json::Value;

const RFC: Profile = Profile::RFC4758;

fn output(algorithm: Prf, key: &[u8], s: &[u8], octets: usize) -> Vec<u8> {
    let mut out = vec![0; octets];
    prf(algorithm, Counter::Prefix, key, &[s], &mut out).expect("a key of the PRF");
    out
}

#[test]
fn the_prf_takes_input_of_any_length() {
    for algorithm in [Prf::Aes, Prf::Sha256] {
        let mut seen = std::collections::HashSet::new();
        for length in [0, 1, 16, 17, 1_000, 100_000] {
            assert!(seen.insert(output(algorithm, &[1; 16], &vec![0; length], 16)), "{length}");
        }
    }
}

/// Shorter outputs begin longer ones; the last block is cut, and their number is rounded up.
#[test]
fn the_prf_gives_output_of_any_length() {
    for algorithm in [Prf::Aes, Prf::Sha256] {
        let long = output(algorithm, &[1; 16], b"s", 100);
        for length in [1, 15, 16, 17, 20, 31, 32, 33, 64, 99] {
            let out = output(algorithm, &[1; 16], b"s", length);
            assert_eq!(out.len(), length);
            assert_eq!(out, long[..length]);
        }
        let blocks: std::collections::HashSet<&[u8]> = long.chunks_exact(16).collect();
        assert_eq!(blocks.len(), 6, "no block repeats");
    }
}

/// Each block is F over the number of the block, four octets, before s: shown with the function's own
/// first block, whose number can be written into s when the counter comes last.
#[test]
fn the_counter_comes_first() {
    for algorithm in [Prf::Aes, Prf::Sha256] {
        let block = if algorithm == Prf::Aes { 16 } else { 32 };
        let two = output(algorithm, &[7; 16], b"input", 2 * block);
        for (index, expected) in two.chunks_exact(block).enumerate() {
            // F(k, INT(i) ‖ "input" ‖ INT(1)) is the first block of the PRF with the counter last;
            // compare the PRF with the counter first over "input" ‖ INT(1).
            let number = u32::try_from(index + 1).expect("small").to_be_bytes();
            let joined = [&number[..], b"input"].concat();
            let mut last = vec![0; block];
            prf(algorithm, Counter::Suffix, &[7; 16], &[&joined], &mut last).expect("a key");
            let mut first = vec![0; block * (index + 1)];
            let with_one = [&b"input"[..], &1_u32.to_be_bytes()].concat();
            prf(algorithm, Counter::Prefix, &[7; 16], &[&with_one], &mut first).expect("a key");
            assert_eq!(last, first[index * block..]);
            assert_ne!(last, expected);
        }
    }
}

/// Keys of the PRF over AES have 16 octets, whatever AES itself takes (R201, R216).
#[test]
fn keys_of_the_prf_over_aes_have_16_octets() {
    for octets in [0, 15, 17, 24, 32] {
        let key = vec![1; octets];
        let r_c = || SecretNonce::new(key.clone());
        let wrong = PrfError::KeyLength(octets);
        let token = derive::token_key(&RFC, Prf::Aes, &r_c(), &[2], &[3; 16], 16);
        assert_eq!(token.map(drop), Err(wrong));
        assert_eq!(derive::mac1(&RFC, Prf::Aes, &key, None, &[3; 16]), Err(wrong));
        assert_eq!(derive::mac2(&RFC, Prf::Aes, &key, &SecretNonce::new(vec![1; 16])), Err(wrong));
        let masked = derive::mask_nonce(&RFC, Prf::Aes, &key, &[3; 16], &[4; 16]);
        assert_eq!(masked.map(drop), Err(wrong));
        // HMAC takes any.
        assert!(derive::mac1(&RFC, Prf::Sha256, &key, None, &[3; 16]).is_ok());
    }
}

/// Every input of the key matters, and the label has its place.
#[test]
fn every_input_enters_the_key() {
    for algorithm in [Prf::Aes, Prf::Sha256] {
        let key = |r_c: u8, k: &[u8], r_s: &[u8], octets| {
            let r_c = SecretNonce::new(vec![r_c; 16]);
            let key = derive::token_key(&RFC, algorithm, &r_c, k, r_s, octets).expect("a key");
            key.expose().to_vec()
        };
        let one = key(1, &[2; 128], &[3; 16], 16);
        assert_eq!(one, output(algorithm, &[1; 16], &formula(b"Key generation"), 16));
        for other in [
            key(9, &[2; 128], &[3; 16], 16),
            key(1, &[9; 128], &[3; 16], 16),
            key(1, &[2; 128], &[9; 16], 16),
            key(1, &[2; 127], &[3; 16], 16),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(key(1, &[2; 128], &[3; 16], 20)[..16], one);
    }
}

/// `label` ‖ k ‖ R_S, without terminator or length.
fn formula(label: &[u8]) -> Vec<u8> {
    [label, &[2; 128], &[3; 16]].concat()
}

#[test]
fn macs_and_masks_are_as_long_as_their_nonces() {
    for octets in [16, 20, 32, 64] {
        let nonce = vec![5; octets];
        for algorithm in [Prf::Aes, Prf::Sha256] {
            let mac1 = derive::mac1(&RFC, algorithm, &K_AUTH, None, &nonce).expect("a MAC");
            let s = [&b"MAC 1 computation"[..], &nonce].concat();
            assert_eq!(mac1, output(algorithm, &K_AUTH, &s, octets));
            let r_c = SecretNonce::new(nonce.clone());
            let mac2 = derive::mac2(&RFC, algorithm, &K_AUTH, &r_c).expect("a MAC");
            let s = [&b"MAC 2 computation"[..], &nonce].concat();
            assert_eq!(mac2, output(algorithm, &K_AUTH, &s, octets));
            let mask = derive::mask_nonce(&RFC, algorithm, &K_SHARED, &[6; 20], &vec![0; octets]);
            let s = [&b"Encryption"[..], &[6; 20]].concat();
            assert_eq!(*mask.expect("a mask"), output(algorithm, &K_SHARED, &s, octets));
        }
    }
}

/// R_S of other lengths than ours.
#[test]
fn a_client_takes_longer_server_nonces() {
    for octets in [16, 20, 32, 64] {
        let (client, mut offer, _) = opened(client_config());
        offer.server_nonce = vec![0x5A; octets];
        assert!(client.receive(ServerHello::Continue(offer), &mut SysRng).is_ok(), "{octets}");
    }
}

/// k is the modulus without a leading zero, whatever stands in the message (R164, R206).
#[test]
fn a_leading_zero_of_the_modulus_does_not_enter_the_key() {
    let (client, mut offer, pending) = opened(client_config());
    let EncryptionKey::Rsa { modulus, exponent } = &mut offer.encryption_key else {
        panic!("an RSA key")
    };
    modulus.insert(0, 0);
    exponent.insert(0, 0);
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("a good key");
    let finished = answer(pending, client.message, record());
    assert!(client.state.receive(finished).is_ok());
}

/// Every change to MAC 2 ends the run without a key.
#[test]
fn a_bad_mac_2_ends_the_run() {
    let ends = |change: &dyn Fn(&mut ctkip_core::message::Confirmation)| {
        assert_eq!(confirmation_error(client_config(), change), ClientError::Mac);
    };
    ends(&|confirmation| confirmation.mac = None);
    for octet in 0..16 {
        ends(&move |c| c.mac.as_mut().expect("a MAC").value[octet] ^= 0x80);
    }
    ends(&|c| c.mac.as_mut().expect("a MAC").value.truncate(15));
    ends(&|c| c.mac.as_mut().expect("a MAC").value.push(0));
    ends(&|c| c.mac.as_mut().expect("a MAC").value.clear());
    ends(&|c| {
        let other = Prf::Sha256.uri(ctkip_core::Namespace::Rfc4758);
        c.mac.as_mut().expect("a MAC").algorithm = Some(other);
    });
    // Without the attribute it is the algorithm agreed on.
    let (client, mut confirmation) = confirmed(client_config());
    confirmation.mac.as_mut().expect("a MAC").algorithm = None;
    assert!(client.receive(ServerFinished::Success(confirmation)).is_ok());
}

/// No MAC covers what is said of the token: it is told, and believed no more than the transport.
#[test]
fn what_is_said_of_a_token_is_under_no_mac() {
    let (client, mut confirmation) = confirmed(client_config());
    confirmation.record.user_id = Some("somebody else".into());
    confirmation.record.key_id = b"another".to_vec();
    let token = client.receive(ServerFinished::Success(confirmation)).expect("the MAC is good");
    assert_eq!(token.record().user_id.as_deref(), Some("somebody else"));
}

/// A K_AUTH of its own, or the new key: both are agreed on.
#[test]
fn k_auth_is_the_new_key_where_there_is_no_other() {
    let own = site(Office { always_authenticates: true, ..Office::default() });
    let token = run(client_config().auth_key(k_auth()), &own).expect("a good run");
    let [first] = &own.issuer().committed()[..] else { panic!("one token") };
    assert!(token.key().matches(&first.key));
    let none = site(Office::default());
    let token = run(client_config(), &none).expect("a good run");
    let [second] = &none.issuer().committed()[..] else { panic!("one token") };
    assert!(token.key().matches(&second.key));
    // An existing K_TOKEN serves too: that of the run before.
    let old = || AuthKey::new(second.key.clone());
    let client = Client::new(client_config().replacing(record().key_id, old()));
    let client = client.start(&mut SysRng).expect("it can start");
    let credentials = Credentials { auth_key: Some(old()), ..Credentials::default() };
    let offer = Server::new(server_config()).hello(&client.message, credentials, &mut SysRng);
    let (pending, unnamed) = offer.expect("an offer").into_parts();
    let hello = unnamed.into_hello(SessionId::new("id".into()));
    let client = client.state.receive(hello, &mut SysRng).expect("MAC 1 is good");
    let finished = answer(pending, client.message, record());
    assert!(client.state.receive(finished).is_ok());
}

/// A size below the policy's, and below any policy's.
#[test]
fn small_keys_are_refused() {
    let key = RsaPrivateKey::generate(1024, &mut SysRng).expect("a key");
    let modulus = key.public().modulus().to_vec();
    let exponent = key.public().exponent().to_vec();
    let error = offer_error(client_config(), |offer| {
        offer.encryption_key =
            EncryptionKey::Rsa { modulus: modulus.clone(), exponent: exponent.clone() };
    });
    assert_eq!(error, ClientError::KeyTooSmall { bits: 1024, minimum: 2048 });
}

/// The server's key is one that was pinned, or nothing is sent.
#[test]
fn another_key_than_the_pinned_one_is_refused() {
    let own = Key.get().public().fingerprint();
    let (client, offer, _) = opened(client_config().pin_server_key([7; 32]).pin_server_key(own));
    assert!(client.receive(ServerHello::Continue(offer), &mut SysRng).is_ok());
    let error = offer_error(client_config().pin_server_key([7; 32]), |_| {});
    assert_eq!(error, ClientError::KeyNotPinned(own));
}

/// A shared key is of use under its own name only, and is no K_AUTH: the types differ.
#[test]
fn a_shared_key_that_is_not_known_ends_the_run() {
    let config = || {
        client_config()
            .encryption_algorithms(&[ENCRYPTION[2]])
            .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()))
    };
    for name in ["shared-2", "SHARED-1", "shared-1 ", ""] {
        let error =
            offer_error(config(), |offer| offer.encryption_key = EncryptionKey::Named(name.into()));
        assert_eq!(error, ClientError::UnknownKey, "{name}");
    }
}

/// The values of `exchange.json`, each computed anew.
#[test]
fn vectors_rfc4758_values_behind_the_messages() {
    let Some(file) = vectors::load("rfc4758/exchange.json") else { return };
    let octets = |path: &str| -> Vec<u8> {
        let value = file.pointer(path).and_then(Value::as_str);
        from_hex(value.unwrap_or_else(|| panic!("{path} is text")))
    };
    let r_c = || SecretNonce::new(octets("/R_C"));
    let (r, r_s) = (octets("/R"), octets("/R_S"));
    let mut checked = 0;
    let mut check = |path: &str, value: &[u8]| {
        assert_eq!(to_hex(value), to_hex(&octets(path)), "{path}");
        checked += 1;
    };
    let key = |algorithm, k: &[u8]| {
        derive::token_key(&RFC, algorithm, &r_c(), k, &r_s, 16).expect("a key").expose().to_vec()
    };
    let [shared, aes, sha] = [
        key(Prf::Aes, &octets("/K_SHARED")),
        key(Prf::Aes, &octets("/rsa/2048/n")),
        key(Prf::Sha256, &octets("/rsa/1024/n")),
    ];
    check("/K_TOKEN/shared_key_prf_aes", &shared);
    check("/K_TOKEN/rsa2048_prf_aes", &aes);
    check("/K_TOKEN/rsa1024_prf_sha256", &sha);
    for (algorithm, name) in [(Prf::Aes, "prf_aes"), (Prf::Sha256, "prf_sha256")] {
        let masked =
            derive::mask_nonce(&RFC, algorithm, &octets("/K_SHARED"), &r_s, r_c().expose());
        check(&format!("/encrypted_R_C/{name}"), &masked.expect("a mask"));
    }
    let k_auth = octets("/K_AUTH");
    let mac1 = |algorithm, r| derive::mac1(&RFC, algorithm, &k_auth, r, &r_s).expect("a MAC");
    check("/MAC1/prf_aes_with_R", &mac1(Prf::Aes, Some(&r[..])));
    check("/MAC1/prf_aes_without_R", &mac1(Prf::Aes, None));
    check("/MAC1/prf_sha256_with_R", &mac1(Prf::Sha256, Some(&r[..])));
    let mac2 = |algorithm, k: &[u8]| derive::mac2(&RFC, algorithm, k, &r_c()).expect("a MAC");
    check("/MAC2/prf_aes_K_AUTH_is_new_K_TOKEN_rsa2048", &mac2(Prf::Aes, &aes));
    check("/MAC2/prf_aes_K_AUTH_is_existing_key", &mac2(Prf::Aes, &k_auth));
    check("/MAC2/prf_sha256_new_K_TOKEN_rsa1024", &mac2(Prf::Sha256, &sha));

    use ctkip_core::crypto::{NonceKey, Padding, Scheme};
    let (p, q) = (octets("/rsa/2048/p"), octets("/rsa/2048/q"));
    let key = RsaPrivateKey::from_primes(&p, &q, &[1, 0, 1]).expect("a key");
    for (padding, name) in
        [(Padding::Pkcs1v15, "rsa2048_pkcs1_v1_5"), (Padding::OaepSha1, "rsa2048_oaep_sha1")]
    {
        let ciphertext = octets(&format!("/encrypted_R_C/{name}"));
        let r_c = key.decrypt(Scheme::Rsa(padding), &r_s, &ciphertext, &mut SysRng);
        check("/R_C", r_c.expect("it decrypts").expose());
    }
    println!("rfc4758/exchange.json: {checked} values computed alike");
}
