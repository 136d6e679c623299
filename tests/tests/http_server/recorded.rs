//! Recorded exchanges, and the requests of the vectors, over HTTP.

use ctkip_core::Profile;
use ctkip_core::service::{Event, Handled, ServiceRequest};
use ctkip_tests::pair::{self, Office};
use ctkip_tests::recording::{NOW, RecordedRequest, RecordedService, Recording};
use ctkip_tests::serving::{Serving, post};
use ctkip_tests::sites::{DIALECTS, PLAIN, answers, plenty, provision};
use ctkip_tests::vectors;
use ctkip_transport_axum::{Limits, router};
use getrandom::SysRng;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// Every verdict on a server, and every body that is to be exact, as a client sees them.
#[test]
fn vectors_exchanges_server_over_http() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    let mut failures = Vec::new();
    let mut ran = 0;
    for (name, value) in &recordings {
        match Recording(value).check_server_over(&Profile::SECURID, &over_http) {
            Ok(did) => ran += usize::from(did),
            Err(mismatch) => failures.push(format!("{name}: {mismatch}")),
        }
    }
    println!("exchanges: {} recordings; {ran} servers as expected over HTTP", recordings.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(ran > 0, "nothing ran");
}

/// Sends a recorded request over a socket, as it was sent. The body that comes back is the one that
/// the service made, octet for octet; so are its headers, whatever else is added.
fn over_http(service: &Arc<RecordedService>, recorded: &RecordedRequest<'_>) -> Handled {
    let event = Arc::new(Mutex::new(None));
    let (seen, service, rng) = (Arc::clone(&event), Arc::clone(service), recorded.rng());
    let rng = Mutex::new(rng);
    let answer = move |request: ServiceRequest<'_>| {
        let handled = service.handle(request, NOW, &mut *rng.lock().expect("one request"));
        let Handled { response, event } = handled;
        let names = response.headers.iter().map(|(name, _)| name.clone().into_owned()).collect();
        *seen.lock().expect("one request") = Some((event, response.body.clone(), names));
        Handled { response, event: Event::Http(0) }
    };
    let server = Serving::start(router(&Limits::default(), answer), Limits::default());
    let mut octets = format!("{} {} HTTP/1.1\r\n", recorded.method, recorded.path).into_bytes();
    for (name, value) in &recorded.headers {
        octets.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    octets.extend([b"\r\n", recorded.body].concat());
    let response = server.ask(&octets);
    let seen: Option<(Event, Vec<u8>, Vec<String>)> = event.lock().expect("it is over").take();
    let (event, body, names) = seen.expect("the service was asked");
    assert_eq!(response.body, body);
    let sent: Vec<&str> = response.headers.iter().map(|(name, _)| name.as_ref()).collect();
    assert!(names.iter().all(|name| sent.contains(&name.as_str())), "{names:?} in {sent:?}");
    Handled { response, event }
}

/// Every request of the vectors of RFC 4758 gets one of the statuses listed, and the next good
/// client is served.
#[test]
fn vectors_rfc4758_server_over_http() {
    let Some(index) = vectors::load("rfc4758/index.json") else { return };
    let office = Office { always_authenticates: true, ..Office::default() };
    let site = pair::site(office);
    let answer = move |request: ServiceRequest<'_>| site.handle(request, NOW, &mut SysRng);
    let server = Serving::start(router(&Limits::default(), answer), Limits::default());
    let mut failures = Vec::new();
    let mut requests = 0;
    for vector in index["vectors"].as_array().expect("a list of vectors") {
        let Some(listed) = vector.get("server_http").and_then(Value::as_array) else { continue };
        let file = vector["file"].as_str().expect("a file");
        let body = std::fs::read(vectors::root().join("rfc4758").join(file)).expect("it is there");
        let status = server.ask(&post("/", &[("Content-Type", PLAIN)], &body)).status;
        if !listed.iter().any(|known| known == status) {
            failures.push(format!("{file}: HTTP {status} is none of {listed:?}"));
        }
        requests += 1;
    }
    println!("rfc4758: {requests} requests answered over HTTP as listed");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(requests > 0, "nothing ran");
}

/// The same requests, valid and not, harm no client that comes after them, in either binding.
#[test]
fn vectors_of_any_kind_harm_nobody() {
    let Some(index) = vectors::load("rfc4758/index.json") else { return };
    for dialect in DIALECTS.iter() {
        let service = plenty(dialect);
        let server =
            Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
        let mut connection = server.connect();
        let mut sent = 0;
        for vector in index["vectors"].as_array().expect("a list of vectors") {
            let file = vector["file"].as_str().expect("a file");
            let body = std::fs::read(vectors::root().join("rfc4758").join(file)).expect("a file");
            connection.send(&post("/", &[("Content-Type", PLAIN)], &body));
            let status = connection.answer().expect("an answer, on the same connection").status;
            assert!([200, 400, 500].contains(&status), "{file}: HTTP {status}");
            sent += 1;
        }
        let token = provision(dialect, &server, "/");
        assert!(service.issuer().keys()[0].matches(token.key().expose()));
        println!(
            "rfc4758: {sent} messages sent to {:?}, and a good client after them",
            dialect.binding
        );
    }
}
