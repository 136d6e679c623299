use super::xsd::{is_date_time, is_positive_integer};
use super::*;
use crate::message::{ExtensionKind, OtpConfiguration, OtpMode};
use alloc::vec;

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
        (Root::ClientNonce(None), Some(Status::MalformedRequest))
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

/// A confirmation of the deployed dialect with these extensions.
fn deployed(extensions: &str) -> Result<Vec<ExtensionKind>, MessageError> {
    let document = format!(
        "<ServerFinished xmlns='{NS}' Status='Success' Version='1.0'><Extensions>{extensions}\
         </Extensions><Mac>AAAAAAAAAAAAAAAAAAAAAA==</Mac></ServerFinished>"
    );
    let read = read(document.as_bytes(), &Profile::SECURID)?;
    let Message::ServerFinished(ServerFinished::Success(confirmation)) = read.message else {
        panic!("no confirmation")
    };
    Ok(confirmation.record.extensions.into_iter().map(|extension| extension.kind).collect())
}

#[test]
fn the_first_untyped_extension_is_the_otp_configuration_whatever_it_holds() {
    let odd = "<Extension Critical='true'>text<OTPLength a='b'>six<x/></OTPLength><Data>!</Data>\
               <OTPLength/><OTPMode>text<Time TimeInterval='0'><x/></Time><Moon/></OTPMode>\
               </Extension>";
    let kinds = deployed(&format!("{odd}<Extension><Data>AQ==</Data></Extension>")).unwrap();
    let otp = OtpConfiguration {
        format: None,
        length: Some(String::from("six")),
        modes: vec![OtpMode::Time(Some(String::from("0")))],
    };
    assert_eq!(
        kinds,
        [ExtensionKind::OtpConfiguration(otp), ExtensionKind::Untyped(Some(vec![1]))]
    );
}

#[test]
fn a_type_is_a_name_in_the_namespaces_in_scope() {
    let kind = |attributes: &str| {
        let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
        let extension = format!("<Extension {xsi} {attributes}><Data>AQ==</Data></Extension>");
        deployed(&extension).unwrap().remove(0)
    };
    let info = ExtensionKind::ClientInfo(vec![1]);
    assert_eq!(kind("xsi:type='ClientInfoType'"), info);
    assert_eq!(kind(&format!("xmlns:a='{NS}' xsi:type=' a:ClientInfoType\n'")), info);
    let unknown = |name: &str| ExtensionKind::Unknown(String::from(name));
    assert_eq!(kind("xmlns='' xsi:type='ClientInfoType'"), unknown("ClientInfoType"));
    assert_eq!(
        kind("xmlns:a='urn:a' xsi:type='a:ClientInfoType'"),
        unknown("{urn:a}ClientInfoType")
    );
    assert_eq!(kind("xsi:type='a:ClientInfoType'"), unknown("a:ClientInfoType"));
}
