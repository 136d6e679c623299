//! What an operator does with the register of a server: enrols, looks, revokes, minds the keys.

pub(crate) mod args;
mod audit;
mod desk;
mod enrol;
mod enrolments;
mod export;
mod handout;
mod keys;
mod reissue;
mod revoke;
mod roster;
mod service;
mod utc;
mod verify;
mod wanted;

use args::{Operate, TokensCommand};

use crate::error::Failure;
use crate::output::Output;

pub(crate) fn run(command: &Operate, output: Output) -> Result<(), Failure> {
    match command {
        Operate::Enrol(args) => enrol::run(args, output),
        Operate::Reissue(args) => reissue::run(args, output),
        Operate::Revoke(args) => revoke::run(args, output),
        Operate::Enrolments(args) => enrolments::run(args, output),
        Operate::Keys(args) => keys::run(args, output),
        Operate::Tokens(TokensCommand::Verify(args)) => verify::run(args, output),
        Operate::Tokens(TokensCommand::Export(args)) => export::run(args, output),
        Operate::Audit(args) => audit::run(args, output),
    }
}
