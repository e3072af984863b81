//! How timestamps and dates are spelt: chrono patterns, epochs, defaults.

use chrono::format::{Fixed, Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, Utc};

use super::{Scalar, TimeFormat};
use crate::near::hint;
use crate::value::{Clock, TimePattern};

/// The spellings of ISO 8601 that a timestamp column reads unless it lists
/// others: `T` or a blank, a fraction or none, a zone (`Z`, `+0000`, `+00:00`,
/// `+00`) or none. `%.f` matches no fraction too; of the zone directives only
/// `%#z` reads all of these.
pub const ISO_TIMESTAMPS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
];

/// The spelling that a date column reads unless it lists others.
pub const ISO_DATE: &str = "%Y-%m-%d";

const EPOCHS: [(&str, TimeFormat); 4] = [
    ("epoch_s", TimeFormat::EpochSeconds),
    ("epoch_ms", TimeFormat::EpochMillis),
    ("epoch_us", TimeFormat::EpochMicros),
    ("epoch_days", TimeFormat::EpochDays),
];

/// The formats of a column that lists none; empty if it holds no times.
pub(super) fn defaults(scalar: Scalar) -> Vec<TimeFormat> {
    let pattern = |pattern: &str| TimeFormat::Pattern(pattern.to_owned());
    match scalar {
        Scalar::Timestamp => ISO_TIMESTAMPS.map(pattern).to_vec(),
        Scalar::Date => vec![pattern(ISO_DATE)],
        _ => Vec::new(),
    }
}

/// Reads a timestamp that is written in a transforms file, as a column with the
/// default formats reads it. `None` if the text is not spelt so, or outside of
/// the years that a timestamp has.
pub(super) fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    Clock::new(&defaults(Scalar::Timestamp)).timestamp(text).ok()?;
    // A clock gives microseconds; an expected value keeps all of its digits.
    ISO_TIMESTAMPS.iter().find_map(|pattern| TimePattern::new(pattern).ok()?.instant(text))
}

/// Reads a date that is written in a transforms file, as a column with the
/// default format reads it.
pub(super) fn parse_date(text: &str) -> Option<NaiveDate> {
    let days = Clock::new(&defaults(Scalar::Date)).date(text).ok()?;
    NaiveDate::from_epoch_days(days)
}

/// Reads a day that a person typed, such as `2026-11-20`, of any year of four digits.
pub fn iso_day(text: &str) -> Option<NaiveDate> {
    TimePattern::new(ISO_DATE).ok()?.day(text)
}

/// Checks one format of a timestamp or date column; the error says what is
/// wrong with it.
pub(super) fn check(format: &str, scalar: Scalar) -> Result<TimeFormat, String> {
    if let Some((_, epoch)) = EPOCHS.iter().find(|(name, _)| *name == format) {
        return match (epoch, scalar) {
            (TimeFormat::EpochDays, Scalar::Timestamp) => {
                Err("`epoch_days` is a date, not a timestamp".to_owned())
            }
            _ => Ok(epoch.clone()),
        };
    }
    if !format.contains('%') {
        let hint = hint(format, EPOCHS.iter().map(|(name, _)| *name));
        return Err(format!("`{format}` is neither a chrono pattern nor an epoch{hint}"));
    }
    check_pattern(format, scalar)?;
    Ok(TimeFormat::Pattern(format.to_owned()))
}

fn check_pattern(pattern: &str, scalar: Scalar) -> Result<(), String> {
    let read = TimePattern::new(pattern)?;
    match scalar {
        Scalar::Date if round_trip(pattern, |text| read.day(text), |time| time.date_naive()) => {
            Ok(())
        }
        Scalar::Date => Err(format!("`{pattern}` gives no full date")),
        _ if round_trip(pattern, |text| read.instant(text), |time| time) => Ok(()),
        _ => Err(format!("`{pattern}` gives no full date and time")),
    }
}

/// Whether a time that is written by the pattern is read back by it.
fn round_trip<T: PartialEq>(
    pattern: &str,
    read: impl Fn(&str) -> Option<T>,
    expect: impl Fn(DateTime<Utc>) -> T,
) -> bool {
    // An afternoon, so that an hour of 12 without am or pm shows.
    let sample = NaiveDate::from_ymd_opt(2021, 11, 23).and_then(|date| date.and_hms_opt(13, 14, 0));
    let Some(sample) = sample.map(|time| time.and_utc()) else { return false };
    let items: Vec<Item<'_>> = StrftimeItems::new(pattern).collect();
    let mut text = String::new();
    let written = sample.fixed_offset().format_with_items(items.iter().map(writable));
    if std::fmt::Write::write_fmt(&mut text, format_args!("{written}")).is_err() {
        return false;
    }
    read(&text) == Some(expect(sample))
}

/// chrono reads `%#z` but cannot write it.
fn writable<'a>(item: &Item<'a>) -> Item<'a> {
    match StrftimeItems::new("%#z").next() {
        Some(permissive) if *item == permissive => Item::Fixed(Fixed::TimezoneOffset),
        _ => item.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<String> {
        let time = parse_timestamp(text)?;
        Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn the_default_patterns_read_the_spellings_that_sinks_write() {
        for (text, expected) in [
            ("2020-08-28T03:52:47", Some("2020-08-28T03:52:47Z")),
            ("2020-08-28 03:52:47", Some("2020-08-28T03:52:47Z")),
            ("2020-08-28T03:52:47.123456", Some("2020-08-28T03:52:47.123456Z")),
            ("2020-08-28 03:52:47.5", Some("2020-08-28T03:52:47.500Z")),
            ("2020-08-28T03:52:47Z", Some("2020-08-28T03:52:47Z")),
            ("2020-08-28T03:52:47.000+0000", Some("2020-08-28T03:52:47Z")),
            ("2020-08-28T03:52:47+01:00", Some("2020-08-28T02:52:47Z")),
            ("2020-08-28 03:52:47-05", Some("2020-08-28T08:52:47Z")),
            ("2021-02-30T00:00:00", None),
            ("2020-08-28", None),
            ("2020-08-28T03:52:47Z!", None),
            ("20-08-28T03:52:47Z", None),
            ("2020-08-28T03:52:60Z", None),
            ("0000-08-28T03:52:47Z", None),
            ("", None),
        ] {
            assert_eq!(iso(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_default_format_passes_its_own_check() {
        for pattern in ISO_TIMESTAMPS {
            assert_eq!(check(pattern, Scalar::Timestamp), Ok(TimeFormat::Pattern(pattern.into())));
        }
        assert_eq!(check(ISO_DATE, Scalar::Date), Ok(TimeFormat::Pattern(ISO_DATE.into())));
    }

    #[test]
    fn a_pattern_must_give_the_whole_of_its_type() {
        for (format, scalar, expected) in [
            ("%d/%m/%Y %H:%M", Scalar::Timestamp, None),
            ("%d/%m/%Y %I:%M %p", Scalar::Timestamp, None),
            ("%a %b %d %T %z %Y", Scalar::Timestamp, None),
            ("%s%.f", Scalar::Timestamp, None),
            ("epoch_ms", Scalar::Date, None),
            ("%Y-%m-%dT%H:%M:%S", Scalar::Date, None),
            ("%d/%m/%Y %I:%M", Scalar::Timestamp, Some("no full date and time")),
            ("%Y-%m-%d", Scalar::Timestamp, Some("no full date and time")),
            ("%Y-%m", Scalar::Date, Some("no full date")),
            ("%Y-%m-%d %Q", Scalar::Timestamp, Some("chrono does not know")),
            ("%Y-%m-%d %T %Z", Scalar::Timestamp, Some("a zone's name")),
            ("%Y-%m-%d %T%::z", Scalar::Timestamp, Some("cannot read")),
            ("%-m%-d%Y", Scalar::Date, Some("nothing shows where")),
            ("%-d.%-m.%Y", Scalar::Date, None),
            ("%_d.%_m.%Y", Scalar::Date, None),
            ("%c", Scalar::Timestamp, None),
            ("%+", Scalar::Timestamp, None),
            ("%F %r", Scalar::Timestamp, None),
            ("%v", Scalar::Date, None),
            ("%x %X", Scalar::Timestamp, None),
            ("%G-W%V-%u", Scalar::Date, None),
            ("%FT%T%.3f%:::z", Scalar::Timestamp, None),
            ("epoch_days", Scalar::Timestamp, Some("not a timestamp")),
            ("epochs_ms", Scalar::Timestamp, Some("did you mean `epoch_ms`?")),
            ("yesterday", Scalar::Date, Some("neither a chrono pattern nor an epoch")),
        ] {
            let message = check(format, scalar).err();
            match (expected, &message) {
                (None, None) => {}
                (Some(part), Some(message)) if message.contains(part) => {}
                _ => panic!("{format} as {scalar}: {message:?}, not {expected:?}"),
            }
        }
    }
}
