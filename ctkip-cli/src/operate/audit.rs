//! `ctkip audit`: what happened.

use ctkip_server::store::AuditEntry;
use serde_json::json;

use super::args::AuditArgs;
use super::desk::Desk;
use super::utc::utc;
use crate::error::Failure;
use crate::output::{Output, printable};

pub(super) fn run(args: &AuditArgs, output: Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.store)?;
    let last = usize::try_from(args.last).unwrap_or(usize::MAX);
    let entries = desk.registry.store().audit_log(last).map_err(|error| desk.failure(error))?;
    let mut text = String::new();
    if output.json {
        for AuditEntry { at, event, serial, source, detail } in entries {
            let entry = json!({
                "at": utc(at), "event": event, "serial": serial, "source": source, "detail": detail,
            });
            text.push_str(&format!("{entry}\n"));
        }
        return output.result(&text);
    }
    let header = ["TIME", "EVENT", "SERIAL", "SOURCE", "DETAIL"].map(String::from);
    let rows = entries.into_iter().map(|entry| {
        let texts = [utc(entry.at), entry.event, entry.serial, entry.source, entry.detail];
        texts.map(|text| printable(&text).replace('\n', " "))
    });
    let rows = Vec::from_iter([header].into_iter().chain(rows));
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| Some(row.get(column)?.chars().count()));
        widths.max().unwrap_or_default()
    };
    let [at, event, serial, source] = [0, 1, 2, 3].map(width);
    for [time, what, whose, from, detail] in &rows {
        let line = format!("{time:at$}  {what:event$}  {whose:serial$}  {from:source$}  {detail}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    output.result(&text)
}
