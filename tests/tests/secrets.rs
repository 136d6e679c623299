//! Secrets stay secret: a whole run is observed and formatted in every state, fails in many ways, and
//! nothing that was formatted holds R_C, K_TOKEN, K_AUTH, K_SHARED or the activation code, in any usual
//! spelling.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};
use ctkip_core::crypto::{NonceKey, RsaPrivateKey};
use ctkip_core::message::TokenRecord;
use ctkip_core::wire::{Binding, WireResponse, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, Credentials, EncryptionAlgorithm, Exchange, Layout,
    Profile, Progress, Server, ServerConfig, SessionId,
};
use ctkip_tests::pair::{self, Office, Variant};
use ctkip_tests::rng::Scripted;
use std::fmt::Write;

const CODE: &str = "837261940551";
const R_C: [u8; 16] = *b"\x91\x02\xF3\x44\xA5\x16\xB7\x68\xC9\x3A\xDB\x5C\xED\x7E\x0F\x81";

/// Everything a secret could be spelled as.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> String {
        let digits = secret.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        if upper { digits.to_uppercase() } else { digits }
    };
    let mut all = vec![secret.to_vec(), hex(false).into(), hex(true).into()];
    all.push(format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec());
    // Base64 of the secret inside a longer text looks different at each of three alignments; the
    // characters that depend on the neighbours are left out.
    for shift in 0..3 {
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let mut octets = vec![0; shift];
            octets.extend(secret);
            let text = engine.encode(&octets);
            let whole = octets.len() * 8 / 6;
            all.push(text.as_bytes()[(shift * 8).div_ceil(6)..whole].to_vec());
        }
    }
    all
}

/// The first spelling of a secret that a text holds.
fn leak(text: &[u8], secrets: &[(&'static str, Vec<u8>)]) -> Option<&'static str> {
    secrets.iter().find_map(|(name, secret)| {
        let holds = |spelling: &Vec<u8>| text.windows(spelling.len()).any(|part| part == spelling);
        spellings(secret).iter().any(holds).then_some(*name)
    })
}

/// Formats everything there is on the way through a run, and all it can fail with; returns that text
/// and the key.
fn observed() -> (String, Vec<u8>) {
    let mut seen = String::new();
    let mut server_rng = Scripted::default().then_anything();
    let mut rng = Scripted::new(&[&R_C]).then_anything();
    let key = RsaPrivateKey::generate(1024, &mut getrandom::SysRng).expect("a key");
    let config = ServerConfig::new(Profile::SECURID, key.public().clone());
    write!(seen, "{config:?}{key:?}").expect("a String takes it");
    let server = Server::new(config);
    let code = || ActivationCode::new(CODE.into());
    let soap = Soap::new(code()).expect("a usable code");
    write!(seen, "{server:?}{:?}{soap:?}", code()).expect("a String takes it");

    let client = Client::new(ClientConfig::new(Profile::SECURID));
    write!(seen, "{client:?}").expect("a String takes it");
    let client = client.start(&mut rng).expect("nothing can fail");
    write!(seen, "{:?}", client.state).expect("a String takes it");
    let offer = server
        .hello(&client.message, Credentials::default(), &mut server_rng)
        .expect("a common algorithm");
    write!(seen, "{offer:?}").expect("a String takes it");
    let (pending, unnamed) = offer.into_parts();
    write!(seen, "{pending:?}{unnamed:?}").expect("a String takes it");
    let id = SessionId::random(Layout::Recorded, &mut server_rng).expect("random octets");
    let hello = unnamed.into_hello(id);
    write!(seen, "{hello:?}").expect("a String takes it");
    let client = client.state.receive(hello, &mut rng).expect("a usable offer");
    write!(seen, "{:?}{:?}", client.state, client.message).expect("a String takes it");
    let opening = server.nonce(pending, client.message).expect("the right session");
    write!(seen, "{opening:?}").expect("a String takes it");
    let r_c = key
        .decrypt(opening.scheme(), opening.server_nonce(), opening.ciphertext(), &mut server_rng)
        .expect("it decrypts");
    assert!(r_c.matches(&R_C), "the R_C looked for is the one that was used");
    write!(seen, "{r_c:?}").expect("a String takes it");
    let derived = opening.complete(Ok(r_c)).expect("16 octets");
    write!(seen, "{derived:?}").expect("a String takes it");
    let k_token = derived.key().expose().to_vec();
    let finished = derived.finish(TokenRecord::default());
    write!(seen, "{finished:?}").expect("a String takes it");
    let token = client.state.receive(finished).expect("a good MAC");
    write!(seen, "{token:?}").expect("a String takes it");
    let (token, record) = token.into_parts();
    write!(seen, "{token:?}{record:?}").expect("a String takes it");
    (seen, k_token)
}

/// Formats the requests of a client, and errors on answers that repeat its code.
fn errors() -> String {
    let mut seen = String::new();
    let answers = [
        format!("<html>{CODE}</html>"),
        CODE.to_owned(),
        format!("<a b='{CODE}' b=''/>"),
        format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><ServerResponse \
             xmlns='http://ctkipservice.rsasecurity.com'><AuthData>{CODE}</AuthData><Response>{}\
             </Response></ServerResponse></e:Body></e:Envelope>",
            BASE64_STANDARD.encode(format!("<x>{CODE}</x>"))
        ),
    ];
    for (status, body) in answers.into_iter().flat_map(|body| [(200, body.clone()), (500, body)]) {
        let soap = Soap::new(ActivationCode::new(CODE.into())).expect("a usable code");
        let client = Client::new(ClientConfig::new(Profile::SECURID));
        let mut rng = Scripted::new(&[&R_C]).then_anything();
        let (exchange, request) =
            Exchange::begin(client, Binding::Soap(soap), &mut rng).expect("nothing can fail");
        let response = WireResponse { status, headers: vec![], body: body.into_bytes() };
        write!(seen, "{exchange:?}{request:?}{response:?}").expect("a String takes it");
        let error = exchange.receive(&response, &mut rng).expect_err("no ServerHello");
        write!(seen, "{error}{error:?}").expect("a String takes it");
    }
    seen
}

/// Formats all there is in a run by the letter of RFC 4758 that replaces a key under a shared one;
/// returns that text and K_TOKEN.
fn replacement() -> (String, Vec<u8>) {
    let mut seen = String::new();
    let site = pair::site(Office::default());
    let shared =
        |variant: &Variant| matches!(variant.encryption, EncryptionAlgorithm::SharedKey(_));
    let variant = Variant::all().into_iter().find(|variant| variant.replaces && shared(variant));
    let config = variant.expect("there is one").client(&site);
    write!(seen, "{config:?}{:?}", pair::k_auth()).expect("a String takes it");
    let begun = Exchange::begin(Client::new(config), Binding::Plain, &mut getrandom::SysRng);
    let (mut exchange, mut request) = begun.expect("nothing can fail");
    loop {
        let handled = pair::post(&site, &request.body);
        write!(seen, "{exchange:?}{request:?}{handled:?}{:?}", site.sessions())
            .expect("a String takes it");
        match exchange.receive(&handled.response, &mut getrandom::SysRng).expect("a good answer") {
            Progress::Send(next, after) => (exchange, request) = (next, after),
            Progress::Done(token) => {
                write!(seen, "{token:?}").expect("a String takes it");
                return (seen, token.key().expose().to_vec());
            }
        }
    }
}

#[test]
fn nothing_that_is_formatted_holds_a_secret() {
    let (seen, k_token) = observed();
    let secrets =
        [("R_C", R_C.to_vec()), ("K_TOKEN", k_token), ("the code", CODE.as_bytes().to_vec())];
    assert_eq!(leak(seen.as_bytes(), &secrets), None);
    assert_eq!(leak(errors().as_bytes(), &secrets), None);
    let (seen, k_token) = replacement();
    let secrets = [
        ("K_TOKEN", k_token),
        ("K_AUTH", pair::K_AUTH.to_vec()),
        ("K_SHARED", pair::K_SHARED.to_vec()),
    ];
    assert_eq!(leak(seen.as_bytes(), &secrets), None);
}

/// The control: what is logged on purpose is found, in whatever spelling and at whatever alignment.
#[test]
fn a_secret_that_is_logged_on_purpose_is_found() {
    let (_, k_token) = observed();
    let secrets = [("K_TOKEN", k_token.clone())];
    let found = |text: String| leak(text.as_bytes(), &secrets).is_some();
    assert!(found(format!("{k_token:?}")), "as a list of numbers");
    assert!(found(k_token.iter().map(|octet| format!("{octet:02X}")).collect()), "in hex");
    for prefix in ["", "a", "ab", "abc", "abcd"] {
        let mut octets = prefix.as_bytes().to_vec();
        octets.extend(&k_token);
        octets.extend(b"and more");
        assert!(found(BASE64_STANDARD.encode(octets)), "in base64 after {prefix:?}");
    }
    assert!(!found("0123456789abcdef".repeat(100)));
}
