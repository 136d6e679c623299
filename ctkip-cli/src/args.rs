//! The command line. Completions and man pages are made from the same definitions.
//!
//! What a command does is said at its name in the list, since its options are made only once it is
//! called. Whoever describes a group of options in a doc comment has that said of every command with
//! the group; hence the plain comments there.

use std::path::PathBuf;

use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::operate::args::Operate;
use crate::serve::args::ServeArgs;

/// Provision and use SecurID software tokens.
#[derive(Debug, Parser)]
#[command(name = "ctkip", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// What every command understands.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Global {
    /// Write results, and errors, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Tell more on standard error: steps and sizes, the whole text of a refusal; no secrets
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Get a new token from a CT-KIP server
    ///
    /// The token is saved before anything is reported. Exit status: 0 done; 1 refused by the
    /// server; 2 usage or local input; 3 transport, nothing committed; 4 protocol, pinned key or
    /// MAC; 5 committed but not saved where asked (the path is on standard error); 6 outcome
    /// unknown.
    Provision(Box<ProvisionArgs>),
    /// Print a tokencode
    Tokencode(TokencodeArgs),
    /// Show what a token is
    Show(ShowArgs),
    /// Write a token in another form
    ///
    /// What is written holds the token's secret, and no password protects it unless a new one is
    /// asked for.
    Export(ExportArgs),
    /// Keep a token in ~/.stokenrc, where stoken finds it too
    Import(ImportArgs),
    /// Keep a PIN with the token in ~/.stokenrc
    Setpin(SetpinArgs),
    /// Protect the token in ~/.stokenrc with another password
    Setpass(SetpassArgs),
    /// Make a new random token as an .sdtid file
    Issue(IssueArgs),
    /// Take a captured CT-KIP message apart, and tell how it departs from RFC 4758
    ///
    /// Reads what can be read, of any dialect. Exit status: 0 a message, by the letter or not; 2
    /// usage; 4 no message.
    Inspect(InspectArgs),
    /// Run a server: one for testing clients, or one that remembers
    ///
    /// With --code it is for testing: whoever brings the code gets a token, a new one each time,
    /// which is forgotten once it is answered. With --store it remembers: it gives a token to each
    /// user that `ctkip enrol` gave a code, once, and keeps it, sealed, in the store; any number of
    /// servers may share one in PostgreSQL.
    ///
    /// Both speak the dialect of deployed clients on / and /ctkip/services/CtkipService, and RFC
    /// 4758 over plain HTTP on /rfc4758 and, for requests of its media type, on the same paths.
    /// There a server for testing asks for no code, and one that remembers for a trigger. On
    /// standard output: where it listens, the fingerprint of its key, for a test an activation link
    /// too, and with --print-seeds a line a token. It ends when it is interrupted.
    Serve(Box<ServeArgs>),
    #[command(flatten)]
    Operate(Operate),
    /// Write completions for a shell to standard output
    Completions { shell: clap_complete::Shell },
    /// Write the man pages into a folder
    Man { folder: PathBuf },
}

#[derive(Debug, Args)]
pub(crate) struct ProvisionArgs {
    /// Where to ask: the URL of the service, an activation link, a picture of its QR code (PNG,
    /// JPEG), a file or text with a link in it, `-` for such text on standard input, or `loopback:`
    /// for a server in memory
    #[arg(value_name = "URL|LINK|PICTURE")]
    pub(crate) from: String,
    /// The activation code. Better not given here, where other users can see it: it is asked for
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Read the activation code from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) code_file: Option<PathBuf>,

    /// Where to save the token [default: its serial number, as in 123456789012.sdtid]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(short, long)]
    pub(crate) force: bool,
    /// The form to save it in
    #[arg(long, value_name = "FORM", default_value = "sdtid")]
    pub(crate) to: Form,
    #[command(flatten)]
    pub(crate) lock: Lock,
    /// Show the seed too. Whoever sees it can compute every tokencode
    #[arg(long)]
    pub(crate) show_secrets: bool,

    #[command(flatten)]
    pub(crate) connection: Connection,

    /// The dialect: that of deployed servers, or RFC 4758 over plain HTTP
    #[arg(
        long,
        value_name = "PROFILE",
        default_value = "securid",
        default_value_if("trigger", ArgPredicate::IsPresent, "rfc4758"),
        help_heading = "Protocol"
    )]
    pub(crate) profile: ProfileName,
    /// Start from the trigger in this file, or on standard input (`-`), which stands for a code in
    /// rfc4758; the URL that it may name is not followed
    #[arg(long, value_name = "FILE", help_heading = "Protocol")]
    pub(crate) trigger: Option<PathBuf>,
    /// Accept only this RSA key of the server: SHA-256 of its DER SubjectPublicKeyInfo. Repeatable
    #[arg(long, value_name = "sha256:HEX", help_heading = "Protocol")]
    pub(crate) pin_key: Vec<String>,
    /// Accept RSA keys of at least so many bits [default: 1024, with rfc4758 2048]
    #[arg(long, value_name = "BITS", help_heading = "Protocol")]
    pub(crate) min_key_bits: Option<usize>,
}

// How the server is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Allow http to another host than this one: the code travels in clear
    #[arg(long)]
    pub(crate) allow_http: bool,
    /// Trust the certificates in this PEM file too. Repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Vec<PathBuf>,
    /// Do not check the server's certificate: anyone in between can take the token
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Go through this proxy [default: as the environment says]
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Wait at most so long for the whole run, repetitions included
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}

// A token to be read.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// A file with the token in any form, `-` for standard input, or the token's text itself
    /// [default: the token in ~/.stokenrc]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    pub(crate) rc: RcFile,
    /// The serial number of the token wanted, if the file holds several
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial: Option<String>,
    #[command(flatten)]
    pub(crate) unlocking: Unlocking,
}

// What opens a locked token.
#[derive(Debug, Args)]
pub(crate) struct Unlocking {
    /// The token's password. Better given with --password-file, or when asked
    #[arg(short, long, value_name = "TEXT", conflicts_with = "password_file")]
    pub(crate) password: Option<String>,
    /// Read the token's password from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The device id that the token is bound to
    #[arg(long, value_name = "ID")]
    pub(crate) devid: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RcFile {
    /// Another file instead of ~/.stokenrc
    #[arg(short, long, value_name = "FILE")]
    pub(crate) rcfile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TokencodeArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The code at another time: Unix seconds, or `+N` or `-N` seconds from now
    #[arg(
        long,
        value_name = "UNIX",
        visible_alias = "use-time",
        allow_hyphen_values = true,
        conflicts_with = "next"
    )]
    pub(crate) at: Option<At>,
    /// The code after the current one
    #[arg(long)]
    pub(crate) next: bool,
    /// The PIN; 0000 for none. Better given with --pin-file, or when asked
    #[arg(short = 'n', long, value_name = "PIN", conflicts_with = "pin_file")]
    pub(crate) pin: Option<String>,
    /// Read the PIN from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// Use an expired token all the same
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Show the current code and the seconds left until interrupted
    #[arg(short, long, conflicts_with_all = ["at", "next", "count", "from", "json"])]
    pub(crate) watch: bool,
    /// Print so many codes in a row, each after the Unix time at which it begins
    #[arg(long, value_name = "N", conflicts_with = "next", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) count: Option<u64>,
    /// The time of the first of them: as with --at
    #[arg(long, value_name = "UNIX", allow_hyphen_values = true, conflicts_with_all = ["at", "next"], requires = "count")]
    pub(crate) from: Option<At>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Show the seed too. Whoever sees it can compute every tokencode
    #[arg(long)]
    pub(crate) seed: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The form
    #[arg(long, value_name = "FORM")]
    pub(crate) to: Form,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: NewLock,
}

// Where a written token goes.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Write into this file instead of to standard output; a QR code becomes .png or .svg
    #[arg(short, long, value_name = "FILE", visible_alias = "output")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(short, long)]
    pub(crate) force: bool,
}

// How a newly provisioned token is locked.
#[derive(Debug, Args)]
pub(crate) struct Lock {
    /// Protect the saved token with a password, which is asked for
    #[arg(long)]
    pub(crate) protect: bool,
    /// Protect it with the password in a file, or on standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Bind it to this device id
    #[arg(long, value_name = "ID")]
    pub(crate) devid: Option<String>,
    /// A document whose elements replace those of the .sdtid file that is written
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

// How a token that was read is locked anew.
#[derive(Debug, Args)]
#[command(next_help_heading = "Protecting what is written")]
pub(crate) struct NewLock {
    /// Protect it with a password, which is asked for
    #[arg(long)]
    pub(crate) protect: bool,
    /// Protect it with the password that opened it
    #[arg(long, conflicts_with_all = ["protect", "new_password", "new_password_file"])]
    pub(crate) keep_password: bool,
    /// Protect it with this password. Better given with --new-password-file, or when asked
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["protect", "new_password_file"])]
    pub(crate) new_password: Option<String>,
    /// Protect it with the password in a file, or on standard input (`-`)
    #[arg(long, value_name = "FILE", conflicts_with = "protect")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Bind it to this device id
    #[arg(long, value_name = "ID")]
    pub(crate) new_devid: Option<String>,
    /// A document whose elements replace those of the .sdtid file that is written
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A file with the token in any form, `-` for standard input, or the token's text itself
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) rc: RcFile,
    /// The serial number of the token wanted, if the file holds several
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial: Option<String>,
    #[command(flatten)]
    pub(crate) unlocking: Unlocking,
    /// Replace the token that is kept there. The old file stays beside the new one, with `.bak`
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) lock: NewLock,
}

#[derive(Debug, Args)]
pub(crate) struct SetpinArgs {
    #[command(flatten)]
    pub(crate) rc: RcFile,
    /// The new PIN; an empty one removes it. Better given with --new-pin-file, or when asked
    #[arg(long, value_name = "PIN", conflicts_with = "new_pin_file")]
    pub(crate) new_pin: Option<String>,
    /// Read the new PIN from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) new_pin_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlocking: Unlocking,
}

#[derive(Debug, Args)]
pub(crate) struct SetpassArgs {
    #[command(flatten)]
    pub(crate) rc: RcFile,
    #[command(flatten)]
    pub(crate) unlocking: Unlocking,
    /// The new password; an empty one removes it. Better given with --new-password-file, or when
    /// asked
    #[arg(long, value_name = "TEXT", conflicts_with = "new_password_file")]
    pub(crate) new_password: Option<String>,
    /// Read the new password from a file, or from standard input (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct IssueArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: Lock,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The body of a request or response, with or without its SOAP envelope; `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// The forms a token can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// An XML file, for RSA's desktop programs
    Sdtid,
    /// 81 digits
    Ctf,
    /// 81 digits in groups of five
    Blocks,
    /// Version 3, as a link
    V3,
    /// A link for Android
    Android,
    /// A link for the iPhone
    Iphone,
    /// A QR code of the link for Android
    Qr,
    /// JSON with the seed
    Json,
    /// A file as stoken keeps it
    Stokenrc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// The dialect of RSA's servers, in SOAP beside an activation code
    Securid,
    /// RFC 4758, over plain HTTP; no activation code
    Rfc4758,
}

/// A time given by the user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    Absolute(u64),
    Later(u64),
    Earlier(u64),
}

impl At {
    /// As Unix time in seconds.
    pub(crate) const fn unix(self, now: u64) -> u64 {
        match self {
            Self::Absolute(time) => time,
            Self::Later(seconds) => now.saturating_add(seconds),
            Self::Earlier(seconds) => now.saturating_sub(seconds),
        }
    }
}

impl std::str::FromStr for At {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(seconds) = text.strip_prefix('+') {
            seconds.parse().map(Self::Later)
        } else if let Some(seconds) = text.strip_prefix('-') {
            seconds.parse().map(Self::Earlier)
        } else {
            text.parse().map(Self::Absolute)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::Cli;

    /// Each command with what is said of it.
    fn said(command: &Command) -> Vec<(String, String)> {
        let one = |command: &Command| {
            let about = command.get_about().map(ToString::to_string);
            (command.get_name().to_owned(), about.unwrap_or_default())
        };
        command.get_subcommands().map(one).collect()
    }

    fn check(listed: &Command) {
        let mut built = listed.clone();
        built.build();
        built.get_subcommands().filter(|found| found.has_subcommands()).for_each(check);
        let of_themselves = said(&built);
        assert_eq!(said(listed), of_themselves[..said(listed).len()]);
        assert!(of_themselves.iter().all(|(_, about)| !about.is_empty()), "{of_themselves:?}");
    }

    #[test]
    fn a_command_says_of_itself_what_the_list_says() {
        check(&Cli::command());
    }

    #[test]
    fn every_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
