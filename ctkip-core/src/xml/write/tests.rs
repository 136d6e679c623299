use super::*;
use crate::message::{Status, TokenRecord};
use crate::{Departure, MessageErrorKind, Namespace, Reading};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

fn refusal(session: &str) -> Message {
    let session_id = Some(SessionId::new(String::from(session)));
    let refusal = Refusal { session_id, ..Refusal::new(Status::Abort) };
    Message::ServerFinished(ServerFinished::Refused(refusal))
}

fn session_of(text: &str) -> String {
    let read = crate::xml::read(text.as_bytes(), &Profile::RFC4758).unwrap();
    match read.message {
        Message::ServerFinished(ServerFinished::Refused(refusal)) => {
            String::from(refusal.session_id.unwrap().as_str())
        }
        other => panic!("another message: {other:?}"),
    }
}

#[test]
fn schema_layout_keeps_every_character_of_an_attribute() {
    let id = " \t\r\n\"'&<>]]>é\u{1f511} ";
    assert_eq!(session_of(&write(&refusal(id), &Profile::RFC4758)), id);
}

#[test]
fn recorded_layout_escapes_four_characters_of_an_attribute() {
    let text = write(&refusal("\t\n\"'&<>é"), &Profile::SECURID);
    assert!(text.contains("SessionID=\"\t\n&quot;'&amp;&lt;&gt;é\""), "{text}");
}

#[test]
fn characters_that_xml_does_not_allow_are_replaced() {
    let text = write(&refusal("a\0b\u{1}\u{ffff}\u{fffe}\u{7f}"), &Profile::RFC4758);
    assert_eq!(session_of(&text), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{7f}");
}

#[test]
fn a_refusal_is_two_attributes_and_a_session() {
    assert_eq!(
        write(&refusal("1"), &Profile::RFC4758),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ct-kip:ServerFinished \
         xmlns:ct-kip=\"http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#\" \
         SessionID=\"1\" Status=\"Abort\" Version=\"1.0\"></ct-kip:ServerFinished>"
    );
}

/// A confirmation that is good in both layouts.
fn confirmation_otp(modes: Vec<OtpMode>) -> OtpConfiguration {
    let text = |text| Some(String::from(text));
    OtpConfiguration { format: text("Decimal"), length: text("8"), modes }
}

fn confirmation() -> Message {
    let otp = confirmation_otp(vec![OtpMode::Time(Some(String::from("60")))]);
    Message::ServerFinished(ServerFinished::Success(Box::new(Confirmation {
        version: Some(Version::V1_0),
        session_id: Some(SessionId::new(String::from("1"))),
        record: TokenRecord {
            token_id: vec![1],
            key_id: vec![2],
            extensions: vec![Extension {
                critical: true,
                kind: ExtensionKind::OtpConfiguration(otp),
            }],
            ..TokenRecord::default()
        },
        mac: Some(Mac { algorithm: None, value: vec![3; 16] }),
    })))
}

fn offer() -> Message {
    let uri = || Some(String::from("urn:a"));
    Message::ServerHello(ServerHello::Continue(Box::new(ServerOffer {
        version: Some(Version::V1_0),
        session_id: SessionId::new(String::from("1")),
        key_type: uri(),
        encryption_algorithm: uri(),
        mac_algorithm: uri(),
        encryption_key: EncryptionKey::Named(String::from("K")),
        server_nonce: vec![4; 16],
        extensions: vec![Extension::new(ExtensionKind::ServerInfo(vec![5]))],
        mac: None,
    })))
}

/// What a strict reader says of the message as written under a profile.
fn strictly(message: &Message, profile: &Profile) -> Result<Message, MessageErrorKind> {
    let mut strict = Profile::RFC4758;
    strict.reading = Reading::STRICT;
    let read = crate::xml::read(write(message, profile).as_bytes(), &strict);
    read.map(|read| read.message).map_err(|error| error.kind)
}

#[test]
fn either_layout_follows_each_knob() {
    let departs = |departure| Err(MessageErrorKind::Departure(departure));
    for layout in [Layout::Schema, Layout::Recorded] {
        let profile = Profile { layout, ..Profile::RFC4758 };
        assert_eq!(strictly(&offer(), &profile), Ok(offer()), "{layout:?}");

        let last = Profile { mac_algorithm_place: MacAlgorithmPlace::Last, ..profile.clone() };
        let swapped = departs(Departure::ChildOrder);
        assert_eq!(strictly(&offer(), &last), swapped, "{layout:?}");

        let untyped = UntypedExtension::OtpConfiguration;
        let untyped = Profile { untyped_extension: untyped, ..profile.clone() };
        let opaque = departs(Departure::OpaqueExtension);
        assert_eq!(strictly(&confirmation(), &untyped), opaque, "{layout:?}");

        let draft = Profile { server_namespace: Namespace::Draft2005_11, ..profile };
        let unknown = Err(MessageErrorKind::UnexpectedMessage);
        assert_eq!(strictly(&offer(), &draft), unknown, "{layout:?}");
    }
    assert_eq!(strictly(&confirmation(), &Profile::RFC4758), Ok(confirmation()));
}

#[test]
fn foreign_names_are_kept() {
    let mode = |name| {
        let otp = confirmation_otp(vec![OtpMode::Foreign(String::from(name))]);
        ExtensionKind::OtpConfiguration(otp)
    };
    let extension = |name| ExtensionKind::Unknown(String::from(name));
    let kinds = [
        mode("{urn:x}Beep"),
        mode("{urn:{x}y}Beep"),
        extension("{urn:{x}y}Beep"),
        extension("{http://www.w3.org/XML/1998/namespace}Beep"),
    ];
    for kind in kinds {
        let mut message = confirmation();
        let Message::ServerFinished(ServerFinished::Success(success)) = &mut message else {
            panic!("no confirmation");
        };
        success.record.extensions = vec![Extension::new(kind)];
        let text = write(&message, &Profile::RFC4758);
        let read = crate::xml::read(text.as_bytes(), &Profile::RFC4758);
        assert_eq!(read.map(|read| read.message), Ok(message), "{text}");
    }
}
