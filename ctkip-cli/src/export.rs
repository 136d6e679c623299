//! `ctkip export`: a token in another form.

use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{ExportArgs, Form, Target};
use crate::error::Failure;
use crate::output::Output;
use crate::{qr, save};

pub(crate) fn run(args: &ExportArgs, output: Output) -> Result<(), Failure> {
    let loaded = args.source.load(output)?;
    let opened = &loaded.opened;
    let password = loaded.keys.password.as_ref().filter(|_| opened.password_locked);
    let locking = args.lock.locking(password)?;
    args.to.check(&locking)?;
    if opened.password_locked && locking.password.is_none() {
        output.note("what is written is not protected; --keep-password keeps its password");
    }
    let text = args.to.write(&opened.token, &locking)?;
    put(args.to, &text, &args.target, output)
}

/// Writes a token's text to where it was asked for.
pub(crate) fn put(form: Form, text: &str, target: &Target, output: Output) -> Result<(), Failure> {
    let code = match form {
        Form::Qr => Some(qr::encode(text.trim_end())?),
        _ => None,
    };
    let Some(path) = &target.out else {
        return match code {
            _ if output.json => output.json(&json!({ "to": form.name(), "text": text.trim_end() })),
            Some(code) => output.result(&Zeroizing::new(qr::for_terminal(&code))),
            None => output.result(text),
        };
    };
    let content = match code {
        Some(code) => qr::for_file(&code, path)?,
        None => text.as_bytes().to_vec(),
    };
    save::write(path, &content, target.force)?;
    if output.json {
        return output.json(&json!({ "to": form.name(), "file": path.display().to_string() }));
    }
    output.step(&format!("Written to {}", path.display()));
    Ok(())
}
