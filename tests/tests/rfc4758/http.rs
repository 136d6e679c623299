//! Section 4.2: messages as bodies of HTTP, as values.

use crate::{NS, hello, post_hello};
use ctkip_core::message::{Message, Refusal, ServerFinished, ServerHello, Status};
use ctkip_core::service::{Denied, Event, Handled, MAX_BODY, ServiceRequest};
use ctkip_core::wire::{Binding, Headers, WireResponse, header, plain};
use ctkip_core::{Client, ClientError, Exchange};
use ctkip_tests::pair::{
    NOW, Office, Site, client_config, octets, post, response, run, run_seen, send, site, status,
};
use getrandom::SysRng;

const MEDIA_TYPE: &[u8] = b"application/vnd.otps.ct-kip+xml";

fn texts(headers: &Headers) -> Vec<(String, String)> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("ASCII");
    headers.iter().map(|(name, value)| (name.to_lowercase(), text(value))).collect()
}

fn request(site: &Site, method: &str, path: &str, headers: &Headers, body: &[u8]) -> Handled {
    site.handle(ServiceRequest { method, path, headers, body, source: None }, NOW, &mut SysRng)
}

#[test]
fn both_sides_keep_caches_away() {
    let site = site(Office::default());
    let mut seen = 0;
    run_seen(client_config(), &site, |request, response| {
        seen += 1;
        let expected = [
            ("content-type".to_owned(), "application/vnd.otps.ct-kip+xml".to_owned()),
            ("cache-control".to_owned(), "no-cache, no-store".to_owned()),
            ("pragma".to_owned(), "no-cache".to_owned()),
        ];
        assert_eq!(texts(&request.headers), expected);
        let expected = [
            ("content-type".to_owned(), "application/vnd.otps.ct-kip+xml".to_owned()),
            (
                "cache-control".to_owned(),
                "no-cache, no-store, no-must-revalidate, private".to_owned(),
            ),
            ("pragma".to_owned(), "no-cache".to_owned()),
        ];
        // So neither Last-Modified nor ETag.
        assert_eq!(texts(&response.headers), expected);
    })
    .expect("a good run");
    assert_eq!(seen, 2);
}

/// The media type of a request: without case and parameters; XML's own are taken, others not; none
/// is for the body to decide.
#[test]
fn a_server_looks_at_the_media_type() {
    let site = site(Office::default());
    let body = octets(&Message::ClientHello(hello(client_config())));
    for (content_type, expected) in [
        (Some("application/vnd.otps.ct-kip+xml"), 200),
        (Some("APPLICATION/VND.OTPS.CT-KIP+XML; charset=utf-8"), 200),
        (Some("text/xml"), 200),
        (Some("application/xml;charset=iso-8859-7"), 200),
        (None, 200),
        (Some("text/html"), 415),
        (Some("application/json"), 415),
        (Some(""), 415),
    ] {
        let headers: Headers =
            content_type.map(|value| ("content-TYPE".into(), value.into())).into_iter().collect();
        let handled = request(&site, "POST", "/", &headers, &body);
        assert_eq!(handled.response.status, expected, "{content_type:?}");
    }
}

#[test]
fn a_client_looks_at_the_media_type() {
    for (content_type, good) in [
        (Some("application/vnd.otps.ct-kip+xml"), true),
        (Some("Application/Vnd.Otps.Ct-Kip+Xml ; charset=UTF-8"), true),
        (Some("text/xml"), true),
        (None, true),
        (Some("text/html"), false),
    ] {
        let site = site(Office::default());
        let client = Client::new(client_config());
        let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
        let (exchange, request) = begun.expect("it can start");
        let mut answer = post(&site, &request.body).response;
        answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        answer.headers.extend(content_type.map(|value| ("Content-Type".into(), value.into())));
        let progress = exchange.receive(&answer, &mut SysRng);
        assert_eq!(progress.is_ok(), good, "{content_type:?}");
    }
}

/// Other headers mean nothing, paths mean nothing: both are a front end's.
#[test]
fn other_headers_and_paths_do_not_matter() {
    let site = site(Office::default());
    let body = octets(&Message::ClientHello(hello(client_config())));
    let headers: Headers = [
        ("Host", "inside.example"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Content-Type", "application/vnd.otps.ct-kip+xml"),
        ("If-None-Match", "\"x\""),
        ("Authorization", "Basic AAAA"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    for path in ["/", "/ctkip", "/a/b/c"] {
        assert_eq!(
            status(&request(&site, "POST", path, &headers, &body).response),
            Status::Continue
        );
    }
}

#[test]
fn requests_are_posts() {
    let site = site(Office::default());
    let body = octets(&Message::ClientHello(hello(client_config())));
    for method in ["GET", "PUT", "HEAD", "post"] {
        let handled = request(&site, method, "/", &Headers::new(), &body);
        assert_eq!(handled.response.status, 405, "{method}");
    }
    assert!(site.sessions().is_empty());
}

/// What cannot be told to be a request.
#[test]
fn what_is_no_request_is_400() {
    let site = site(Office::default());
    for body in [
        "",
        "{\"a\": 1}",
        "<html>",
        "hello",
        "\0",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    ] {
        let handled = post(&site, body.as_bytes());
        assert_eq!(handled.response.status, 400, "{body}");
        assert!(matches!(handled.event, Event::Unreadable(_)));
    }
}

/// A root that is none of ours.
#[test]
fn other_roots_have_their_status() {
    let site = site(Office::default());
    for (body, expected) in [
        ("<ClientHello/>".to_owned(), 500),
        ("<ClientHello xmlns='urn:x' Version='1.0'/>".to_owned(), 500),
        (format!("<ClientHello xmlns='{}' Version='1.0'/>", NS.trim_end_matches('#')), 500),
        (format!("<Unknown xmlns='{NS}'/>"), 400),
    ] {
        assert_eq!(post(&site, body.as_bytes()).response.status, expected, "{body}");
    }
}

/// Responses and triggers are no requests.
#[test]
fn answers_are_no_requests() {
    let site = site(Office::default());
    let given = ctkip_tests::pair::trigger(&site, None, None);
    let trigger = ctkip_core::message::Trigger {
        version: Some(ctkip_core::message::Version::V1_0),
        initialization: Some(given),
    };
    let refusal = Refusal::new(Status::Abort);
    for message in [
        Message::Trigger(trigger),
        Message::ServerHello(ServerHello::Refused(refusal.clone())),
        Message::ServerFinished(ServerFinished::Refused(refusal)),
    ] {
        assert_eq!(send(&site, message).response.status, 400);
    }
}

#[test]
fn bodies_are_bounded() {
    let site = site(Office::default());
    assert_eq!(post(&site, &vec![b' '; MAX_BODY + 1]).response.status, 413);
    assert_eq!(post(&site, &vec![b' '; MAX_BODY]).response.status, 400);
}

/// What a foreign element holds means nothing, so each of these is a good request but for its size.
#[test]
fn depth_attributes_elements_and_values_are_bounded() {
    let deep = |n| format!("<x xmlns='urn:x'>{}{}</x>", "<a>".repeat(n), "</a>".repeat(n));
    let wide = |n| {
        let attributes: String = (0..n).map(|n| format!(" a{n}=''")).collect();
        format!("<x xmlns='urn:x'{attributes}/>")
    };
    let many = |n| format!("<x xmlns='urn:x'>{}</x>", "<a/>".repeat(n));
    let long = |n| format!("<x xmlns='urn:x'>{}</x>", "a".repeat(n));
    for (name, good, bad) in [
        ("depth", deep(20), deep(100)),
        ("attributes", wide(20), wide(100)),
        ("elements", many(1_000), many(10_000)),
        ("values", long(100_000), long(200_000)),
    ] {
        let site = site(Office::default());
        let answer = post_hello(&site, "Version='1.0'", &good);
        assert_eq!(status(&answer.response), Status::Continue, "{name}");
        assert_eq!(post_hello(&site, "Version='1.0'", &bad).response.status, 400, "{name}");
    }
}

/// A status of CT-KIP comes in a 200, an error of ours does not.
#[test]
fn statuses_come_with_200() {
    let site = site(Office::default());
    for (attributes, children) in
        [("Version='0.9'", ""), ("", ""), ("Version='1.0'", "<KeyID>AAAA</KeyID>")]
    {
        let handled = post_hello(&site, attributes, children);
        assert_eq!(handled.response.status, 200);
        assert_eq!(header(&handled.response.headers, "content-type"), Some(MEDIA_TYPE));
        let _ = status(&handled.response);
    }
}

#[test]
fn a_server_may_refuse_a_peer_altogether() {
    let closed = site(Office { closed: Some(Denied::Forbidden), ..Office::default() });
    assert_eq!(run(client_config(), &closed).unwrap_err(), ClientError::Http(403));
    let busy = site(Office { closed: Some(Denied::Unavailable), ..Office::default() });
    assert_eq!(run(client_config(), &busy).unwrap_err(), ClientError::Http(503));
}

/// The body of an error is not looked at, be it a confirmation.
#[test]
fn the_body_of_an_http_error_means_nothing() {
    for status in [201, 204, 301, 307, 400, 401, 403, 404, 500, 503] {
        let site = site(Office::default());
        let client = Client::new(client_config());
        let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
        let (exchange, request) = begun.expect("it can start");
        let good = post(&site, &request.body).response;
        let body = good.body.clone();
        let answer = WireResponse { status, headers: good.headers.clone(), body };
        let error = exchange.receive(&answer, &mut SysRng).unwrap_err();
        assert_eq!(error, ClientError::Http(status));
    }
}

/// A client takes no request, no trigger, and no answer to another question.
#[test]
fn a_client_takes_the_answer_to_its_question() {
    let given = Message::ClientHello(hello(client_config()));
    let refusal = Message::ServerFinished(ServerFinished::Refused(Refusal::new(Status::Abort)));
    for message in [given, refusal] {
        let client = Client::new(client_config());
        let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
        let (exchange, _) = begun.expect("it can start");
        let error = exchange.receive(&response(&message), &mut SysRng).unwrap_err();
        assert_eq!(error.kind().as_str(), "unexpected-message");
    }
    assert_eq!(plain::MEDIA_TYPE.as_bytes(), MEDIA_TYPE);
}
