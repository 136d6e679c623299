//! What is said, and where: results on standard output, everything else on standard error.
//!
//! Nothing here panics when a stream is closed: between commit and save that would lose a token.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::args::Global;
use crate::error::{Failure, Status};

/// How much is said, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) verbose: bool,
}

impl From<Global> for Output {
    fn from(global: Global) -> Self {
        Self { json: global.json, verbose: global.verbose }
    }
}

impl Output {
    /// What the user asked for. A reader that has gone, as `head` does, is no failure.
    pub(crate) fn result(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
                Status::Usage,
                "stdout",
                format!("cannot write to standard output: {error}"),
                "Check where it leads.",
            )),
            _ => Ok(()),
        }
    }

    /// A result as JSON.
    pub(crate) fn json(self, value: &Value) -> Result<(), Failure> {
        self.result(&format!("{value:#}\n"))
    }

    /// A step that was taken.
    pub(crate) fn step(self, text: &str) {
        if !self.json {
            line(text);
        }
    }

    /// A step with sizes, for whoever wants to know.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose {
            line(text);
        }
    }

    pub(crate) fn note(self, text: &str) {
        line(&format!("note: {text}"));
    }

    pub(crate) fn warn(self, text: &str) {
        line(&format!("warning: {text}"));
    }

    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            let mut error = json!({
                "status": failure.status as u8,
                "kind": failure.kind,
                "what": failure.what,
                "next": failure.next,
            });
            if let Some(detail) = failure.detail.as_ref().filter(|_| self.verbose) {
                error["detail"] = detail.as_str().into();
            }
            line(&json!({ "error": error }).to_string());
            return;
        }
        line(&format!("error: {}", printable(&failure.what)));
        if let Some(detail) = &failure.detail {
            if self.verbose {
                line(&printable(detail));
            } else {
                line("(The whole text comes with --verbose.)");
            }
        }
        line(&printable(&failure.next));
    }
}

/// Lines of a label and a value, the values in one column.
pub(crate) fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let line = |text: &str| printable(text).replace('\n', " ");
    rows.iter().map(|(label, value)| format!("{label:width$}  {}\n", line(value))).collect()
}

/// A text from elsewhere without what would make a terminal do things.
pub(crate) fn printable(text: &str) -> String {
    let show = |c: char| match c {
        '\n' | '\t' => c,
        // Directions can be overridden too.
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    };
    text.chars().map(show).collect()
}

fn line(text: &str) {
    // In one piece. There is nowhere left to complain to.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
