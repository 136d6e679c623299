//! Identifiers: compared as they are, repeated as they are, never made up.

use crate::{captured, confirmation_error, hello};
use ctkip_core::message::{ClientNonce, Message, ServerFinished, ServerHello, Status, TokenRecord};
use ctkip_core::{ClientError, SessionId, SharedKey, xml};
use ctkip_core::{EncryptionAlgorithm, Profile};
use ctkip_tests::pair::{
    ENCRYPTION, K_SHARED, K_SHARED_NAME, KEY_ID, Office, TOKEN_ID, answer, client_config, k_auth,
    octets, opened, post, record, run, send, site, status, trigger,
};
use getrandom::SysRng;
use std::collections::HashSet;

/// A session identifier of any characters comes back character for character.
#[test]
fn a_session_identifier_is_repeated_character_for_character() {
    for id in ["4114 ", " a  b ", "\"'&<>", "é😀", "a\nb\tc\rd", "ÀA\u{300}"] {
        let (client, mut offer, _) = opened(client_config());
        offer.session_id = SessionId::new(id.into());
        // Through XML, both ways.
        let text = octets(&Message::ServerHello(ServerHello::Continue(offer)));
        let read = xml::read(&text, &Profile::RFC4758).expect("a ServerHello").message;
        let Message::ServerHello(offer) = read else { panic!("{read:?}") };
        let nonce = client.receive(offer, &mut SysRng).expect("a good offer").message;
        let text = octets(&Message::ClientNonce(nonce));
        let read = xml::read(&text, &Profile::RFC4758).expect("a ClientNonce").message;
        let Message::ClientNonce(nonce) = read else { panic!("{read:?}") };
        assert_eq!(nonce.session_id.as_str(), id);
    }
}

/// The same request in another encoding names the same session.
#[test]
fn encodings_do_not_matter() {
    let site = site(Office::default());
    let (nonce, _) = crate::sessions::second_request(&site);
    let text = String::from_utf8(octets(&Message::ClientNonce(nonce))).expect("UTF-8");
    let text = text.replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"");
    let mut utf16: Vec<u8> = vec![0xFE, 0xFF];
    utf16.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    assert_eq!(status(&post(&site, &utf16).response), Status::Success);
}

#[test]
fn everything_we_send_is_utf_8_without_mark() {
    let site = site(Office::default());
    for message in captured(client_config(), &site) {
        assert_eq!(octets(&message).first(), Some(&b'<'));
    }
}

/// What a client lists, it lists once and in its order; the server's own order decides.
#[test]
fn lists_keep_their_order_and_any_order_will_do() {
    let sent = hello(client_config()).encryption_algorithms;
    assert_eq!(sent, [EncryptionAlgorithm::RsaOaep.uri(), EncryptionAlgorithm::Rsa15.uri()]);
    let site = site(Office::default());
    let mut chosen = HashSet::new();
    for backwards in [false, true] {
        let mut hello = hello(client_config());
        for list in
            [&mut hello.key_types, &mut hello.encryption_algorithms, &mut hello.mac_algorithms]
        {
            let distinct: HashSet<&String> = list.iter().collect();
            assert_eq!(distinct.len(), list.len());
            if backwards {
                list.reverse();
            }
        }
        let answered = send(&site, Message::ClientHello(hello));
        let read = ctkip_tests::pair::message(&answered.response);
        let Message::ServerHello(ServerHello::Continue(offer)) = read else { panic!("{read:?}") };
        chosen.insert((offer.encryption_algorithm, offer.mac_algorithm));
    }
    assert_eq!(chosen.len(), 1);
}

#[test]
fn a_fresh_client_names_neither_token_nor_key() {
    let hello = hello(client_config());
    assert_eq!((hello.token_id, hello.key_id, hello.trigger_nonce), (None, None, None));
}

/// The answer is for the token and the key asked for, or it is not taken.
#[test]
fn another_token_or_key_is_refused() {
    let shared = || {
        client_config()
            .encryption_algorithms(&[ENCRYPTION[2]])
            .shared_key(K_SHARED_NAME.into(), SharedKey::new(K_SHARED.to_vec()))
            .token_id(TOKEN_ID.to_vec())
            .replacing(KEY_ID.to_vec(), k_auth())
    };
    let error = confirmation_error(shared(), |c| c.record.token_id = b"Token".to_vec());
    assert_eq!(error, ClientError::WrongToken);
    let error = confirmation_error(shared(), |c| c.record.key_id = b"another key".to_vec());
    assert_eq!(error, ClientError::WrongToken);
    let error = confirmation_error(shared(), |c| c.record.key_id.push(0));
    assert_eq!(error, ClientError::WrongToken);
}

/// Our server names what the client named, whatever its store says.
#[test]
fn a_server_confirms_the_identifiers_it_was_asked_for() {
    let site = site(Office::default());
    let given = trigger(&site, Some(TOKEN_ID), Some(KEY_ID));
    let config = client_config().replacing(KEY_ID.to_vec(), k_auth()).trigger(given);
    let token = run(config, &site).expect("a good run");
    assert_eq!((&*token.record().token_id, &*token.record().key_id), (TOKEN_ID, KEY_ID));
    assert_ne!(record().key_id, KEY_ID);
}

/// A key identifier of 64 octets is stored, and names the key to be replaced later.
#[test]
fn key_identifiers_of_64_octets_are_stored_and_sent() {
    let key_id = vec![0xA5; 64];
    let (client, offer, pending) = opened(client_config());
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("a good offer");
    let record = TokenRecord { key_id: key_id.clone(), ..record() };
    let text = octets(&Message::ServerFinished(answer(pending, client.message, record)));
    let read = xml::read(&text, &Profile::RFC4758).expect("a ServerFinished").message;
    let Message::ServerFinished(finished) = read else { panic!("{read:?}") };
    let token = client.state.receive(finished).expect("a good confirmation");
    assert_eq!(token.record().key_id, key_id);
    let hello = hello(client_config().replacing(token.record().key_id.clone(), k_auth()));
    let text = octets(&Message::ClientHello(hello));
    let read = xml::read(&text, &Profile::RFC4758).expect("a ClientHello").message;
    let Message::ClientHello(hello) = read else { panic!("{read:?}") };
    assert_eq!(hello.key_id, Some(key_id));
}

/// Identifiers that a server makes up are random, of 16 octets, and do not repeat.
#[test]
fn identifiers_made_by_a_server_do_not_repeat() {
    let mut seen = HashSet::new();
    for _ in 0..100_000 {
        let record = TokenRecord::with_random_ids(&mut SysRng).expect("random octets");
        assert!(record.key_id.len() <= 64 && record.token_id.len() <= 64);
        assert!(seen.insert(record.key_id) && seen.insert(record.token_id), "twice");
    }
}

/// A `ServerFinished` of another session is refused, one without SessionID is not.
#[test]
fn a_confirmation_may_leave_its_session_out_but_not_change_it() {
    let (client, mut confirmation) = ctkip_tests::pair::confirmed(client_config());
    confirmation.session_id = None;
    assert!(client.receive(ServerFinished::Success(confirmation)).is_ok());
    let error = confirmation_error(client_config(), |c| {
        c.session_id = Some(SessionId::new("another".into()));
    });
    assert_eq!(error, ClientError::SessionMismatch);
}

/// An empty SessionID is not one.
#[test]
fn a_client_nonce_without_session_is_malformed() {
    let site = site(Office::default());
    let (nonce, _) = crate::sessions::second_request(&site);
    let empty = ClientNonce { session_id: SessionId::new(String::new()), ..nonce };
    let answer = send(&site, Message::ClientNonce(empty));
    assert_eq!(status(&answer.response), Status::MalformedRequest);
}

/// TokenID and KeyID are octets: how their base64 is broken into lines does not matter.
#[test]
fn identifiers_are_compared_as_octets() {
    let site = site(Office::default());
    let given = trigger(&site, Some(TOKEN_ID), None);
    let hello = hello(client_config().trigger(given));
    let text = String::from_utf8(octets(&Message::ClientHello(hello))).expect("UTF-8");
    let folded = text.replace("<TokenID>", "<TokenID>\n  ").replace("</TokenID>", "\r\n</TokenID>");
    assert_ne!(folded, text);
    assert_eq!(status(&post(&site, folded.as_bytes()).response), Status::Continue);
}
