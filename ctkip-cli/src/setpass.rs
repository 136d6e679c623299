//! `ctkip setpass`: the password of the token in the stokenrc file, and of the PIN kept with it.

use ctkip_token::{MAX_PASSWORD, Unlock};
use serde_json::json;

use crate::args::SetpassArgs;
use crate::error::Failure;
use crate::input::{self, Keys};
use crate::output::Output;
use crate::rcfile::Rc;

pub(crate) fn run(args: &SetpassArgs, output: Output) -> Result<(), Failure> {
    let mut rc = Rc::open(&args.rc, output)?;
    let mut keys = Keys::new(&args.unlocking)?;
    let (opened, pin) = rc.token(&mut keys, output)?;
    let (argument, file) = (args.new_password.as_deref(), args.new_password_file.as_deref());
    let password = input::new_secret(argument, file, "new password")?;
    if password.len() > MAX_PASSWORD {
        return Err(ctkip_token::Error::PasswordTooLong { octets: password.len() }.into());
    }
    let protected = !password.is_empty();
    rc.store(&opened.token, pin.as_ref(), &Unlock { password: Some(&password), device_id: None })?;
    let file = rc.path.display();
    output.step(&match protected {
        true => format!("The token in {file} has a new password"),
        false => format!("The token in {file} has no password"),
    });
    if output.json {
        return output.json(&json!({ "file": file.to_string(), "protected": protected }));
    }
    Ok(())
}
