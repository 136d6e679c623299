//! Replacing a key: not without a MAC under K_AUTH, before and after.

use crate::{confirmation_error, hello, offer_error};
use ctkip_core::message::{Message, ServerFinished, ServerHello, Status};
use ctkip_core::{AuthKey, ClientConfig, ClientError, Credentials, Prf, Profile, Server, derive};
use ctkip_tests::pair::{
    K_AUTH, KEY_ID, Office, client_config, confirmed, k_auth, opened, record, run, send,
    server_config, site, status,
};
use getrandom::SysRng;

fn replacing() -> ClientConfig {
    client_config().replacing(KEY_ID.to_vec(), k_auth())
}

#[test]
fn the_key_to_be_replaced_and_a_nonce_are_sent() {
    let hello = hello(replacing());
    assert_eq!(hello.key_id.as_deref(), Some(KEY_ID));
    assert_eq!(hello.client_nonce.map(|nonce| nonce.len()), Some(16));
}

/// Every change to MAC 1 ends the run before anything is sent.
#[test]
fn a_bad_mac_1_ends_the_run() {
    let ends = |change: &dyn Fn(&mut ctkip_core::message::ServerOffer)| {
        assert_eq!(offer_error(replacing(), change), ClientError::Mac);
    };
    ends(&|offer| offer.mac = None);
    for octet in 0..16 {
        ends(&move |offer| offer.mac.as_mut().expect("a MAC").value[octet] ^= 1);
    }
    ends(&|offer| offer.mac.as_mut().expect("a MAC").value.truncate(15));
    ends(&|offer| offer.mac.as_mut().expect("a MAC").value.push(0));
    ends(&|offer| offer.mac.as_mut().expect("a MAC").value.clear());
    ends(&|offer| {
        let other = Prf::Sha256.uri(ctkip_core::Namespace::Rfc4758);
        offer.mac.as_mut().expect("a MAC").algorithm = Some(other);
    });
    ends(&|offer| offer.server_nonce[0] ^= 1);
}

/// A MAC that leaves out R, or is made with another key, or covers R_S in another way.
#[test]
fn a_mac_1_over_something_else_ends_the_run() {
    type Make = fn(&[u8]) -> Vec<u8>;
    let makes: [Make; 3] = [
        |r_s| derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, None, r_s).expect("16 octets"),
        |r_s| {
            let other = [0x55; 16];
            derive::mac1(&Profile::RFC4758, Prf::Aes, &other, None, r_s).expect("16 octets")
        },
        |r_s| {
            let doubled = [r_s, r_s].concat();
            let mac = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, None, &doubled);
            mac.expect("16 octets")[..16].to_vec()
        },
    ];
    for make in makes {
        let error = offer_error(replacing(), |offer| {
            offer.mac.as_mut().expect("a MAC").value = make(&offer.server_nonce);
        });
        assert_eq!(error, ClientError::Mac);
    }
}

/// R and R_S are joined without lengths, so that one input can be read in two ways; who sent R reads
/// it in one (R243, E27).
#[test]
fn r_and_r_s_are_not_taken_for_a_longer_r_s() {
    let (r, r_s) = ([1; 16], [2; 16]);
    let with_r = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, Some(&r), &r_s);
    let joined = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, None, &[r, r_s].concat());
    let (with_r, joined) = (with_r.expect("16 octets"), joined.expect("16 octets"));
    assert_eq!(with_r, joined[..16], "the ambiguity of the text");
    let (client, mut offer, _) = opened(replacing());
    // Pretend that R was never sent: R_S is what was R ‖ R_S, the MAC that of the longer one.
    offer.server_nonce = [offer.server_nonce.clone(), offer.server_nonce.clone()].concat();
    let mac = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, None, &offer.server_nonce);
    offer.mac.as_mut().expect("a MAC").value = mac.expect("16 octets");
    let error = client.receive(ServerHello::Continue(offer), &mut SysRng).unwrap_err();
    assert_eq!(error, ClientError::Mac);
}

/// MAC 1 is as long as R_S, whatever a server makes that.
#[test]
fn mac_1_is_as_long_as_r_s() {
    for octets in [16, 20, 32, 64] {
        let r_s = vec![3; octets];
        let mac = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, Some(&[1; 16]), &r_s);
        assert_eq!(mac.expect("16 octets").len(), octets);
    }
    // And a client checks all of it.
    for (octets, good) in [(16, true), (20, true), (20, false)] {
        let (client, mut offer, _) = opened(replacing());
        offer.server_nonce = vec![3; octets];
        // The client's R is not known here: a MAC over R_S alone is what a server without R makes,
        // and is refused; with the MAC of the right length but wrong end it is, too.
        let mac = derive::mac1(&Profile::RFC4758, Prf::Aes, &K_AUTH, None, &offer.server_nonce);
        let mut mac = mac.expect("16 octets");
        if !good {
            mac[19] ^= 1;
        }
        offer.mac.as_mut().expect("a MAC").value = mac;
        let end = client.receive(ServerHello::Continue(offer), &mut SysRng);
        assert_eq!(end.unwrap_err(), ClientError::Mac);
    }
}

/// A server that knows no K_AUTH replaces nothing; one that knows another proves nothing.
#[test]
fn a_server_without_the_right_to_replace_cannot() {
    let unknown = client_config().replacing(b"unknown".to_vec(), k_auth());
    let site = site(Office::default());
    let answer = send(&site, Message::ClientHello(hello(unknown)));
    assert_eq!(status(&answer.response), Status::AccessDenied);

    let client = ctkip_core::Client::new(replacing()).start(&mut SysRng).expect("it can start");
    let credentials =
        Credentials { auth_key: Some(AuthKey::new(vec![9; 16])), ..Credentials::default() };
    let offer = Server::new(server_config()).hello(&client.message, credentials, &mut SysRng);
    let (_, unnamed) = offer.expect("an offer").into_parts();
    let hello = unnamed.into_hello(ctkip_core::SessionId::new("id".into()));
    assert_eq!(client.state.receive(hello, &mut SysRng).unwrap_err(), ClientError::Mac);
}

/// MAC 2 is made under K_AUTH, not under the new key.
#[test]
fn mac_2_of_a_replacement_is_under_k_auth() {
    // A server that replaces, but confirms as if there were nothing to replace.
    let site = site(Office::default());
    let token = run(replacing(), &site).expect("a good run");
    let [committed] = &site.issuer().committed()[..] else { panic!("one token") };
    assert!(token.key().matches(&committed.key));
    let error = confirmation_error(replacing(), |confirmation| {
        // Of the right length, under nobody's key.
        confirmation.mac.as_mut().expect("a MAC").value = vec![0; 16];
    });
    assert_eq!(error, ClientError::Mac);
    let (client, confirmation) = confirmed(replacing());
    assert!(client.receive(ServerFinished::Success(confirmation)).is_ok());
}

/// A key that is there is not overwritten by a run that was to make a new one.
#[test]
fn a_key_is_not_overwritten_without_authorisation() {
    let keys = || vec![b"first".to_vec(), record().key_id];
    let config = || client_config().existing_keys(keys());
    let (client, confirmation) = confirmed(config());
    let error = client.receive(ServerFinished::Success(confirmation)).unwrap_err();
    assert_eq!(error, ClientError::WrongToken);
    // Another new key may come, and the key that is replaced may be.
    let (client, mut confirmation) = confirmed(config());
    confirmation.record.key_id = b"second".to_vec();
    assert!(client.receive(ServerFinished::Success(confirmation)).is_ok());
    let both = replacing().existing_keys(vec![KEY_ID.to_vec()]);
    let (client, confirmation) = confirmed(both);
    assert!(client.receive(ServerFinished::Success(confirmation)).is_ok());
}

/// Without a key to be replaced a MAC in the offer is looked at only by a client with a K_AUTH.
#[test]
fn an_unasked_mac_1_is_checked_where_it_can_be() {
    let mac = |value: Vec<u8>| Some(ctkip_core::message::Mac { algorithm: None, value });
    // No K_AUTH: ignored.
    let (client, mut offer, _) = opened(client_config());
    offer.mac = mac(vec![0; 16]);
    assert!(client.receive(ServerHello::Continue(offer), &mut SysRng).is_ok());
    // A K_AUTH, and no MAC: fine.
    let with_key = || client_config().auth_key(k_auth());
    let (client, offer, _) = opened(with_key());
    assert_eq!(offer.mac, None);
    assert!(client.receive(ServerHello::Continue(offer), &mut SysRng).is_ok());
    // A K_AUTH, and a wrong MAC.
    let error = offer_error(with_key(), |offer| offer.mac = mac(vec![0; 16]));
    assert_eq!(error, ClientError::Mac);
    // A K_AUTH, and the right MAC: of a server that has it too, which then confirms under it.
    let site = site(Office { always_authenticates: true, ..Office::default() });
    assert!(run(with_key(), &site).is_ok());
    let without = run(client_config(), &site).unwrap_err();
    assert_eq!(without, ClientError::Mac, "MAC 2 is under a key that this client has not");
}

/// MAC 1 covers neither the key nor the algorithms: who swaps the server's key passes it, and fails
/// at MAC 2 unless he recomputes that too (E29).
#[test]
fn a_swapped_server_key_passes_mac_1_and_fails_mac_2() {
    let (client, mut offer, pending) = opened(replacing());
    let man = ctkip_core::crypto::RsaPrivateKey::generate(2048, &mut SysRng).expect("a key");
    offer.encryption_key = ctkip_core::message::EncryptionKey::Rsa {
        modulus: man.public().modulus().to_vec(),
        exponent: man.public().exponent().to_vec(),
    };
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("MAC 1 is good");
    let opening = Server::new(server_config()).nonce(pending, client.message).expect("a request");
    // The server cannot decrypt what was not encrypted for it.
    let r_c = ctkip_core::crypto::NonceKey::decrypt(
        &ctkip_tests::pair::Key,
        opening.scheme(),
        opening.server_nonce(),
        opening.ciphertext(),
        &mut SysRng,
    );
    let refused = opening.complete(r_c).expect_err("InitializationFailed");
    assert!(client.state.receive(refused.reply).is_err());
}

/// A K_AUTH of a length that the PRF does not take ends the run before anything is sent (R216).
#[test]
fn an_authentication_key_of_another_length_is_an_error_of_ours() {
    let long = || AuthKey::new(vec![1; 32]);
    let config = client_config().mac_algorithms(&[Prf::Aes]).replacing(KEY_ID.to_vec(), long());
    assert_eq!(offer_error(config, |_| {}), ClientError::KeyLength(32));
}
