//! The last day of a token (docs/spec/securid-token.md section 1.2).

use alloc::{format, string::String};
use core::fmt;

use crate::{
    Error,
    date::{self, UNIX_TO_2000, civil_from_days, days_from_civil},
};

const DAY: i64 = date::DAY as i64;

/// The last day on which a token is valid, inclusive: days since 2000-01-01 UTC.
///
/// No year-2038 limit: every instant is computed in 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpiryDay(u32);

impl ExpiryDay {
    /// The latest day that can be held, in the year 10889; it is the end of version 3's calendar.
    pub const MAX: Self = Self(3_246_855);

    /// The day that lies `days` after 2000-01-01.
    ///
    /// # Errors
    /// [`Error::InvalidDate`] beyond [`ExpiryDay::MAX`].
    pub const fn from_days(days: u32) -> Result<Self, Error> {
        if days <= Self::MAX.0 { Ok(Self(days)) } else { Err(Error::InvalidDate) }
    }

    /// The UTC day of a Unix time, in seconds.
    ///
    /// # Errors
    /// [`Error::InvalidDate`] before 2000 or beyond [`ExpiryDay::MAX`].
    pub fn from_unix(time: u64) -> Result<Self, Error> {
        // At most 2^64 / 86400: fits.
        Self::from_unix_days((time / date::DAY) as i64)
    }

    /// Reads `YYYY-MM-DD` or `YYYY/MM/DD`. Whatever follows the day is ignored, so a KeyExpiryDate such as `2031-02-28T00:00:00+00:00` may be given as it is (section 1.3:
    /// no zone conversion).
    ///
    /// # Errors
    /// [`Error::InvalidDate`] for another shape, a day that is not in the calendar, or a year
    /// before 2000.
    pub fn from_date(text: &str) -> Result<Self, Error> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (year, rest) = text.split_at_checked(digits).ok_or(Error::InvalidDate)?;
        let Some(([sep1, m1, m2, sep2, d1, d2], _)) = rest.as_bytes().split_first_chunk() else {
            return Err(Error::InvalidDate);
        };
        if !(4..=5).contains(&digits) || sep1 != sep2 || !matches!(sep1, b'-' | b'/') {
            return Err(Error::InvalidDate);
        }
        let (month, day) = (number(&[*m1, *m2])?, number(&[*d1, *d2])?);
        let year = number(year.as_bytes())?;
        if !(1..=12).contains(&month) {
            return Err(Error::InvalidDate);
        }
        let days = days_from_civil(year, month, day);
        if civil_from_days(days) != (year, month as u8, day as u8) {
            return Err(Error::InvalidDate);
        }
        Self::from_unix_days(days)
    }

    /// A day counted from 1970-01-01.
    pub(crate) fn from_unix_days(days: i64) -> Result<Self, Error> {
        let days = u32::try_from(days.saturating_sub(UNIX_TO_2000));
        Self::from_days(days.map_err(|_| Error::InvalidDate)?)
    }

    /// Days since 2000-01-01.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// The day `days` later, at most [`ExpiryDay::MAX`].
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(days)).min(Self::MAX)
    }

    /// The last valid day as text, `YYYY-MM-DD`.
    #[must_use]
    pub fn last_day(self) -> String {
        let (year, month, day) = civil_from_days(self.unix_days());
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Whole days left at a Unix time in seconds, by section 1.2: the token still works for 36
    /// hours after its last day, and the count becomes negative when they are over. The usual
    /// warning is given below 14.
    #[must_use]
    pub fn days_left(self, now: u64) -> i64 {
        let midnight = self.unix_days().saturating_add(1).saturating_mul(DAY);
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        midnight.saturating_add(DAY / 2).saturating_sub(now) / DAY
    }

    /// Whether the token is no longer to be used at a Unix time in seconds: 36 hours after the
    /// end of its last day or later.
    #[must_use]
    pub fn expired(self, now: u64) -> bool {
        self.days_left(now) < 0
    }

    pub(crate) fn unix_days(self) -> i64 {
        i64::from(self.0).saturating_add(UNIX_TO_2000)
    }
}

impl fmt::Display for ExpiryDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.last_day())
    }
}

impl fmt::Debug for ExpiryDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExpiryDay({self})")
    }
}

fn number(digits: &[u8]) -> Result<i64, Error> {
    let digits = core::str::from_utf8(digits).map_err(|_| Error::InvalidDate)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::InvalidDate);
    }
    digits.parse().map_err(|_| Error::InvalidDate)
}
