//! Points in time and spans of it, as text.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use polars::prelude::TimeUnit;

/// A time since 1970-01-01 in RFC 3339, UTC, with 0, 3, 6 or 9 digits of a
/// fraction; none where it is further away than the calendar goes.
pub fn timestamp(since: i64, unit: TimeUnit) -> Option<String> {
    let time = match unit {
        TimeUnit::Nanoseconds => DateTime::<Utc>::from_timestamp_nanos(since),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(since)?,
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(since)?,
    };
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A day, `2020-08-28`, from the days since 1970-01-01; none where it is
/// further away than the calendar goes.
pub fn date(days: i32) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(TimeDelta::try_days(days.into())?)?;
    Some(date.to_string())
}

/// A time of day, `03:52:47.5`, from the nanoseconds since midnight.
pub fn time_of_day(nanos: i64) -> Option<String> {
    let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    Some(NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest)?.to_string())
}

/// A span in ISO 8601, `P1DT2H3M4.5S`. A day has 24 hours.
pub fn duration(span: i64, unit: TimeUnit) -> String {
    let second: u64 = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    };
    let (whole, fraction) = (span.unsigned_abs() / second, span.unsigned_abs() % second);
    let parts = [(whole / 3_600 % 24, 'H'), (whole / 60 % 60, 'M')];
    let mut out = String::from(if span < 0 { "-P" } else { "P" });
    if whole >= 86_400 {
        let _ = write!(out, "{}D", whole / 86_400);
    }
    let days = out.len();
    for (count, letter) in parts {
        if count > 0 {
            let _ = write!(out, "{count}{letter}");
        }
    }
    let seconds = whole % 60;
    if fraction > 0 {
        let digits = second.ilog10() as usize;
        let fraction = format!("{fraction:0digits$}");
        let _ = write!(out, "{seconds}.{}S", fraction.trim_end_matches('0'));
    } else if seconds > 0 || span == 0 {
        let _ = write!(out, "{seconds}S");
    }
    if out.len() > days {
        out.insert(days, 'T');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_iso_8601() {
        for (span, text) in [
            (0, "PT0S"),
            (1, "PT0.000001S"),
            (1_500_000, "PT1.5S"),
            (60_000_000, "PT1M"),
            (86_400_000_000, "P1D"),
            (93_784_500_000, "P1DT2H3M4.5S"),
            (-3_600_000_000, "-PT1H"),
            (i64::MIN, "-P106751991DT4H54.775808S"),
        ] {
            assert_eq!(duration(span, TimeUnit::Microseconds), text, "{span}");
        }
        assert_eq!(duration(1_001, TimeUnit::Milliseconds), "PT1.001S");
        assert_eq!(duration(-1, TimeUnit::Nanoseconds), "-PT0.000000001S");
    }

    #[test]
    fn times_have_the_digits_that_they_need() {
        let second = 1_598_586_767;
        for (since, unit, text) in [
            (second * 1_000_000, TimeUnit::Microseconds, Some("2020-08-28T03:52:47Z")),
            (second * 1_000_000 + 5, TimeUnit::Microseconds, Some("2020-08-28T03:52:47.000005Z")),
            (second * 1_000 + 250, TimeUnit::Milliseconds, Some("2020-08-28T03:52:47.250Z")),
            (-1, TimeUnit::Nanoseconds, Some("1969-12-31T23:59:59.999999999Z")),
            (i64::MAX, TimeUnit::Microseconds, None),
        ] {
            assert_eq!(timestamp(since, unit).as_deref(), text, "{since}");
        }
        for (days, text) in [(18_502, Some("2020-08-28")), (-1, Some("1969-12-31"))] {
            assert_eq!(date(days).as_deref(), text);
        }
        assert_eq!((date(i32::MIN), date(i32::MAX)), (None, None));
        assert_eq!(time_of_day(13_967_500_000_000).as_deref(), Some("03:52:47.500"));
        assert_eq!((time_of_day(-1), time_of_day(i64::MAX)), (None, None));
    }
}
