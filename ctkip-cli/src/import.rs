//! `ctkip import`: a token into the stokenrc file.

use serde_json::json;

use crate::args::ImportArgs;
use crate::error::{Failure, Status};
use crate::input::Keys;
use crate::output::Output;
use crate::rcfile::Rc;
use crate::{show, source};

pub(crate) fn run(args: &ImportArgs, output: Output) -> Result<(), Failure> {
    let mut rc = Rc::open(&args.rc, output)?;
    if rc.has_token() && !args.force {
        return Err(Failure::new(
            Status::Usage,
            "token-exists",
            format!("there is a token in {} already", rc.path.display()),
            "Replace it with --force, or keep this one elsewhere with --rcfile.",
        ));
    }
    let mut keys = Keys::new(&args.unlocking)?;
    let opened = source::one(&args.file, args.serial.as_deref(), &mut keys)?;
    let password = keys.password.as_ref().filter(|_| opened.password_locked);
    let locking = args.lock.locking(password)?;
    if locking.template.is_some() {
        return Err(Failure::usage("a template makes an .sdtid file", "Leave --template out."));
    }
    if locking.password.is_none() {
        output.note("the token is kept without a password; --protect asks for one");
    }
    let backup = rc.back_up()?;
    rc.store(&opened.token, None, &locking.unlock())?;
    if let Some(backup) = &backup {
        output.step(&format!("The old file is {}", backup.display()));
    }
    output.step(&format!("Token {} is kept in {}", opened.token.serial, rc.path.display()));
    if output.json {
        return output.json(&json!({
            "token": show::token_value(&opened.token, false),
            "file": rc.path.display().to_string(),
            "backup": backup.map(|path| path.display().to_string()),
        }));
    }
    Ok(())
}
