//! How timestamps and dates are spelt: chrono patterns, epochs, defaults.

use chrono::format::{Fixed, Item, Parsed, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::{Scalar, TimeFormat};
use crate::near::hint;

/// The spellings of ISO 8601 that a timestamp column reads unless it lists
/// others: `T` or a blank, a fraction or none, a zone (`Z`, `+0000`, `+00:00`,
/// `+00`) or none. `%.f` matches no fraction too; of chrono's zone directives
/// only `%#z` reads `Z`.
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

/// Reads a timestamp by the pattern of a checked [`TimeFormat`]; `None` if the
/// text is not spelt so. Without a zone directive it is UTC.
pub fn parse_timestamp(text: &str, pattern: &str) -> Option<DateTime<Utc>> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, StrftimeItems::new(pattern)).ok()?;
    instant(&parsed)
}

fn instant(parsed: &Parsed) -> Option<DateTime<Utc>> {
    let offset = FixedOffset::east_opt(parsed.offset().unwrap_or(0))?;
    let local = parsed.to_naive_datetime_with_offset(offset.local_minus_utc()).ok()?;
    local.and_local_timezone(offset).single().map(|time| time.to_utc())
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
    let items: Vec<Item<'_>> = StrftimeItems::new(pattern).collect();
    if items.contains(&Item::Error) {
        return Err(format!("`{pattern}` has a directive that chrono does not know"));
    }
    if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
        return Err(format!("`{pattern}`: a zone's name (`%Z`) is no offset; read one with `%#z`"));
    }
    match scalar {
        Scalar::Date if round_trip(&items, |p| p.to_naive_date().ok(), |t| t.date_naive()) => {
            Ok(())
        }
        Scalar::Date => Err(format!("`{pattern}` gives no full date")),
        _ if round_trip(&items, instant, |t| t) => Ok(()),
        _ => Err(format!("`{pattern}` gives no full date and time")),
    }
}

/// Whether a time that is written by the pattern is read back by it.
fn round_trip<T: PartialEq>(
    items: &[Item<'_>],
    read: impl Fn(&Parsed) -> Option<T>,
    expect: impl Fn(DateTime<Utc>) -> T,
) -> bool {
    // An afternoon, so that an hour of 12 without am or pm shows.
    let sample = NaiveDate::from_ymd_opt(2021, 11, 23).and_then(|date| date.and_hms_opt(13, 14, 0));
    let Some(sample) = sample.map(|time| time.and_utc()) else { return false };
    let mut text = String::new();
    let written = sample.fixed_offset().format_with_items(items.iter().map(writable));
    if std::fmt::Write::write_fmt(&mut text, format_args!("{written}")).is_err() {
        return false;
    }
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, &text, items.iter()).is_ok()
        && read(&parsed) == Some(expect(sample))
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
        let time = ISO_TIMESTAMPS.iter().find_map(|pattern| parse_timestamp(text, pattern))?;
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
