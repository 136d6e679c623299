//! `ctkip reissue`: a new code for an enrolment.

use ctkip_server::store::State;
use getrandom::SysRng;

use super::args::ReissueArgs;
use super::desk::Desk;
use super::handout::Handing;
use crate::error::Failure;
use crate::output::Output;
use crate::register::now;

pub(super) fn run(args: &ReissueArgs, output: Output) -> Result<(), Failure> {
    let (desk, now) = (Desk::open(&args.store)?, now());
    let (registry, serial) = (&desk.registry, args.serial.as_str());
    let before = registry.standing(serial).map_err(|error| desk.failure(error))?;
    let dialect = before.enrolled.enrolment.dialect;
    let handing = Handing::prepare(&args.handing, &args.code, dialect, output)?;
    let shown = registry.reissue(serial, args.code.new_code(), now, &mut SysRng);
    let shown = shown.map_err(|error| desk.failure(error))?;
    if before.state(now) == State::Unconfirmed {
        output.note("the token that came of the code before is revoked");
    }
    handing.give(&shown, output)
}
