//! Which of the two servers is meant.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::site::args::SiteArgs;
use super::test::args::TestArgs;
use crate::register;

/// Which server is meant, by the options that were given. It takes none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// That for testing.
    Test,
    /// That which remembers.
    Site,
}

impl FromArgMatches for Kind {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match (given::<TestArgs>(matches), given::<SiteArgs>(matches)) {
            (Some(test), Some(site)) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                format!(
                    "--{test} is for the server for testing, and --{site} for the one that \
                     remembers: give the options of one"
                ),
            )),
            (Some(_), None) => Ok(Self::Test),
            (None, Some(_)) => Ok(Self::Site),
            // The environment is for whoever says nothing else.
            (None, None) if register::is_in_environment() => Ok(Self::Site),
            (None, None) => Ok(Self::Test),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Kind {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// The first of these options that was given.
fn given<A: Args>(matches: &ArgMatches) -> Option<String> {
    let command = A::augment_args(Command::new("serve"));
    let mut options = command.get_arguments();
    let first = options.find(|option| {
        let source = matches.value_source(option.get_id().as_str());
        source == Some(ValueSource::CommandLine)
    })?;
    first.get_long().map(str::to_owned)
}
