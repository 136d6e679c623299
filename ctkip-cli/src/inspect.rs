//! `ctkip inspect`: what a captured message is, and in what it departs from RFC 4758.

use ctkip_core::xml;
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::error::{Failure, Status};
use crate::input;
use crate::output::{Output, printable, table};

/// The longest capture that is looked at, in octets.
const MAX_CAPTURE: usize = 1024 * 1024;

pub(crate) fn run(args: &InspectArgs, output: Output) -> Result<(), Failure> {
    let octets = input::read(&args.file, MAX_CAPTURE)?;
    let inspected = xml::inspect(&octets).map_err(|error| {
        let what = format!("{} holds no CT-KIP message: {error}", args.file.display());
        let next =
            "Give the body of one HTTP request or response, a SOAP envelope or what is in it.";
        Failure::new(Status::Protocol, "message", what, next)
    })?;
    if output.json {
        return output.json(&value(&inspected));
    }
    output.result(&text(&inspected))
}

fn text(inspected: &xml::Inspected) -> String {
    let envelope = if inspected.in_envelope { ", in a SOAP envelope" } else { "" };
    let fields = inspected.message.fields();
    let fields: Vec<(&str, String)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let findings: Vec<(&str, String)> = inspected
        .findings
        .iter()
        .map(|finding| (finding.reference, format!("{}: {}", finding.place, finding.what)))
        .collect();
    let verdict = match findings.len() {
        0 => "By the letter of RFC 4758.\n".to_owned(),
        1 => "One departure from RFC 4758:\n".to_owned(),
        count => format!("{count} departures from RFC 4758:\n"),
    };
    let name = inspected.message.name();
    format!("{name}{envelope}\n\n{}\n{verdict}{}", table(&fields), table(&findings))
}

fn value(inspected: &xml::Inspected) -> Value {
    let fields: Vec<Value> = inspected
        .message
        .fields()
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": printable(&value) }))
        .collect();
    let findings: Vec<Value> = inspected
        .findings
        .iter()
        .map(|finding| {
            let ids: Vec<&str> = finding.reference.split(", ").collect();
            json!({ "place": finding.place, "what": finding.what, "ids": ids })
        })
        .collect();
    json!({
        "message": inspected.message.name(),
        "in_envelope": inspected.in_envelope,
        "fields": fields,
        "departures": findings,
    })
}
