//! `ctkip tokencode`: stoken's job.

mod watch;

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use ctkip_token::{Pin, Token};
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::TokencodeArgs;
use crate::error::{Failure, Status};
use crate::input;
use crate::output::Output;
use crate::source::Loaded;

/// The usual warning comes in the last two weeks.
const WARNING_DAYS: i64 = 14;

pub(crate) fn run(args: &TokencodeArgs, output: Output) -> Result<(), Failure> {
    let loaded = args.source.load(output)?;
    let now = now();
    let at = args.at.or(args.from);
    let time = at.map_or(now, |at| at.unix(now));
    check_expiry(args, &loaded.opened.token, time, output)?;
    let pin = pin(args, &loaded, output)?;
    let (token, pin) = (&loaded.opened.token, pin.as_ref().or(loaded.pin.as_ref()));
    if args.watch {
        return watch::run(token, pin, output);
    }
    if let Some(count) = args.count {
        return many(token, pin, time, count, output);
    }
    let time = if args.next { time.saturating_add(token.interval().seconds()) } else { time };
    let code = token.tokencode(time, pin);
    if output.json {
        return output.json(&json!({
            "serial": token.serial.as_str(),
            "tokencode": code.expose(),
            "time": time,
            "begins": begin(token, time),
            "interval": token.interval().seconds(),
            "seconds_left": token.seconds_left(time),
            "with_pin": pin.is_some(),
        }));
    }
    output.result(&Zeroizing::new(format!("{}\n", code.expose())))
}

/// Consecutive codes, each after the time at which it begins.
fn many(
    token: &Token,
    pin: Option<&Pin>,
    from: u64,
    count: u64,
    output: Output,
) -> Result<(), Failure> {
    let interval = token.interval().seconds();
    let times = (0..count).map(|n| begin(token, from).saturating_add(n.saturating_mul(interval)));
    if output.json {
        let codes: Vec<_> = times
            .map(|time| json!({"begins": time, "tokencode": token.tokencode(time, pin).expose()}))
            .collect();
        return output.json(&codes.into());
    }
    // In pieces, so that millions of them take no memory.
    let mut text = Zeroizing::new(String::with_capacity(1 << 16));
    for time in times {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{time} {}", token.tokencode(time, pin).expose());
        if text.len() > (1 << 16) - 64 {
            output.result(&text)?;
            text.clear();
        }
    }
    output.result(&text)
}

/// When the code of this time begins.
fn begin(token: &Token, time: u64) -> u64 {
    time - time % token.interval().seconds()
}

fn check_expiry(
    args: &TokencodeArgs,
    token: &Token,
    time: u64,
    output: Output,
) -> Result<(), Failure> {
    let (last, left) = (token.expiry, token.expiry.days_left(time));
    if args.force || left >= WARNING_DAYS {
        return Ok(());
    }
    if left >= 0 {
        let days = if left == 1 { "day" } else { "days" };
        output.warn(&format!("the token expires in {left} {days}, after {last}"));
    } else if args.at.is_some() || args.from.is_some() {
        output.warn(&format!("at that time the token has expired; its last day is {last}"));
    } else {
        return Err(Failure::new(
            Status::Usage,
            "expired",
            format!("the token has expired; its last day was {last}"),
            "Get a new one, or use it all the same with --force.",
        ));
    }
    Ok(())
}

/// The user's PIN, if the token uses one; one kept with the token is for later.
fn pin(args: &TokencodeArgs, loaded: &Loaded, output: Output) -> Result<Option<Pin>, Failure> {
    let given = input::given(args.pin.as_deref(), args.pin_file.as_deref(), "the PIN")?;
    let given = given.map(|pin| Pin::new(&pin)).transpose()?;
    if !loaded.opened.token.pin_mode().uses_pin() {
        if given.is_some() {
            output.note("this token uses no PIN; the one given is left out");
        }
        return Ok(None);
    }
    if given.is_some() || loaded.pin.is_some() {
        return Ok(given);
    }
    for question in ["Enter PIN (0000 for none): ", "A PIN is 4 to 8 digits. Enter PIN: "] {
        let Some(answer) = input::prompt(question)? else {
            output
                .note("this is the code without a PIN; give one with --pin-file to have it added");
            return Ok(None);
        };
        if let Ok(pin) = Pin::new(&answer) {
            return Ok(Some(pin));
        }
    }
    Err(ctkip_token::Error::InvalidPin.into())
}

/// Unix time in seconds. A clock before 1970 counts as 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
