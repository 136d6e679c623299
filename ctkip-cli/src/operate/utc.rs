//! Points in time, for people and programs alike.

use ctkip_core::Timestamp;
use ctkip_token::ExpiryDay;

const DAY: u64 = 86_400;

/// As in `2031-02-28T23:59:59Z`; before 2000 as `@` and Unix seconds.
pub(super) fn utc(time: Timestamp) -> String {
    let Timestamp(seconds) = time;
    let Ok(day) = ExpiryDay::from_unix(seconds) else { return format!("@{seconds}") };
    let (hours, minutes) = (seconds % DAY / 3600, seconds % 3600 / 60);
    format!("{day}T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

/// The same, or a dash for what has not been.
pub(super) fn utc_if_any(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".into(), utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // As `date -u -d @N +%FT%TZ` says.
        for (seconds, text) in [
            (946_684_800, "2000-01-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_428_061, "2026-11-23T10:01:01Z"),
            (1, "@1"),
        ] {
            assert_eq!(utc(Timestamp(seconds)), text);
        }
        assert_eq!(utc_if_any(None), "-");
    }
}
