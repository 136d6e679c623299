//! R_C on its way: both RSA paddings and the shared key, and what a server answers to what does not
//! decrypt.

use crate::sessions::second_request;
use crate::{captured, hello};
use ctkip_core::crypto::{NonceKey, Padding, Scheme};
use ctkip_core::message::{
    ClientNonce, EncryptionKey, Message, Refusal, ServerFinished, ServerHello, Status,
};
use ctkip_core::{
    ClientError, EncryptionAlgorithm, KeyType, Prf, Profile, SecretNonce, ServerConfig, SharedKey,
    derive,
};
use ctkip_tests::pair::{
    ENCRYPTION, K_SHARED, K_SHARED_NAME, Key, Office, TOKEN_ID, Variant, client_config, message,
    opened, post, run, send, server_config, site, site_of, status,
};
use getrandom::SysRng;
use std::collections::HashSet;

/// Whatever is wrong with a ciphertext, the answer is one and the same, to the octet.
#[test]
fn causes_of_decryption_failure_are_not_told_apart() {
    let site = site_of(
        server_config().encryption_algorithms(&[EncryptionAlgorithm::RsaOaep]),
        Office::default(),
    );
    let key = Key.get().public();
    let encrypted = |padding, octets: &[u8]| {
        key.encrypt(padding, &SecretNonce::new(octets.to_vec()), &mut SysRng).expect("it fits")
    };
    let mut answers = HashSet::new();
    for (name, ciphertext) in [
        ("R_C of 15 octets", encrypted(Padding::OaepSha1, &[1; 15])),
        ("R_C of 17 octets", encrypted(Padding::OaepSha1, &[1; 17])),
        ("R_C of 20 octets", encrypted(Padding::OaepSha1, &[1; 20])),
        ("an empty R_C", encrypted(Padding::OaepSha1, &[])),
        ("another padding", encrypted(Padding::Pkcs1v15, &[1; 16])),
        ("an octet too few", encrypted(Padding::OaepSha1, &[1; 16])[1..].to_vec()),
        ("an octet too many", [encrypted(Padding::OaepSha1, &[1; 16]), vec![0]].concat()),
        ("a zero before", [vec![0], encrypted(Padding::OaepSha1, &[1; 16])].concat()),
        ("the modulus", key.modulus().to_vec()),
        ("more than the modulus", vec![0xFF; 256]),
        ("zero", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
        ("one octet", vec![1]),
        ("noise", (0..=255).collect()),
    ] {
        let (nonce, _) = second_request(&site);
        let id = nonce.session_id.clone();
        let bad = ClientNonce { encrypted_nonce: ciphertext, ..nonce };
        let answer = send(&site, Message::ClientNonce(bad));
        let refusal =
            Refusal { session_id: Some(id.clone()), ..Refusal::new(Status::InitializationFailed) };
        let expected = Message::ServerFinished(ServerFinished::Refused(refusal));
        assert_eq!(message(&answer.response), expected, "{name}");
        let text = String::from_utf8_lossy(&answer.response.body).replace(id.as_str(), "id");
        answers.insert((answer.response.headers.clone(), text, format!("{:?}", answer.event)));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(site.issuer().committed().is_empty());
}

/// Under `rsa-1_5` what does not decrypt is replaced by made-up octets. Where these are 16 they pass
/// for an R_C, and that is a Success like any other; the client that did not send them has another.
#[test]
fn under_rsa_1_5_a_made_up_nonce_cannot_be_told_from_a_right_one() {
    let site = site_of(
        server_config().encryption_algorithms(&[EncryptionAlgorithm::Rsa15]),
        Office::default(),
    );
    let mut answers = HashSet::new();
    for n in 0..200_u8 {
        let hello = hello(client_config());
        let opened = message(&send(&site, Message::ClientHello(hello)).response);
        let Message::ServerHello(ServerHello::Continue(offer)) = opened else { panic!("no offer") };
        let nonce = ClientNonce {
            version: offer.version,
            session_id: offer.session_id,
            // Noise in most, too short or above the modulus in some.
            encrypted_nonce: match n {
                0..20 => vec![n; 255],
                20..40 => vec![0xFF; 256],
                _ => [vec![0, n], vec![n; 254]].concat(),
            },
            extensions: vec![],
        };
        let id = nonce.session_id.clone();
        let answer = send(&site, Message::ClientNonce(nonce));
        assert_eq!(answer.response.status, 200);
        if status(&answer.response) != Status::Success {
            let text = String::from_utf8_lossy(&answer.response.body).replace(id.as_str(), "id");
            answers.insert((text, format!("{:?}", answer.event)));
        }
    }
    let [(failure, _)] = &answers.iter().collect::<Vec<_>>()[..] else { panic!("{answers:?}") };
    assert!(failure.contains("InitializationFailed"), "{failure}");
}

/// With a shared key the ciphertext is as long as R_C.
#[test]
fn under_a_shared_key_other_lengths_fail() {
    for algorithm in [ENCRYPTION[2], ENCRYPTION[3]] {
        for octets in [1, 15, 17, 20, 32] {
            let site = site(Office::default());
            // HMAC takes keys of any length: it is not the PRF that refuses them.
            let config = client_config()
                .encryption_algorithms(&[algorithm])
                .mac_algorithms(&[Prf::Sha256])
                .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()));
            let opened = message(&send(&site, Message::ClientHello(hello(config))).response);
            let Message::ServerHello(ServerHello::Continue(offer)) = opened else {
                panic!("no offer")
            };
            let nonce = ClientNonce {
                version: offer.version,
                session_id: offer.session_id,
                encrypted_nonce: vec![1; octets],
                extensions: vec![],
            };
            let answer = send(&site, Message::ClientNonce(nonce));
            assert_eq!(status(&answer.response), Status::InitializationFailed, "{octets}");
        }
    }
}

/// What a client sends is R_C under the algorithm chosen, and decrypts to what the key came from.
#[test]
fn what_is_sent_is_the_nonce_that_the_key_comes_from() {
    for (algorithm, padding) in [
        (EncryptionAlgorithm::RsaOaep, Padding::OaepSha1),
        (EncryptionAlgorithm::Rsa15, Padding::Pkcs1v15),
    ] {
        let (client, offer, pending) = opened(client_config().encryption_algorithms(&[algorithm]));
        let r_s = offer.server_nonce.clone();
        let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("good");
        assert_eq!(client.message.encrypted_nonce.len(), 256);
        let r_c =
            Key.decrypt(Scheme::Rsa(padding), &r_s, &client.message.encrypted_nonce, &mut SysRng);
        let r_c = r_c.expect("it decrypts");
        let modulus = Key.get().public().modulus();
        let key = derive::token_key(&Profile::RFC4758, Prf::Aes, &r_c, modulus, &r_s, 16);
        let finished =
            ctkip_tests::pair::answer(pending, client.message, ctkip_tests::pair::record());
        let token = client.state.receive(finished).expect("a good run");
        assert!(token.key().matches(key.expect("a key").expose()));
    }
}

/// An RSA key for a shared-key algorithm, and the other way round.
#[test]
fn a_key_of_the_other_kind_is_refused() {
    let shared = || SharedKey::new(K_SHARED.to_vec());
    let config = || client_config().shared_key(K_SHARED_NAME.into(), shared());
    let error = crate::offer_error(config(), |offer| {
        offer.encryption_key = EncryptionKey::Named(K_SHARED_NAME.into());
    });
    assert_eq!(error, ClientError::UnknownKey);
    let error = crate::offer_error(config().encryption_algorithms(&[ENCRYPTION[2]]), |offer| {
        let key = Key.get().public();
        offer.encryption_key = EncryptionKey::Rsa {
            modulus: key.modulus().to_vec(),
            exponent: key.exponent().to_vec(),
        };
    });
    assert_eq!(error, ClientError::UnknownKey);
}

/// A server takes OAEP before anything else, and `rsa-1_5` only when it was told to.
#[test]
fn rsa_1_5_is_not_offered_unless_told() {
    let key = Key.get().public().clone();
    let default = site_of(ServerConfig::new(Profile::RFC4758, key), Office::default());
    let only = client_config().encryption_algorithms(&[EncryptionAlgorithm::Rsa15]);
    let error = run(only, &default).expect_err("it is not offered");
    assert_eq!(error, ClientError::Refused(Status::NoSupportedEncryptionAlgorithms));
    let told = site(Office::default());
    let backwards = client_config()
        .encryption_algorithms(&[EncryptionAlgorithm::Rsa15, EncryptionAlgorithm::RsaOaep]);
    for message in captured(backwards, &told) {
        if let Message::ServerHello(ServerHello::Continue(offer)) = message {
            assert_eq!(offer.encryption_algorithm, Some(EncryptionAlgorithm::RsaOaep.uri()));
        }
    }
}

/// A server without an RSA key, and one without a shared key.
#[test]
fn a_server_offers_no_algorithm_that_it_has_no_key_for() {
    let shared_only = site_of(ServerConfig::shared_key_only(Profile::RFC4758), Office::default());
    let error = run(client_config(), &shared_only).expect_err("no RSA key");
    assert_eq!(error, ClientError::Refused(Status::NoSupportedEncryptionAlgorithms));
    let rsa_only = site(Office { shares: false, ..Office::default() });
    let config = client_config()
        .encryption_algorithms(&[ENCRYPTION[2]])
        .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()));
    let error = run(config, &rsa_only).expect_err("no shared key");
    assert_eq!(error, ClientError::Refused(Status::NoSupportedEncryptionAlgorithms));
}

/// A token named without a trigger is refused where only the server's public key is at hand; with a
/// shared key the run takes that one, though the client would rather have the other.
#[test]
fn a_token_named_without_a_trigger_needs_a_shared_key() {
    let config = || client_config().token_id(TOKEN_ID.to_vec());
    let public = site(Office { shares: false, ..Office::default() });
    let answer = send(&public, Message::ClientHello(hello(config())));
    assert_eq!(status(&answer.response), Status::AccessDenied);

    let both = site(Office::default());
    let config = config()
        .encryption_algorithms(&[EncryptionAlgorithm::RsaOaep, ENCRYPTION[2]])
        .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()));
    let token = run(config, &both).expect("a good run");
    assert_eq!(token.record().token_id, TOKEN_ID);
    let [committed] = &both.issuer().committed()[..] else { panic!("one token") };
    assert_eq!(committed.token_id.as_deref(), Some(TOKEN_ID));
}

/// The same URI may stand in every list.
#[test]
fn one_uri_may_stand_in_every_list() {
    let uri = Prf::Aes.uri(ctkip_core::Namespace::Rfc4758);
    assert_eq!(uri, format!("{}ct-kip-prf-aes", crate::NS));
    assert_eq!(
        Prf::Sha256.uri(ctkip_core::Namespace::Rfc4758),
        format!("{}ct-kip-prf-sha256", crate::NS)
    );
    let site = site(Office::default());
    let config = client_config()
        .key_types(&[KeyType::Prf(Prf::Aes)])
        .encryption_algorithms(&[EncryptionAlgorithm::SharedKey(Prf::Aes)])
        .mac_algorithms(&[Prf::Aes])
        .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()));
    let hello = hello(config);
    assert_eq!(hello.key_types, [&*uri]);
    assert_eq!(
        (&hello.encryption_algorithms, &hello.mac_algorithms),
        (&hello.key_types, &hello.key_types)
    );
    let answer = send(&site, Message::ClientHello(hello));
    assert_eq!(status(&answer.response), Status::Continue);
}

/// A shared-key run under the server's own random nonces: the mask never repeats.
#[test]
fn a_mask_does_not_repeat() {
    let site = site(Office::default());
    let variant = Variant::all().into_iter().find(|v| v.encryption == ENCRYPTION[2]);
    let variant = variant.expect("there is one");
    let mut seen = HashSet::new();
    for _ in 0..200 {
        for message in captured(variant.client(&site), &site) {
            if let Message::ServerHello(ServerHello::Continue(offer)) = message {
                assert!(seen.insert(offer.server_nonce), "twice");
            }
        }
    }
}

/// A key of its own size for a nonce, no octet more: an empty request is no request.
#[test]
fn an_empty_encrypted_nonce_is_malformed() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    let text = format!(
        "<k:ClientNonce xmlns:k='{}' Version='1.0' SessionID='{}'><EncryptedNonce/></k:ClientNonce>",
        crate::NS,
        nonce.session_id
    );
    let answer = post(&site, text.as_bytes());
    assert_eq!(status(&answer.response), Status::MalformedRequest);
}
