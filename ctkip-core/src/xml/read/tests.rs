use super::value::{is_date_time, is_positive_integer};
use super::*;

const NS: &str = "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#";

fn lenient(document: &str) -> Result<Read, MessageError> {
    read(document.replace("NS", NS).as_bytes(), &Profile::RFC4758)
}

#[test]
fn date_times_of_the_calendar() {
    for good in [
        "2030-01-01T00:00:00Z",
        " 2027-03-14T23:59:59.999+05:30\n",
        "2024-02-29T12:00:00-14:00",
        "2000-02-29T12:00:00",
        "2030-12-31T24:00:00.000",
        "12024-02-29T00:00:00Z",
        "-0044-03-15T00:00:00Z",
    ] {
        assert!(is_date_time(good), "{good}");
    }
    for bad in [
        "",
        "2030-01-01",
        "2030-13-01T00:00:00Z",
        "2030-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "02030-01-01T00:00:00Z",
        "30-01-01T00:00:00Z",
        "2030-01-01T25:00:00Z",
        "2030-01-01T24:00:01Z",
        "2030-01-01T24:00:00.1Z",
        "2030-01-01T00:60:00Z",
        "2030-01-01T00:00:60Z",
        "2030-01-01T00:00Z",
        "2030-01-01T00:00:00:00Z",
        "2030-01-01T00:00:00.Z",
        "2030-01-01T00:00:00+14:01",
        "2030-01-01T00:00:00+1:00",
        "2030-01-01T00:00:00ZZ",
        "2030-1-01T00:00:00Z",
        "+2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00Z",
        "2030-01-+1T00:00:00Z",
        "20é0-01-01T00:00:00Z",
        "é030-01-01T00:00:00Z",
        "2030-01-01Té",
    ] {
        assert!(!is_date_time(bad), "{bad}");
    }
}

#[test]
fn positive_integers_of_any_size() {
    for good in ["1", "+6", "006", " 8\n", "340282366920938463463374607431768211456"] {
        assert!(is_positive_integer(good), "{good}");
    }
    for bad in ["", "+", "0", "-1", "6.5", "6e0", "six", "+ 6", "++6", "٦"] {
        assert!(!is_positive_integer(bad), "{bad}");
    }
}

#[test]
fn a_bad_request_tells_which_answer_is_owed() {
    let reply = |document: &str| {
        let document = document.replace("NS", NS);
        let bad = read_request(document.as_bytes(), &Profile::RFC4758).unwrap_err();
        let status = match bad.reply() {
            Some(Message::ServerHello(ServerHello::Refused(refusal))) => Some(refusal.status),
            Some(Message::ServerFinished(ServerFinished::Refused(refusal))) => Some(refusal.status),
            None => None,
            other => panic!("no refusal: {other:?}"),
        };
        (bad.root, status)
    };
    let hello = |version| Root::ClientHello(Version::new(version));
    assert_eq!(
        reply("<ClientHello xmlns='NS' Version='1.0'/>"),
        (hello("1.0"), Some(Status::MalformedRequest))
    );
    assert_eq!(
        reply("<ClientHello xmlns='NS' Version='2.0'><New/></ClientHello>"),
        (hello("2.0"), Some(Status::UnsupportedVersion))
    );
    assert_eq!(
        reply("<ClientHello xmlns='NS' Version='one'/>"),
        (Root::ClientHello(None), Some(Status::MalformedRequest))
    );
    assert_eq!(
        reply("<ClientNonce xmlns='NS' Version='2.0'/>"),
        (Root::ClientNonce, Some(Status::MalformedRequest))
    );
    assert_eq!(reply("<Hello xmlns='NS'/>"), (Root::NoRequest, None));
    assert_eq!(
        reply("<ServerHello xmlns='NS' Version='1.0' Status='Abort'/>"),
        (Root::NoRequest, None)
    );
    assert_eq!(reply("<ClientHello xmlns='NSx' Version='1.0'/>"), (Root::Foreign, None));
    assert_eq!(reply("<ClientHello Version='1.0'/>"), (Root::Foreign, None));
    assert_eq!(reply("<!DOCTYPE a><ClientHello xmlns='NS'/>"), (Root::NotXml, None));
}

#[test]
fn departures_are_told_with_their_places() {
    let read = lenient(
        "<t:CT-KIPTrigger xmlns:t='NS' xmlns:o='urn:o'><t:InitializationTrigger id='a' o:b='c'>\
         <TriggerNonce>AAAAAAAAAAAAAAAAAAAAAAA=</TriggerNonce><KeyID/>\
         </t:InitializationTrigger></t:CT-KIPTrigger>",
    )
    .unwrap();
    assert_eq!(
        read.departures,
        [
            (Departure::TriggerWithoutVersion, "Version"),
            (Departure::QualifiedChild, "CT-KIPTrigger"),
            (Departure::ForeignContent, "InitializationTrigger"),
            (Departure::TriggerId, "InitializationTrigger"),
            (Departure::ChildOrder, "InitializationTrigger"),
            (Departure::NonceLength, "TriggerNonce"),
        ]
    );
}

#[test]
fn a_trigger_names_a_url_that_is_what_it_looks_like() {
    let url = |url: &str| {
        lenient(&format!(
            "<t:CT-KIPTrigger xmlns:t='NS' Version='1.0'><InitializationTrigger>\
             <TriggerNonce>AAAAAAAAAAAAAAAAAAAAAA==</TriggerNonce><CT-KIPURL>{url}</CT-KIPURL>\
             </InitializationTrigger></t:CT-KIPTrigger>"
        ))
        .map_err(|error| error.kind)
    };
    for good in ["https://a.example", " HTTPS://a.example:8443/b?c=@d ", "https://[::1]/"] {
        assert!(url(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/ctkip",
        "//a.example/",
        "a.example",
        "http://a.example/",
        "https:a.example",
        "https://",
        "https:///a",
        "https://:443/",
        "https://a@b/",
        "https://a\\@b/",
        "https://a b/",
        "javascript://a/",
        "file:///a",
    ] {
        assert_eq!(url(bad).unwrap_err(), MessageErrorKind::Value, "{bad}");
    }
}

#[test]
fn what_a_sender_wrote_is_cut_in_errors() {
    let name = "x".repeat(1000);
    let error = lenient(&format!("<{name} xmlns='NS'/>")).unwrap_err();
    assert_eq!(error.kind, MessageErrorKind::UnexpectedMessage);
    assert_eq!(error.place.len(), 64);
}
