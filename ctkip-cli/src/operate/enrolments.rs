//! `ctkip enrolments`: who was enrolled, and what became of it.

use std::fmt::Write;

use ctkip_core::Timestamp;
use ctkip_server::store::{Filter, Standing};
use serde_json::json;

use super::args::EnrolmentsArgs;
use super::desk::Desk;
use super::utc::{utc, utc_if_any};
use crate::error::Failure;
use crate::output::{Output, printable};
use crate::register::now;

/// How many are read at a time: a million of them take no memory.
const PAGE: usize = 1000;

pub(super) fn run(args: &EnrolmentsArgs, output: Output) -> Result<(), Failure> {
    let (desk, now) = (Desk::open(&args.store)?, now());
    let wanted = args.state.map(super::args::StateName::state);
    let (serial, user) = (args.serial.map(|serial| serial.to_string()), args.user.as_deref());
    if !output.json {
        let (times, state) = (["CODE UNTIL", "ISSUED", "CONFIRMED"], "STATE");
        let [code, issued, confirmed] = times.map(|name| format!("{name:20}"));
        output.result(&format!(
            "{:12}  {state:11}  {code}  {issued}  {confirmed}  USER\n",
            "SERIAL"
        ))?;
    }
    let mut after = None;
    loop {
        let filter =
            Filter { serial: serial.as_deref(), user, after: after.as_deref(), limit: PAGE };
        let page = desk.registry.store().standings(&filter).map_err(|error| desk.failure(error))?;
        let Some(last) = page.last() else { return Ok(()) };
        let mut text = String::new();
        for standing in &page {
            if wanted.is_none_or(|state| standing.state(now) == state) {
                // Writing to a String does not fail.
                let _ = match output.json {
                    true => writeln!(text, "{}", object(standing, now)),
                    false => writeln!(text, "{}", line(standing, now)),
                };
            }
        }
        output.result(&text)?;
        if page.len() < PAGE {
            return Ok(());
        }
        after = Some(last.enrolled.enrolment.serial.clone());
    }
}

fn line(standing: &Standing, now: Timestamp) -> String {
    let (enrolment, issue) = (&standing.enrolled.enrolment, standing.issue.as_ref());
    format!(
        "{:12}  {:11}  {:20}  {:20}  {:20}  {}",
        enrolment.serial,
        standing.state(now).name(),
        utc(standing.code.expiry),
        utc_if_any(issue.map(|issue| issue.committed)),
        utc_if_any(issue.and_then(|issue| issue.confirmed)),
        printable(&enrolment.user).replace('\n', " "),
    )
}

fn object(standing: &Standing, now: Timestamp) -> serde_json::Value {
    let (enrolment, issue) = (&standing.enrolled.enrolment, standing.issue.as_ref());
    json!({
        "serial": enrolment.serial,
        "user": enrolment.user,
        "service": enrolment.service,
        "profile": enrolment.dialect.name(),
        "device": enrolment.device,
        "digits": enrolment.digits,
        "interval": enrolment.interval,
        "expires": enrolment.expires.to_string(),
        "state": standing.state(now).name(),
        "enrolled": utc(standing.enrolled.created),
        "code_expires": utc(standing.code.expiry),
        "issued": issue.map(|issue| utc(issue.committed)),
        "confirmed": issue.and_then(|issue| issue.confirmed).map(utc),
        "revoked": standing.enrolled.revoked.map(utc),
    })
}
