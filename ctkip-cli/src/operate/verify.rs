//! `ctkip tokens verify`: is this a tokencode of that token?

use ctkip_server::{RegistryError, Verified};
use ctkip_token::Pin;
use serde_json::json;
use zeroize::Zeroizing;

use super::args::VerifyArgs;
use super::desk::Desk;
use crate::error::{Failure, Status};
use crate::input;
use crate::output::{self, Output};
use crate::register::now;

pub(super) fn run(args: &VerifyArgs, output: Output) -> Result<(), Failure> {
    let pin = input::given(args.pin.as_deref(), args.pin_file.as_deref(), "the PIN")?;
    let pin = pin.map(|pin| Pin::new(&pin)).transpose()?;
    let desk = Desk::open(&args.store)?;
    let (tokencode, serial) = (tokencode(args)?, args.serial.as_str());
    let verified = desk.registry.verify(serial, &tokencode, pin.as_ref(), args.window, now());
    let Verified { drift, first } = verified.map_err(|error| {
        use RegistryError as Error;
        let refused = matches!(
            error,
            Error::WrongTokencode(_) | Error::RepeatedTokencode(_) | Error::Revoked(_)
        );
        let failure = desk.failure(error);
        if refused { Failure { status: Status::Refused, ..failure } } else { failure }
    })?;
    if output.json {
        return output.json(&json!({ "serial": serial, "first": first, "drift": drift }));
    }
    let good = if first { "good; the token is confirmed" } else { "good" };
    let drift = match drift {
        0 => "none".into(),
        1.. => format!("{drift} intervals ahead"),
        _ => format!("{} intervals behind", drift.unsigned_abs()),
    };
    output.result(&output::table(&[
        ("Serial number", serial.into()),
        ("Tokencode", good.into()),
        ("Drift of its clock", drift),
    ]))
}

/// The digits, which people group as they like.
fn tokencode(args: &VerifyArgs) -> Result<Zeroizing<String>, Failure> {
    let given = match &args.tokencode {
        Some(text) => Some(Zeroizing::new(text.clone())),
        None => input::prompt("Enter tokencode: ")?,
    };
    let given = given.ok_or_else(|| {
        Failure::usage("no tokencode was given", "Give it, or run this in a terminal to be asked.")
    })?;
    Ok(Zeroizing::new(given.chars().filter(|c| !c.is_whitespace()).collect()))
}
