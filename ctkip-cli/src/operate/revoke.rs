//! `ctkip revoke`: enrolments, with their codes and tokens.

use serde_json::json;

use super::args::RevokeArgs;
use super::desk::Desk;
use crate::error::Failure;
use crate::output::Output;
use crate::register::now;

pub(super) fn run(args: &RevokeArgs, output: Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.store)?;
    let (mut to_do, mut before) = (Vec::new(), Vec::new());
    for serial in &args.serials {
        let serial = serial.as_str();
        let standing = desk.registry.standing(serial).map_err(|error| desk.failure(error))?;
        if standing.enrolled.revoked.is_some() {
            before.push(serial);
        } else if !to_do.contains(&serial) {
            to_do.push(serial);
        }
    }
    for serial in &to_do {
        desk.registry.revoke(serial, now()).map_err(|error| desk.failure(error))?;
        output.step(&format!("Revoked {serial}"));
    }
    if output.json {
        return output.json(&json!({ "revoked": to_do, "revoked_before": before }));
    }
    for serial in before {
        output.note(&format!("{serial} was revoked before"));
    }
    Ok(())
}
