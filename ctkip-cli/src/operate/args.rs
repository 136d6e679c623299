//! The command lines of an operator.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};
use ctkip_server::store::State;
use ctkip_token::{ExpiryDay, Serial};

use super::service::Service;
use crate::args::ProfileName;
use crate::register::StoreArgs;
use crate::value::{bits, date, interval};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Operate {
    /// Let a user have a token: make an activation code
    ///
    /// On standard output, this once: the serial number, the code and until when it is good, the
    /// fingerprint of the server's key, and with --public-url the activation link, on a terminal
    /// with its QR code. The store keeps no code; a lost one is replaced with `ctkip reissue`. With
    /// --csv many users are enrolled, all or none. Exit status: 0 done; 2 nobody was enrolled; 5
    /// enrolled, but what was to be shown is not where it was asked for (the path is on standard
    /// error).
    Enrol(Box<EnrolArgs>),
    /// Give an enrolment a new code
    ///
    /// The code before is good no more, and a token that came of it is revoked. A token that was
    /// seen in use (`ctkip tokens verify`) is not replaced so: revoke it, and enrol anew. Output
    /// and exit status are those of `ctkip enrol`.
    Reissue(Box<ReissueArgs>),
    /// Revoke enrolments, with their codes and tokens
    ///
    /// Codes are good no more, and the seeds of tokens are forgotten: there is no way back. If one
    /// of the serial numbers is unknown, nothing is revoked.
    Revoke(RevokeArgs),
    /// List the enrolments, in order of serial numbers
    ///
    /// With --json, a JSON object a line.
    Enrolments(EnrolmentsArgs),
    /// List the server's RSA keys, or change them
    ///
    /// The current key is offered to whoever is enrolled from now on; old ones serve the codes that
    /// were given out under them; retired ones serve nobody.
    Keys(KeysArgs),
    /// Check tokencodes, and export tokens
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Show the audit log, the oldest first
    ///
    /// With --json, a JSON object a line.
    Audit(AuditArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EnrolArgs {
    /// Whose token it is
    #[arg(long, value_name = "NAME", required_unless_present = "csv", conflicts_with = "csv")]
    pub(crate) user: Option<String>,
    /// The serial number, up to 12 digits [default: a random one]
    #[arg(long, value_name = "SERIAL", conflicts_with = "csv")]
    pub(crate) serial: Option<Serial>,
    #[command(flatten)]
    pub(crate) wanted: Wanted,

    /// Enrol the users in this file, or on standard input (`-`). Its first row names the columns:
    /// user, and if need be serial, service, digits, interval, expires, device, profile; an empty
    /// cell is as the option says. Written are the columns serial, user, code (for rfc4758 the
    /// trigger's nonce in base64), expires (the code), link
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["qr", "trigger_file"],
        help_heading = "Many at once"
    )]
    pub(crate) csv: Option<PathBuf>,
    /// Write their codes into this file, for its owner only, instead of to standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        visible_alias = "output",
        requires = "csv",
        help_heading = "Many at once"
    )]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) handing: HandingArgs,
    /// The size of the RSA key that is made if the store has none yet [default: 2048]. Old clients
    /// want 1024
    #[arg(long, value_name = "BITS", help_heading = "Store", value_parser = bits)]
    pub(crate) key_bits: Option<usize>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

// What a token is to be, but for whose it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Token")]
pub(crate) struct Wanted {
    /// The service it is for (ServiceID)
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) service: String,
    /// Digits of a tokencode
    #[arg(long, value_name = "DIGITS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) digits: u8,
    /// Seconds between two tokencodes, 30 or 60
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = interval)]
    pub(crate) interval: u32,
    /// Its last day, as in 2035-12-31 [default: five years from now]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) expires: Option<ExpiryDay>,
    /// PinType
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) pin_type: u32,
    /// Whether the user's PIN is added to the tokencode (AddPIN)
    #[arg(long, value_name = "0|1", default_value = "1", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub(crate) add_pin: bool,
    /// The device it is for. With rfc4758 no other gets the token; deployed clients do not say on
    /// which device they are, so that it is only noted
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,
    /// The dialect it is got in. With rfc4758 a trigger stands for the code
    #[arg(long, value_name = "PROFILE", default_value = "securid")]
    pub(crate) profile: ProfileName,
}

// What the code is to be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Code")]
pub(crate) struct CodeArgs {
    /// Digits of the code, 12 to 64. Clients in the field may take no more than 12
    #[arg(long, value_name = "DIGITS", default_value_t = 12, value_parser = clap::value_parser!(u8).range(12..=64))]
    pub(crate) code_length: u8,
    /// For how long the code is good: seconds, or as in 30m, 12h, 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    pub(crate) code_lifetime: u64,
}

// How the code gets to the user.
#[derive(Debug, Args)]
#[command(next_help_heading = "Handing it over")]
pub(crate) struct HandingArgs {
    /// Where clients find the server: makes the activation link, or with rfc4758 stands in the
    /// trigger
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Service>,
    /// Write the QR code of the link into this file, .png or .svg, for its owner only
    #[arg(long, value_name = "FILE", requires = "public_url")]
    pub(crate) qr: Option<PathBuf>,
    /// With rfc4758: write the trigger (CT-KIPTrigger, in XML) into this file, for its owner only,
    /// instead of its nonce in base64 to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) trigger_file: Option<PathBuf>,
    /// Replace files that are there
    #[arg(short, long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReissueArgs {
    /// The serial number of the enrolment
    #[arg(value_name = "SERIAL")]
    pub(crate) serial: Serial,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) handing: HandingArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The serial numbers
    #[arg(value_name = "SERIAL", required = true)]
    pub(crate) serials: Vec<Serial>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EnrolmentsArgs {
    /// Only those of this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Only this one
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial: Option<Serial>,
    /// Only those in this state
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<StateName>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// States, as they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateName {
    /// The code can be used
    Open,
    /// The code has expired unused
    Expired,
    /// The trigger was used, and no token came of it
    Spent,
    /// There is a token, of which no tokencode was seen yet
    Unconfirmed,
    /// There is a token, and it was seen in use
    Confirmed,
    /// It was revoked
    Revoked,
}

impl StateName {
    pub(crate) const fn state(self) -> State {
        match self {
            Self::Open => State::Open,
            Self::Expired => State::Expired,
            Self::Spent => State::Spent,
            Self::Unconfirmed => State::Unconfirmed,
            Self::Confirmed => State::Confirmed,
            Self::Revoked => State::Revoked,
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: Option<KeysCommand>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum KeysCommand {
    /// Make a new RSA key, which is the current one from now on
    Rotate {
        /// Its size. Old clients want 1024
        #[arg(long, value_name = "BITS", default_value_t = 2048, value_parser = bits)]
        bits: usize,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Retire an RSA key: it serves nobody any more, sessions that are open included
    Retire {
        /// The first digits of its fingerprint, as `ctkip keys` lists it
        #[arg(value_name = "FINGERPRINT")]
        name: String,
        /// Even if codes that are open offer it: they are worth nothing then
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Make a master key: 32 random octets in a new file, for its owner only
    ///
    /// It is for --master-key-file. Keep a copy where the store's copies are not: without it a
    /// store is worth nothing, and with it and the store one has every token.
    MakeMaster {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum TokensCommand {
    /// Check a tokencode
    ///
    /// A good one shows that the token is where it should be: the first confirms it. None is taken
    /// twice, nor one from before the last. Exit status: 0 good; 1 refused: wrong, repeated, or of
    /// a token that was revoked; 2 usage, a store that fails, or no such token; 4 the token's row
    /// was changed by another hand.
    Verify(VerifyArgs),
    /// Write the tokens that were issued, with their seeds, for another server
    ///
    /// Revoked ones are left out. The audit log notes it. A token whose row was changed by another
    /// hand is left out too and named on standard error, and the exit status is 4 once the others
    /// are written.
    Export(TokensExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The serial number of the token
    #[arg(value_name = "SERIAL")]
    pub(crate) serial: Serial,
    /// The tokencode, if it is not to be asked for
    #[arg(value_name = "TOKENCODE")]
    pub(crate) tokencode: Option<String>,
    /// The PIN that is added to the tokencode, if one is. Better given with --pin-file
    #[arg(short = 'n', long, value_name = "PIN", conflicts_with = "pin_file")]
    pub(crate) pin: Option<String>,
    /// Read the PIN from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// How many intervals the clock of the token may be off, either way
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1440))]
    pub(crate) window: u32,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokensExportArgs {
    /// The form
    #[arg(long, value_name = "FORM")]
    pub(crate) to: ExportForm,
    /// Write into this file, for its owner only, instead of to standard output
    #[arg(short, long, value_name = "FILE", visible_alias = "output")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Encrypt under the password in this file, or on standard input (`-`) [default: it is asked
    /// for]
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) password_file: Option<PathBuf>,
    /// Encrypt under the key in this file, which the receiver has too: 16 or 32 octets, raw or as
    /// hexadecimal digits
    #[arg(long, value_name = "FILE", requires = "key_name")]
    pub(crate) key_file: Option<PathBuf>,
    /// The name by which the receiver finds that key
    #[arg(long, value_name = "NAME", requires = "key_file")]
    pub(crate) key_name: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// The forms that tokens are exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportForm {
    /// PSKC (RFC 6030), encrypted
    Pskc,
    /// JSON with the seeds in clear
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The last so many entries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) last: u32,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// The longest life of a code: ten years, in seconds.
const LONGEST: u64 = 3653 * 86_400;

fn lifetime(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => Some(1),
        Some("m") => Some(60),
        Some("h") => Some(3600),
        Some("d") => Some(86_400),
        _ => None,
    };
    let seconds = digits.parse::<u64>().ok().zip(unit).map(|(n, unit)| n.saturating_mul(unit));
    seconds
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .ok_or_else(|| "seconds, or a number with m, h or d, of ten years at most".into())
}

#[cfg(test)]
mod tests {
    use super::lifetime;

    #[test]
    fn lifetimes_have_units() {
        for (text, seconds) in [("1", 1), ("90s", 90), ("2m", 120), ("3h", 10_800), ("7d", 604_800)]
        {
            assert_eq!(lifetime(text), Ok(seconds), "{text}");
        }
        for text in
            ["", "d", "0", "0d", "-1", "1w", "1 d", "7D", "9999d", "1d2h", "99999999999999d"]
        {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
