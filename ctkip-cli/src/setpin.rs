//! `ctkip setpin`: the PIN that is kept with the token in the stokenrc file.

use ctkip_token::{Pin, Unlock};
use serde_json::json;

use crate::args::SetpinArgs;
use crate::error::Failure;
use crate::input::{self, Keys};
use crate::output::Output;
use crate::rcfile::Rc;

pub(crate) fn run(args: &SetpinArgs, output: Output) -> Result<(), Failure> {
    let mut rc = Rc::open(&args.rc, output)?;
    let mut keys = Keys::new(&args.unlocking)?;
    let (opened, _) = rc.token(&mut keys, output)?;
    let pin = input::new_secret(args.new_pin.as_deref(), args.new_pin_file.as_deref(), "new PIN")?;
    let pin = if pin.is_empty() { None } else { Some(Pin::new(&pin)?) };
    let password = keys.password.as_deref().filter(|_| opened.password_locked);
    let unlock = Unlock { password: password.map(String::as_str), device_id: None };
    rc.store(&opened.token, pin.as_ref(), &unlock)?;
    let file = rc.path.display();
    output.step(&match pin {
        Some(_) if password.is_none() => format!("The PIN is kept in {file}, in clear"),
        Some(_) => format!("The PIN is kept in {file}"),
        None => format!("No PIN is kept in {file}"),
    });
    if output.json {
        return output.json(&json!({ "file": file.to_string(), "pin": pin.is_some() }));
    }
    Ok(())
}
