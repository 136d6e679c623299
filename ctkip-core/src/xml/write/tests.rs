use super::*;
use crate::message::Status;

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
