//! Completions and man pages, from the definitions of the command line.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::Failure;
use crate::output::Output;

pub(crate) fn completions(shell: Shell, output: Output) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ctkip", &mut text);
    output.result(&String::from_utf8_lossy(&text))
}

pub(crate) fn man(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file("write into", folder, &error);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)
}
