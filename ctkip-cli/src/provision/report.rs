//! What is told of a new token.

use ctkip_core::NewToken;
use ctkip_core::message::OtpMode;
use ctkip_token::Token;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::args::ProvisionArgs;
use crate::error::Failure;
use crate::output::{Output, table};
use crate::save::Saved;
use crate::show;

/// Tells of the token, and of where it is.
pub(super) fn run(
    args: &ProvisionArgs,
    new: &NewToken,
    token: Option<&Token>,
    saved: &Saved,
    output: Output,
) -> Result<(), Failure> {
    if let Saved::There(path) = saved {
        output.step(&format!("Saved to {}", path.display()));
    }
    let told = if output.json {
        output.json(&value(args, new, token, saved))
    } else {
        warnings(new, token).iter().for_each(|warning| output.warn(warning));
        let text = match token {
            Some(token) => text(args, token, saved),
            None => Zeroizing::new(String::new()),
        };
        output.result(&text)
    };
    match super::not_saved(saved) {
        Some(failure) => Err(failure),
        None => told,
    }
}

fn text(args: &ProvisionArgs, token: &Token, saved: &Saved) -> Zeroizing<String> {
    let mut rows = show::rows(token);
    if let Saved::There(path) | Saved::Elsewhere { path, .. } = saved {
        rows.push(("File", path.display().to_string()));
    }
    if args.show_secrets {
        rows.push(("Seed", show::seed_hex(token).to_string()));
    }
    Zeroizing::new(table(&rows))
}

fn value(args: &ProvisionArgs, new: &NewToken, token: Option<&Token>, saved: &Saved) -> Value {
    let path = match saved {
        Saved::There(path) | Saved::Elsewhere { path, .. } => Some(path.display().to_string()),
        Saved::Shown { .. } | Saved::Lost { .. } => None,
    };
    json!({
        "token": token.map(|token| show::token_value(token, args.show_secrets)),
        "file": path,
        "saved_as_asked": matches!(saved, Saved::There(_)),
        "warnings": warnings(new, token),
        "server": server(new),
    })
}

/// What was absent or odd, and what was taken in its place.
fn warnings(new: &NewToken, token: Option<&Token>) -> Vec<String> {
    let mut warnings: Vec<_> = new.warnings().iter().map(ToString::to_string).collect();
    if let Some(token) = token.filter(|_| super::expiry(new).is_none()) {
        let taken = token.expiry;
        warnings.push(format!("no usable expiry date: taken as ten years from today, {taken}"));
    }
    warnings
}

/// What the server said, as it said it.
fn server(new: &NewToken) -> Value {
    let record = new.record();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let otp = record.otp();
    let interval = otp.and_then(|otp| {
        otp.modes.iter().find_map(|mode| match mode {
            OtpMode::Time(interval) => interval.clone(),
            _ => None,
        })
    });
    json!({
        "token_id": text(&record.token_id),
        "key_id": text(&record.key_id),
        "key_expiry_date": record.key_expiry,
        "service_id": record.service_id,
        "user_id": record.user_id,
        "otp_format": otp.and_then(|otp| otp.format.clone()),
        "otp_length": otp.and_then(|otp| otp.length.clone()),
        "time_interval": interval,
        "pin_type": new.pin().pin_type,
        "add_pin": new.pin().add_pin,
    })
}

/// A committed key that makes no token, with everything the server said of it, so that it can be
/// put right by hand.
pub(super) fn raw(new: &NewToken) -> Zeroizing<String> {
    let seed: Zeroizing<String> =
        Zeroizing::new(new.key().expose().iter().map(|octet| format!("{octet:02x}")).collect());
    let value = json!({
        "type": "ct-kip-key",
        "seed": seed.as_str(),
        "key_id_hex": new.record().key_id.iter().map(|octet| format!("{octet:02x}")).collect::<String>(),
        "server": server(new),
    });
    Zeroizing::new(format!("{value:#}\n"))
}
