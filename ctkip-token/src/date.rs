//! The proleptic Gregorian calendar in UTC, without a clock.

/// Days from 2000-01-01 to 1970-01-01, negated.
pub(crate) const UNIX_TO_2000: i64 = 10_957;

/// Seconds in a day.
pub(crate) const DAY: u64 = 86_400;

/// Days since 1970-01-01 of a date. `month` is 1 to 12; `day` may lie outside the month.
#[expect(clippy::arithmetic_side_effects, reason = "callers pass years and days below 2^48")]
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
#[expect(clippy::arithmetic_side_effects, reason = "callers pass days below 2^48")]
pub(crate) fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, doe) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let day_of_year = doe - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 1, 1), UNIX_TO_2000);
        assert_eq!(days_from_civil(2000, 2, 29), UNIX_TO_2000 + 59);
        assert_eq!(days_from_civil(2100, 2, 29), days_from_civil(2100, 3, 1));
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut previous = civil_from_days(-1);
        assert_eq!(previous, (1969, 12, 31));
        for day in 0..400_000 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month.into(), date.into()), day);
            assert!((year, month, date) > previous);
            previous = (year, month, date);
        }
    }
}
