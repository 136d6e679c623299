//! The trigger that a run of RFC 4758 starts from.

use std::path::Path;

use ctkip_core::message::{InitializationTrigger, Message, Trigger};
use ctkip_core::{Profile, xml};

use crate::args::ProfileName;
use crate::error::Failure;
use crate::input;

/// The longest document, in octets.
const MAX_FILE: usize = 64 << 10;

/// Reads a trigger, as `ctkip enrol --trigger-file` writes it.
pub(super) fn read(path: &Path, profile: ProfileName) -> Result<InitializationTrigger, Failure> {
    if profile != ProfileName::Rfc4758 {
        return Err(Failure::usage(
            "a trigger starts a run of RFC 4758, and not one of the dialect of deployed servers",
            "Leave --profile out, or use --profile rfc4758.",
        ));
    }
    let wrong = |why: String| {
        Failure::usage(
            format!("{} holds no trigger: {why}", path.display()),
            "Check that it is the right file: a CT-KIPTrigger, in XML.",
        )
    };
    let content = input::read(path, MAX_FILE)?;
    let message =
        xml::read(&content, &Profile::RFC4758).map_err(|error| wrong(error.to_string()))?;
    match message.message {
        Message::Trigger(Trigger { initialization: Some(trigger), .. }) => Ok(trigger),
        Message::Trigger(_) => Err(wrong("it starts something else than an initialization".into())),
        other => Err(wrong(format!("it is a {}", other.name()))),
    }
}
