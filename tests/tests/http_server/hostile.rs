//! Requests that no client sends.

use ctkip_core::service::MAX_BODY;
use ctkip_core::wire::header;
use ctkip_tests::serving::{Serving, post};
use ctkip_tests::sites::{DIALECTS, PLAIN, SOAP, answers, plenty, provision};
use ctkip_transport_axum::{Limits, both, router};

#[test]
fn bodies_that_are_too_long_are_413() {
    for dialect in DIALECTS.iter() {
        let service = plenty(dialect);
        let server =
            Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
        let headers = [("Content-Type", PLAIN)];
        let at_the_limit = server.ask(&post("/", &headers, &vec![b' '; MAX_BODY]));
        assert_ne!(at_the_limit.status, 413);
        for octets in [MAX_BODY + 1, 1 << 20, 10 << 20] {
            let answer = server.ask(&post("/", &headers, &vec![b' '; octets]));
            assert_eq!(answer.status, 413, "{octets} octets");
        }
        let mut chunked = format!(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: {PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for _ in 0..20 {
            chunked.extend(b"10000\r\n");
            chunked.extend([b' '; 0x10000]);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        assert_eq!(server.ask(&chunked).status, 413);
        let _ = provision(dialect, &server, "/");
    }
}

#[test]
fn heads_that_are_too_long_are_431() {
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
    let many: Vec<(String, String)> =
        (0..1000).map(|number| (format!("X-{number}"), "x".repeat(100))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(server.ask(&post("/", &many, b"")).status, 431);
    assert_eq!(server.ask(&post("/", &[("X", &"x".repeat(1 << 20))], b"")).status, 431);
    let long_path = format!("/{}", "x".repeat(1 << 20));
    assert!([414, 431].contains(&server.ask(&post(&long_path, &[], b"")).status));
    for nonsense in [
        "\r\n\r\n\r\n",
        "HELO example.com\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\r\n\r\n",
    ] {
        let mut connection = server.connect();
        connection.send(nonsense.as_bytes());
        if nonsense.trim().is_empty() {
            // Empty lines before a request are to be ignored (RFC 9112 section 2.2).
            continue;
        }
        assert_eq!(connection.answer().expect("an answer").status, 400, "{nonsense:?}");
    }
    let _ = provision(&DIALECTS[0], &server, "/");
}

#[test]
fn unknown_paths_and_methods_are_told() {
    let [securid, rfc4758] = &*DIALECTS;
    let (soap, plain) = (plenty(securid), plenty(rfc4758));
    let limits = Limits::default();
    let server = Serving::start(both(&limits, answers(&soap), answers(&plain)), limits);
    for path in ["/ctkip", "/ctkip/services/CtkipService/", "/rfc4758/", "//", "/?x=/", "/%2e%2e/"]
    {
        for content_type in [SOAP, PLAIN] {
            let answer = server.ask(&post(path, &[("Content-Type", content_type)], b"<a/>"));
            let expected = if path == "/?x=/" { 500 } else { 404 };
            assert_eq!(answer.status, expected, "{path} {content_type}");
        }
    }
    for path in ["/", "/ctkip/services/CtkipService", "/rfc4758"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let answer =
                server.ask(format!("{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes());
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(header(&answer.headers, "allow"), Some(b"POST".as_slice()));
        }
        let answer = server.ask(&post(path, &[("Content-Type", "application/json")], b"{}"));
        assert_eq!(answer.status, 415, "{path}");
    }
    let _ = provision(securid, &server, "/");
    let _ = provision(rfc4758, &server, "/");
}
