//! Both sides end with the same key, in every variant of a run.

use ctkip_core::KeyType;
use ctkip_core::Prf;
use ctkip_core::message::{Message, ServerHello};
use ctkip_tests::pair::{
    KEY_ID, Office, TOKEN_ID, Variant, client_config, message, run, run_seen, site,
};

#[test]
fn every_variant_agrees_on_the_key() {
    for variant in Variant::all() {
        let site = site(Office::default());
        let config = variant.client(&site);
        let mut chosen = None;
        let token = run_seen(config, &site, |_, response| {
            if let Message::ServerHello(ServerHello::Continue(offer)) = message(response) {
                chosen = Some((offer.encryption_algorithm, offer.mac_algorithm, offer.mac));
            }
        });
        let token = token.unwrap_or_else(|error| panic!("{variant:?}: {error}"));

        let [committed] = &site.issuer().committed()[..] else { panic!("one token: {variant:?}") };
        assert!(token.key().matches(&committed.key), "{variant:?}");
        assert_eq!(committed.key.len(), 16);

        let (encryption, mac, mac1) = chosen.expect("an offer");
        assert_eq!(encryption, Some(variant.encryption.uri()));
        assert_eq!(mac, Some(variant.prf.uri(ctkip_core::Namespace::Rfc4758)));
        assert_eq!(mac1.is_some(), variant.replaces);

        let user: &[u8] = if variant.triggered { b"user of the trigger" } else { b"" };
        assert_eq!(committed.grant.as_octets(), user);
        let key_id = if variant.replaces { KEY_ID } else { b"a new key" };
        assert_eq!(token.record().key_id, key_id);
        let token_id = if variant.triggered { TOKEN_ID } else { b"a new token" };
        assert_eq!(token.record().token_id, token_id);
        assert_eq!(committed.key_id.is_some(), variant.replaces);
        assert_eq!(committed.token_id.is_some(), variant.triggered);
    }
}

/// The length of a key is that of its type, and a MAC that cannot be made with it is not chosen.
#[test]
fn a_key_is_as_long_as_its_type_says() {
    for (kind, octets) in
        [(KeyType::SecurIdAes, 16), (KeyType::Prf(Prf::Aes), 16), (KeyType::Prf(Prf::Sha256), 32)]
    {
        let site = site(Office::default());
        let token = run(client_config().key_types(&[kind]), &site).expect("a good run");
        assert_eq!(token.key().expose().len(), octets);
    }
    // A K_TOKEN of 32 octets makes no MAC 2 with the PRF over AES, whose keys have 16 (E09).
    let site = site(Office::default());
    let config =
        client_config().key_types(&[KeyType::Prf(Prf::Sha256)]).mac_algorithms(&[Prf::Aes]);
    let error = run(config, &site).expect_err("no MAC in common");
    assert_eq!(error.to_string(), "the server ended the run with status NoSupportedMACAlgorithms");
    assert!(site.issuer().committed().is_empty());
}

/// Two runs of the same two parties make two keys.
#[test]
fn every_run_makes_another_key() {
    let site = site(Office::default());
    let keys: Vec<Vec<u8>> = (0..20)
        .map(|_| run(client_config(), &site).expect("a good run").key().expose().to_vec())
        .collect();
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), 20);
}

/// What the server says of a token may be a little or a lot; the key is none of it.
#[test]
fn a_confirmation_may_say_a_little_or_a_lot() {
    use ctkip_core::message::{
        Extension, ExtensionKind, Logo, OtpConfiguration, OtpMode, TokenRecord,
    };
    let little = ctkip_tests::pair::record();
    let otp = OtpConfiguration {
        format: Some("Decimal".into()),
        length: Some("6".into()),
        modes: vec![OtpMode::Time(Some("30".into()))],
    };
    let lot = TokenRecord {
        key_expiry: Some("2031-02-03T04:05:06Z".into()),
        service_id: Some("service".into()),
        service_logo: Some(Logo { mime_type: "image/gif".into(), octets: b"no picture".to_vec() }),
        user_id: Some("user".into()),
        extensions: vec![Extension::new(ExtensionKind::OtpConfiguration(otp))],
        ..little.clone()
    };
    for record in [little, lot] {
        let site = site(Office { record: record.clone(), ..Office::default() });
        let token = run(client_config(), &site).expect("a good run");
        assert_eq!(*token.record(), record);
        let settings = token.settings();
        match record.key_expiry {
            None => {
                assert_eq!((settings.digits, settings.interval, settings.expiry), (8, 60, None))
            }
            Some(_) => {
                assert_eq!((settings.digits, settings.interval), (6, 30));
                assert_eq!(settings.expiry.map(|date| date.to_string()), Some("2031-02-03".into()));
                assert_eq!((&*settings.issuer, &*settings.user), ("service", "user"));
            }
        }
    }
}

/// An expiry without a zone is a day all the same, a length that no token can produce is not taken.
#[test]
fn odd_settings_have_defaults_and_warnings() {
    use ctkip_core::Warning;
    use ctkip_core::message::{Extension, ExtensionKind, OtpConfiguration};
    let otp = OtpConfiguration {
        format: Some("Hexadecimal".into()),
        length: Some("18446744073709551616".into()),
        modes: vec![],
    };
    let mut record = ctkip_tests::pair::record();
    record.key_expiry = Some("2009-09-16T03:02:00".into());
    record.extensions = vec![Extension::new(ExtensionKind::OtpConfiguration(otp))];
    let site = site(Office { record, ..Office::default() });
    let token = run(client_config(), &site).expect("a good run");
    assert_eq!(token.settings().expiry.map(|date| date.to_string()), Some("2009-09-16".into()));
    assert_eq!(token.settings().digits, 8);
    let warned = |warning: &Warning| token.warnings().contains(warning);
    assert!(warned(&Warning::OtpLength("18446744073709551616".into())));
    assert!(warned(&Warning::OtpFormat("Hexadecimal".into())));
}
