//! `ctkip`: provision SecurID software tokens with CT-KIP, and use them.
#![forbid(unsafe_code)]

mod activation;
mod args;
mod code;
mod error;
mod export;
mod form;
mod generate;
mod import;
mod input;
mod inspect;
mod issue;
mod operate;
mod output;
mod provision;
mod qr;
mod rcfile;
mod register;
mod save;
mod serve;
mod setpass;
mod setpin;
mod show;
mod source;
mod tokencode;
mod value;

use std::process::ExitCode;

use args::{Cli, Command};
use error::Failure;
use output::Output;

fn main() -> ExitCode {
    let args = Vec::from_iter(std::env::args_os());
    let Cli { global, command } = match serve::config::parse(&args) {
        Ok(cli) => cli,
        Err(failure) => return failed(&failure, serve::config::output(&args)),
    };
    let output = Output::from(global);
    let done = match &command {
        Command::Provision(args) => provision::run(args, output),
        Command::Tokencode(args) => tokencode::run(args, output),
        Command::Show(args) => show::run(args, output),
        Command::Export(args) => export::run(args, output),
        Command::Import(args) => import::run(args, output),
        Command::Setpin(args) => setpin::run(args, output),
        Command::Setpass(args) => setpass::run(args, output),
        Command::Issue(args) => issue::run(args, output),
        Command::Inspect(args) => inspect::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Operate(command) => operate::run(command, output),
        Command::Completions { shell } => generate::completions(*shell, output),
        Command::Man { folder } => generate::man(folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure, output),
    }
}

fn failed(failure: &Failure, output: Output) -> ExitCode {
    output.failure(failure);
    ExitCode::from(failure.status as u8)
}
