//! Users of a store in memory, which no other process can enrol into.

use ctkip_core::{ActivationCode, PinSettings, Timestamp};
use ctkip_server::{Dialect, Enrolment, NewCode, Registry, RegistryError};
use ctkip_token::ExpiryDay;
use getrandom::SysRng;

use super::super::date;

/// How long their tokens are good, in days.
const DAYS: u32 = 365;

/// A user's code, to be shown once.
pub(super) struct Code {
    pub(super) user: String,
    pub(super) serial: String,
    pub(super) code: ActivationCode,
}

/// Enrols users, for a token of the usual kind each.
pub(super) fn enrol(
    registry: &Registry,
    users: &[String],
    now: Timestamp,
) -> Result<Vec<Code>, RegistryError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let today = ExpiryDay::from_unix(now.0).unwrap_or(ExpiryDay::MAX);
    let enrolment = |user: &String| Enrolment {
        serial: String::new(),
        user: user.clone(),
        service: "ctkip".into(),
        digits: 8,
        interval: 60,
        pin: PinSettings::default(),
        expires: date(today.plus_days(DAYS)),
        device: None,
        dialect: Dialect::Securid,
    };
    let enrolments = Vec::from_iter(users.iter().map(enrolment));
    let shown = registry.enrol(&enrolments, NewCode::default(), now, &mut SysRng)?;
    let code = |shown: ctkip_server::Shown| {
        let Enrolment { user, serial, .. } = shown.enrolled.enrolment;
        Code { user, serial, code: shown.code }
    };
    Ok(shown.into_iter().map(code).collect())
}
