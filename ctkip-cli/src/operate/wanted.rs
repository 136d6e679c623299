//! The token that is asked for.

use ctkip_core::{Date, PinSettings, Timestamp};
use ctkip_server::{Dialect, Enrolment};
use ctkip_token::{ExpiryDay, Serial};

use super::args::Wanted;
use crate::args::ProfileName;

/// How long a token lasts unless its operator says: five years, in days.
const FIVE_YEARS: u32 = 1826;

impl ProfileName {
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::Securid => Dialect::Securid,
            Self::Rfc4758 => Dialect::Rfc4758,
        }
    }
}

impl Wanted {
    /// As an enrolment, if it can be one.
    pub(super) fn enrolment(
        &self,
        user: &str,
        serial: Option<Serial>,
        now: Timestamp,
    ) -> Result<Enrolment, String> {
        let today = ExpiryDay::from_unix(now.0).map_err(|error| error.to_string())?;
        let last = self.expires.unwrap_or_else(|| today.plus_days(FIVE_YEARS));
        if last < today {
            return Err(format!("expires: {last} is over"));
        }
        let enrolment = Enrolment {
            serial: serial.map(|serial| serial.to_string()).unwrap_or_default(),
            user: user.into(),
            service: self.service.clone(),
            digits: self.digits,
            interval: self.interval,
            pin: PinSettings { pin_type: self.pin_type, add_pin: self.add_pin },
            expires: date(last).ok_or("expires: a year of four digits is wanted")?,
            device: self.device.clone(),
            dialect: self.profile.dialect(),
        };
        enrolment.check().map_err(|error| error.to_string())?;
        Ok(enrolment)
    }
}

fn date(day: ExpiryDay) -> Option<Date> {
    let text = day.last_day();
    let mut parts = text.split('-');
    let year = parts.next()?.parse().ok().filter(|year| *year <= 9999)?;
    Some(Date { year, month: parts.next()?.parse().ok()?, day: parts.next()?.parse().ok()? })
}
