//! `ctkip issue`: a new random token.

use ctkip_token::sdtid;
use getrandom::SysRng;
use zeroize::Zeroizing;

use crate::args::{Form, IssueArgs};
use crate::error::Failure;
use crate::input::Locking;
use crate::output::Output;
use crate::{export, tokencode};

pub(crate) fn run(args: &IssueArgs, output: Output) -> Result<(), Failure> {
    let locking = Locking::try_from(&args.lock)?;
    let template = locking.template.as_deref().map(String::as_str);
    let options = sdtid::WriteOptions { unlock: locking.unlock(), template };
    let text = Zeroizing::new(sdtid::issue(tokencode::now(), &options, &mut SysRng)?);
    export::put(Form::Sdtid, &text, &args.target, output)
}
