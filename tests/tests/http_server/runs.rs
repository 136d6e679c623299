//! Whole runs, as clients make them.

use ctkip_core::wire::header;
use ctkip_tests::cases::CODE;
use ctkip_tests::http::Ca;
use ctkip_tests::serving::{Serving, post};
use ctkip_tests::sites::{DIALECTS, PLAIN, SOAP, answers, plenty, provision};
use ctkip_transport_axum::{Limits, PLAIN_PATH, both, router};
use ctkip_transport_blocking::{HttpTransport, Options};
use getrandom::SysRng;

/// Both dialects on one port, on the paths of each, with the very token that the server has.
#[test]
fn both_dialects_share_a_port() {
    let [securid, rfc4758] = &*DIALECTS;
    let (soap, plain) = (plenty(securid), plenty(rfc4758));
    let limits = Limits::default();
    let server = Serving::start(both(&limits, answers(&soap), answers(&plain)), limits);
    for path in ["/", "/ctkip/services/CtkipService"] {
        for (dialect, service) in [(securid, &soap), (rfc4758, &plain)] {
            let token = provision(dialect, &server, path);
            let keys = service.issuer().keys();
            assert!(keys.last().expect("a token").matches(token.key().expose()), "{path}");
        }
    }
    let _ = provision(rfc4758, &server, PLAIN_PATH);
    assert_eq!((soap.issuer().keys().len(), plain.issuer().keys().len()), (2, 3));
}

/// What tells the bindings apart: the media type, and `SOAPAction`.
#[test]
fn headers_tell_the_bindings_apart() {
    let [securid, rfc4758] = &*DIALECTS;
    let (soap, plain) = (plenty(securid), plenty(rfc4758));
    let limits = Limits::default();
    let server = Serving::start(both(&limits, answers(&soap), answers(&plain)), limits);
    // An empty body: plain is 400, SOAP 500.
    for (path, headers, expected) in [
        ("/", vec![("Content-Type", PLAIN)], 400),
        ("/", vec![("Content-Type", "APPLICATION/vnd.otps.ct-kip+XML ; charset=utf-8")], 400),
        ("/", vec![("Content-Type", PLAIN), ("Authorization", CODE)], 400),
        ("/", vec![("Content-Type", PLAIN), ("SOAPAction", "StartService")], 500),
        ("/", vec![("Content-Type", SOAP)], 500),
        ("/", vec![("Content-Type", "text/xml")], 500),
        (PLAIN_PATH, vec![("Content-Type", "text/xml")], 400),
        (PLAIN_PATH, vec![], 400),
        ("/elsewhere", vec![("Content-Type", PLAIN)], 404),
    ] {
        let answer = server.ask(&post(path, &headers, b""));
        assert_eq!(answer.status, expected, "{path} {headers:?}");
    }
}

#[test]
fn connections_are_kept_alive() {
    let service = plenty(&DIALECTS[1]);
    let server = Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
    let mut connection = server.connect();
    for _ in 0..3 {
        connection.send(&post("/", &[("Content-Type", PLAIN)], b"<a/>"));
        let answer = connection.answer().expect("an answer on the same connection");
        assert_eq!(header(&answer.headers, "connection"), None);
    }
    connection.send(&post("/", &[("Connection", "close")], b""));
    assert!(connection.answer().is_ok() && connection.is_closed());
}

/// Names of headers look as they were recorded.
#[test]
fn headers_look_as_recorded() {
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
    let answer = server.ask(&post("/", &[("Content-Type", SOAP)], b""));
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
    assert!(names.contains(&"Content-Type") && names.contains(&"Content-Length"), "{names:?}");
}

#[test]
fn tls_is_spoken_to_whoever_trusts_the_certificate() {
    let dialect = &DIALECTS[0];
    let ca = Ca::new();
    let service = plenty(dialect);
    let limits = Limits::default();
    let router = router(&limits, answers(&service));
    let server = Serving::start_with(router, limits, Some(ca.server("127.0.0.1")));
    // Whoever speaks plain HTTP, or nothing, is in nobody's way.
    let mut confused = server.connect();
    confused.send(&post("/", &[("Content-Type", SOAP)], b""));
    let _silent = server.connect();

    let url = format!("https://{}/", server.host());
    let options = Options::default().ca_pem(ca.pem().as_bytes()).expect("a certificate");
    let mut transport = HttpTransport::with(&url, &options).expect("a good URL");
    let run = dialect.run(dialect.config(), CODE);
    let token = run.over(&mut transport, &mut SysRng).expect("a token");
    assert!(service.issuer().keys()[0].matches(token.key().expose()));
    assert!(confused.answer().is_err());
}
