//! Options of `ctkip serve` in a file: they are put before those of the command line, so that what is
//! said of an option, and what is allowed together, is said and checked in one place.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, CommandFactory, Parser};
use toml::{Table, Value};

use crate::args::Cli;
use crate::error::Failure;
use crate::input;
use crate::output::Output;
use crate::rcfile::others_can_read;

/// The largest file, in octets.
const MAX_CONFIG: usize = 1 << 20;

/// The command line, with what `ctkip serve --config FILE` adds to it. As [`Parser::parse`] it ends
/// the program where there is no command to run.
pub(crate) fn parse(args: &[OsString]) -> Result<Cli, Failure> {
    let Some(line) = Line::serve(args) else { return Ok(Cli::parse_from(args)) };
    let Some(path) = line.config() else { return Ok(Cli::parse_from(args)) };
    let added = options(&path, &line.given())?;
    let (before, after) = args.split_at(line.at);
    let all = [before, &added, after].concat();
    Ok(Cli::try_parse_from(all).unwrap_or_else(|error| {
        // Whoever asked for help has no question about the file.
        if error.use_stderr() {
            output(args).note(&format!("options come from {} too", path.display()));
        }
        error.exit()
    }))
}

/// How to speak as long as the command line is not read.
pub(crate) fn output(args: &[OsString]) -> Output {
    Output { json: args.iter().any(|arg| arg == "--json"), verbose: false }
}

/// A command line of `ctkip serve`.
struct Line<'a> {
    args: &'a [OsString],
    /// Where the options of `serve` begin.
    at: usize,
}

impl<'a> Line<'a> {
    /// The options before a command take no values, so that it is the first that is no option.
    fn serve(args: &'a [OsString]) -> Option<Self> {
        let is_option = |arg: &OsString| arg.as_encoded_bytes().starts_with(b"-");
        let command = args.iter().skip(1).position(|arg| !is_option(arg))? + 1;
        (args.get(command)? == "serve").then_some(Self { args, at: command + 1 })
    }

    fn options(&self) -> &'a [OsString] {
        self.args.get(self.at..).unwrap_or_default()
    }

    /// The value of `--config`, in either spelling.
    fn config(&self) -> Option<PathBuf> {
        let mut options = self.options().iter();
        while let Some(option) = options.next() {
            if option == "--config" {
                return options.next().map(PathBuf::from);
            }
            if let Some(path) = option.to_str().and_then(|text| text.strip_prefix("--config=")) {
                return Some(path.into());
            }
        }
        None
    }

    /// The names of the options that were given, long or short.
    fn given(&self) -> HashSet<&'a str> {
        let name = |option: &'a OsString| {
            let name = option.to_str()?.strip_prefix('-')?;
            let name = name.strip_prefix('-').unwrap_or(name);
            Some(name.split_once('=').map_or(name, |(name, _)| name))
        };
        self.options().iter().filter_map(name).collect()
    }
}

/// The options in a file, but for those that were given otherwise: there the command line counts.
fn options(path: &Path, given: &HashSet<&str>) -> Result<Vec<OsString>, Failure> {
    let content = input::read(path, MAX_CONFIG)?;
    let wrong =
        |what: String, next: &str| Failure::usage(format!("{}: {what}", path.display()), next);
    let text = str::from_utf8(&content)
        .map_err(|_| wrong("it is not UTF-8 text".into(), "Check that it is the right file."))?;
    // Its own text shows the line, in which there may be a password.
    let table: Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        wrong(
            format!("line {line} is no TOML: {}", error.message()),
            "Write options as KEY = VALUE.",
        )
    })?;
    let command = command();
    let mut added = Vec::new();
    for (key, value) in &table {
        let known = command.get_arguments().find(|option| option.get_long() == Some(key));
        let option =
            known.filter(|_| !["config", "help"].contains(&key.as_str())).ok_or_else(|| {
                wrong(
                    format!("there is no option {key:?}"),
                    "The keys are the long options of `ctkip serve`, without the dashes.",
                )
            })?;
        if key == "store" && holds_password(value) && others_can_read(path) {
            return Err(wrong(
                "store: there is a password in it, and others can read the file".into(),
                "Make it private (chmod 600), or give the password in PGPASSWORD or ~/.pgpass.",
            ));
        }
        let values = values(option, value).map_err(|expected| {
            wrong(format!("{key}: {expected} is wanted there"), "Change it.")
        })?;
        let short = option.get_short().map(String::from);
        if !given.contains(key.as_str()) && !short.is_some_and(|name| given.contains(name.as_str()))
        {
            added.extend(values.into_iter().map(OsString::from));
        }
    }
    Ok(added)
}

/// `serve` with the options that every command has.
fn command() -> Command {
    let mut all = Cli::command();
    all.build();
    all.find_subcommand("serve").cloned().unwrap_or_default()
}

/// What stands for a value on the command line; or what there should be.
fn values(option: &Arg, value: &Value) -> Result<Vec<String>, &'static str> {
    let name = option.get_long().unwrap_or_default();
    let takes_truth = option.get_possible_values().iter().any(|value| value.matches("true", false));
    let spelled = |value: &Value| match value {
        Value::Boolean(_) if !takes_truth => None,
        value => Some(format!("--{name}={}", plain(value)?)),
    };
    match (option.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(true)) => Ok(vec![format!("--{name}")]),
        (ArgAction::SetTrue, Value::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err("true or false"),
        (ArgAction::Append, Value::Array(values)) => {
            let spelled = values.iter().map(spelled).collect::<Option<_>>();
            spelled.ok_or("a list of texts or numbers")
        }
        (ArgAction::Append, one) => {
            spelled(one).map(|one| vec![one]).ok_or("a text or a list of them")
        }
        (_, one) => spelled(one).map(|one| vec![one]).ok_or("a text or a number"),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Datetime(date) => Some(date.to_string()),
        _ => None,
    }
}

/// Whether there is a password in the URL of a store.
fn holds_password(store: &Value) -> bool {
    let Some((_, rest)) = store.as_str().and_then(|url| url.split_once("://")) else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}
