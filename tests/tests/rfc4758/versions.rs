//! Versions: told in every message, compared as text, negotiated in the first pass only.

use crate::{captured, confirmation_error, offer_error, post_hello};
use ctkip_core::message::{
    ClientNonce, Message, Refusal, ServerFinished, ServerHello, Status, Version,
};
use ctkip_core::{ClientError, EncryptionAlgorithm, Prf};
use ctkip_tests::pair::{
    Office, client_config, message, run, send, server_config, site, site_of, status, trigger,
};

fn version(text: &str) -> Option<Version> {
    Some(Version::new(text).expect("a version"))
}

#[test]
fn every_message_carries_version_1_0() {
    let site = site(Office::default());
    let mut messages = captured(client_config(), &site);
    assert_eq!(messages.len(), 4);
    // Answers with an error too.
    messages.push(message(&post_hello(&site, "Version='0.9'", "").response));
    messages.push(message(&post_hello(&site, "Version='1.0'", "<TokenID>!</TokenID>").response));
    let nonce = ClientNonce {
        version: version("1.0"),
        session_id: ctkip_core::SessionId::new("none".into()),
        encrypted_nonce: vec![1],
        extensions: vec![],
    };
    messages.push(message(&send(&site, Message::ClientNonce(nonce)).response));
    for message in messages {
        let version = match &message {
            Message::ClientHello(hello) => &hello.version,
            Message::ServerHello(ServerHello::Continue(offer)) => &offer.version,
            Message::ClientNonce(nonce) => &nonce.version,
            Message::ServerFinished(ServerFinished::Success(success)) => &success.version,
            Message::ServerHello(ServerHello::Refused(Refusal { version, .. }))
            | Message::ServerFinished(ServerFinished::Refused(Refusal { version, .. })) => version,
            other => panic!("unexpected {other:?}"),
        };
        assert_eq!(*version, Some(Version::V1_0), "{message:?}");
    }
}

#[test]
fn a_trigger_carries_version_1_0() {
    let site = site(Office::default());
    let wanted = trigger(&site, None, None);
    let grant = ctkip_core::Grant::default();
    let triggers = &site.issuer().triggers;
    let now = ctkip_tests::pair::NOW;
    let trigger = triggers.issue(wanted, grant, now, &mut getrandom::SysRng).expect("room");
    let text = String::from_utf8(ctkip_tests::pair::octets(&Message::Trigger(trigger)));
    assert!(text.expect("UTF-8").contains(" Version=\"1.0\""));
}

#[test]
fn a_server_answers_a_higher_version_with_its_own_and_no_lower_one() {
    let site = site(Office::default());
    for (version, expected) in [
        ("1.0", Status::Continue),
        ("1.1", Status::Continue),
        ("2.0", Status::Continue),
        ("99.999", Status::Continue),
        ("0.9", Status::UnsupportedVersion),
        // Text: neither of these is 1.0 (R006).
        ("1.00", Status::UnsupportedVersion),
        ("01.0", Status::UnsupportedVersion),
    ] {
        let handled = post_hello(&site, &format!("Version='{version}'"), "");
        assert_eq!(status(&handled.response), expected, "{version}");
        let text = String::from_utf8_lossy(&handled.response.body).into_owned();
        assert!(text.contains("Version=\"1.0\""), "{text}");
    }
}

/// A later version may have elements of its own.
#[test]
fn a_later_version_that_cannot_be_read_is_a_version_not_supported() {
    let site = site(Office::default());
    let handled = post_hello(&site, "Version='2.0'", "<Novelty/>");
    assert_eq!(status(&handled.response), Status::UnsupportedVersion);
    let handled = post_hello(&site, "Version='1.0'", "<Novelty/>");
    assert_eq!(status(&handled.response), Status::MalformedRequest);
}

#[test]
fn a_client_goes_on_in_no_other_version() {
    for other in ["0.9", "2.0", "1.00", "01.0"] {
        let error = offer_error(client_config(), |offer| offer.version = version(other));
        assert_eq!(error, ClientError::Version(other.into()));
        let error = confirmation_error(client_config(), |success| success.version = version(other));
        assert_eq!(error, ClientError::Version(other.into()));
    }
}

#[test]
fn another_version_in_the_second_request_is_malformed_and_ends_the_session() {
    let site = site(Office::default());
    let (nonce, _) = crate::sessions::second_request(&site);
    let other = ClientNonce { version: version("1.1"), ..nonce.clone() };
    let answer = send(&site, Message::ClientNonce(other));
    assert_eq!(status(&answer.response), Status::MalformedRequest);
    let again = send(&site, Message::ClientNonce(nonce));
    assert_eq!(status(&again.response), Status::Abort);
    assert!(site.issuer().committed().is_empty());
}

/// Either side may take less than it could, and then takes no more.
#[test]
fn what_is_outside_a_policy_ends_the_run() {
    let site = site_of(
        server_config().encryption_algorithms(&[EncryptionAlgorithm::Rsa15]),
        Office::default(),
    );
    let config = || client_config().encryption_algorithms(&[EncryptionAlgorithm::RsaOaep]);
    let error = run(config(), &site).expect_err("nothing in common");
    assert_eq!(error, ClientError::Refused(Status::NoSupportedEncryptionAlgorithms));
    // And a server, or a man in the middle, that names the weaker one all the same is not followed.
    let error = offer_error(config(), |offer| {
        offer.encryption_algorithm = Some(EncryptionAlgorithm::Rsa15.uri());
    });
    assert_eq!(error, ClientError::Algorithm(EncryptionAlgorithm::Rsa15.uri()));
    let sha256 = Prf::Sha256.uri(ctkip_core::Namespace::Rfc4758);
    let error = offer_error(client_config().mac_algorithms(&[Prf::Aes]), |offer| {
        offer.mac_algorithm = Some(sha256.clone());
    });
    assert_eq!(error, ClientError::Algorithm(sha256));
}
