//! The messages inside the recorded exchanges (`vectors/exchanges/README.md`), read and written
//! without their envelopes.

use ctkip_core::{ClientError, Profile, xml};
use ctkip_tests::vectors;
use serde_json::Value;

const REQUESTS: [&str; 2] = ["ClientHello", "ClientNonce"];
const RESPONSES: [&str; 2] = ["ServerHello", "ServerFinished"];

/// The messages of these names that a recording holds.
fn pdus<'a>(recording: &'a Value, names: [&'a str; 2]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let pdu = move |name: &'a str| recording["pdus"][name].as_str().map(|text| (name, text));
    names.into_iter().filter_map(pdu)
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[test]
fn vectors_exchanges_pdus_read_as_their_verdicts_say() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    let [mut read, mut refused] = [0, 0];
    for (name, recording) in &recordings {
        let ours = &recording["ours"];
        let (verdict, kind) = (ours["client"].as_str(), ours["client_error"].as_str());
        for (root, text) in pdus(recording, RESPONSES) {
            match xml::read(text.as_bytes(), &Profile::SECURID) {
                Ok(message) => {
                    assert_eq!(message.message.name(), root, "{name}");
                    read += 1;
                }
                Err(error) => {
                    assert_eq!(verdict, Some("refuse"), "{name}, {root}: {error}");
                    let ours = ClientError::from(error).kind().as_str();
                    assert_eq!(kind.unwrap_or(ours), ours, "{name}, {root}");
                    refused += 1;
                }
            }
        }
        let answered =
            ours["server"] == "answer" && ours["server_http"] == serde_json::json!([200]);
        for (root, text) in pdus(recording, REQUESTS).filter(|_| answered) {
            let request = xml::read_request(text.as_bytes(), &Profile::SECURID);
            let request = request.unwrap_or_else(|error| panic!("{name}, {root}: {error}"));
            let is_hello = matches!(request.message, xml::Request::ClientHello(_));
            assert_eq!(is_hello, root == "ClientHello", "{name}");
            read += 1;
        }
    }
    println!("exchanges: {read} messages read, {refused} refused as their verdicts say");
    assert!(read > 0, "nothing ran");
}

#[test]
fn vectors_exchanges_pdus_are_written_as_they_were() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    let mut written = 0;
    for (name, recording) in &recordings {
        let exact: Vec<&str> = words(&recording["ours"]["exact"]).collect();
        for (bodies, names) in
            [(["request1", "request2"], REQUESTS), (["response1", "response2"], RESPONSES)]
        {
            let exact_pdus = pdus(recording, names).zip(bodies);
            for ((root, text), body) in exact_pdus.filter(|(_, body)| exact.contains(body)) {
                let read = xml::read(text.as_bytes(), &Profile::SECURID);
                let read = read.unwrap_or_else(|error| panic!("{name}, {root}: {error}"));
                assert_eq!(xml::write(&read.message, &Profile::SECURID), text, "{name}, {body}");
                written += 1;
            }
        }
    }
    println!("exchanges: {written} messages written as they were recorded");
    assert!(written > 0, "nothing ran");
}
