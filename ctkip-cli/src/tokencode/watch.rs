//! The current code and a bar of the seconds left, until interrupted.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ctkip_token::{Pin, Token};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Failure;
use crate::output::Output;

/// On a terminal a live line on standard error; else each code as it comes, on standard output.
pub(super) fn run(token: &Token, pin: Option<&Pin>, output: Output) -> Result<(), Failure> {
    let live = io::stdout().is_terminal() && io::stderr().is_terminal();
    let bar = ProgressBar::with_draw_target(
        Some(token.interval().seconds()),
        if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
    );
    if let Ok(style) = ProgressStyle::with_template("{msg}  {bar:30} {pos:>2} s left") {
        bar.set_style(style);
    }
    let mut shown = None;
    loop {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (time, left) = (since.as_secs(), token.seconds_left(since.as_secs()));
        let begins = time.saturating_add(left);
        bar.set_position(left);
        if shown != Some(begins) {
            shown = Some(begins);
            let code = token.tokencode(time, pin);
            if live {
                bar.set_message(code.expose().to_owned());
            } else {
                output.result(&format!("{}\n", code.expose()))?;
            }
        }
        let into_second = u64::from(since.subsec_millis());
        thread::sleep(Duration::from_millis(1000_u64.saturating_sub(into_second).max(1)));
    }
}
