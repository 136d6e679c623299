//! What a server of RFC 4758 answers to every request of the vectors
//! (`vectors/rfc4758/README.md`): the HTTP status is among those listed and, where the file alone
//! decides it, the Status too. Nothing makes it panic.

use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::message::{
    ClientHello, Message, Refusal, ServerFinished, ServerHello, Status, TokenRecord,
};
use ctkip_core::service::{
    Bearer, Commit, Denied, Granted, Issued, Issuer, MemorySessions, ServerBinding, Service,
    ServiceRequest,
};
use ctkip_core::wire::WireResponse;
use ctkip_core::{
    Credentials, EncryptionAlgorithm, Grant, KeyType, Layout, PinSettings, Prf, Profile, Server,
    ServerConfig, Timestamp, xml,
};
use ctkip_tests::rng::Scripted;
use ctkip_tests::vectors;
use serde_json::Value;

/// Lets everybody have a token; every token shares a key with it, and every trigger is good.
struct Everybody;

impl Issuer for Everybody {
    fn authorize(
        &self,
        _bearer: Bearer<'_>,
        _hello: &ClientHello,
        _now: Timestamp,
    ) -> Result<Granted, Denied> {
        let credentials = Credentials {
            shared_key: Some("key".into()),
            auth_key: Some(ctkip_core::AuthKey::new(vec![3; 16])),
            rsa_key: None,
            trigger_is_valid: true,
        };
        Ok(Granted { grant: Grant::default(), credentials })
    }

    fn recognise(
        &self,
        _bearer: Bearer<'_>,
        _grant: &Grant,
        _now: Timestamp,
    ) -> Result<(), Denied> {
        Ok(())
    }

    fn commit(&self, _commit: &Commit<'_>, _now: Timestamp) -> Result<Issued, Denied> {
        Ok(Issued { record: TokenRecord::default(), pin: PinSettings::default(), repeated: false })
    }
}

/// The Status of an answer, if it is the answer to a request of this kind.
fn status(response: &WireResponse, kind: &str) -> Option<Status> {
    let read = xml::read(&response.body, &Profile::RFC4758).expect("what we send can be read");
    assert!(read.departures.is_empty(), "what we send is by the letter: {:?}", read.departures);
    match (kind, read.message) {
        ("ClientHello", Message::ServerHello(ServerHello::Continue(_))) => Some(Status::Continue),
        ("ClientNonce", Message::ServerFinished(ServerFinished::Success(_))) => {
            Some(Status::Success)
        }
        ("ClientHello", Message::ServerHello(ServerHello::Refused(Refusal { status, .. })))
        | (
            "ClientNonce",
            Message::ServerFinished(ServerFinished::Refused(Refusal { status, .. })),
        ) => Some(status),
        _ => None,
    }
}

#[test]
fn vectors_rfc4758_server_answers() {
    let Some(index) = vectors::load("rfc4758/index.json") else { return };
    let key = RsaPrivateKey::generate(1024, &mut getrandom::SysRng).expect("a key");
    let config = ServerConfig::new(Profile::RFC4758, key.public().clone())
        // Some vectors name one URI everywhere, as R149 allows: as key type too.
        .key_types(&[KeyType::SecurIdAes, KeyType::Prf(Prf::Aes)])
        .encryption_algorithms(&[
            EncryptionAlgorithm::RsaOaep,
            EncryptionAlgorithm::Rsa15,
            EncryptionAlgorithm::SharedKey(Prf::Aes),
            EncryptionAlgorithm::SharedKey(Prf::Sha256),
        ]);
    let sessions = MemorySessions::new(Layout::Schema, 10_000, 300);
    let service = Service::new(Server::new(config), ServerBinding::Plain, sessions, key, Everybody);
    let mut rng = Scripted::default().then_anything();
    let mut failures = Vec::new();
    let [mut requests, mut statuses] = [0, 0];
    for vector in index["vectors"].as_array().expect("a list of vectors") {
        let Some(listed) = vector.get("server_http").and_then(Value::as_array) else { continue };
        let file = vector["file"].as_str().expect("a file");
        let body = std::fs::read(vectors::root().join("rfc4758").join(file)).expect("it is there");
        let headers = vec![("Content-Type".into(), b"application/vnd.otps.ct-kip+xml".to_vec())];
        let request = ServiceRequest {
            method: "POST",
            path: "/",
            headers: &headers,
            body: &body,
            source: None,
        };
        let handled = service.handle(request, Timestamp(1), &mut rng);
        let http = handled.response.status;
        if !listed.iter().any(|status| status == http) {
            failures
                .push(format!("{file}: HTTP {http} is none of {listed:?}; {:?}", handled.event));
        }
        if http == 200 {
            let kind = vector["kind"].as_str().expect("a kind");
            let answered = status(&handled.response, kind).map(Status::as_str);
            let expected = vector["server_status"].as_str();
            if answered.is_none() || expected.is_some() && answered != expected {
                failures
                    .push(format!("{file}: {answered:?}, not {expected:?}; {:?}", handled.event));
            }
            statuses += u32::from(expected.is_some());
        }
        requests += 1;
    }
    println!("rfc4758: {requests} requests answered as listed, {statuses} with the Status listed");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(requests > 0, "nothing ran");
}
