//! Timestamps and dates.

use super::iso::{self, ZoneSuffix};
use super::{TimePattern, int};
use crate::code::Code;
use crate::spec::TimeFormat;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The years 1 to 9999, in microseconds and in days since 1970-01-01: what SQL
/// engines and Python hold. Beyond it is most often another unit of an epoch.
const YEARS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;
const DAYS: std::ops::Range<i64> = -719_162..2_932_897;

/// Reads timestamps or dates in the formats of one column, tried in order.
#[derive(Debug, Clone)]
pub struct Clock {
    attempts: Vec<Attempt>,
}

#[derive(Debug, Clone)]
enum Attempt {
    /// `YYYY-MM-DD`, the given byte, `HH:MM:SS`, an optional fraction, and a
    /// zone or none: read by hand, since nearly every timestamp is one of these.
    Iso(u8, ZoneSuffix),
    /// `YYYY-MM-DD`, read by hand.
    IsoDate,
    /// A chrono pattern, with a zone or in UTC.
    Pattern(TimePattern),
    /// A number, and how many microseconds one of it is.
    Epoch(i64),
}

impl Clock {
    /// A clock for these formats, which are checked: a pattern that is not sound
    /// reads nothing.
    pub fn new(formats: &[TimeFormat]) -> Clock {
        Clock { attempts: formats.iter().filter_map(Attempt::new).collect() }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`Code::Format`] if no format fits, [`Code::Overflow`] if the instant is
    /// outside of the years 1 to 9999.
    pub fn timestamp(&self, text: &str) -> Result<i64, Code> {
        self.first(|attempt| attempt.instant(text), YEARS)
    }

    /// Days since 1970-01-01.
    ///
    /// # Errors
    /// [`Code::Format`] if no format fits, [`Code::Overflow`] if the day is outside
    /// of the years 1 to 9999.
    pub fn date(&self, text: &str) -> Result<i32, Code> {
        let days = self.first(|attempt| attempt.day(text), DAYS)?;
        i32::try_from(days).map_err(|_| Code::Overflow)
    }

    /// What the first format gives that fits and is in the range.
    fn first(
        &self,
        read: impl Fn(&Attempt) -> Result<i64, Code>,
        range: std::ops::Range<i64>,
    ) -> Result<i64, Code> {
        let mut worst = Code::Format;
        for attempt in &self.attempts {
            match read(attempt) {
                Ok(value) if range.contains(&value) => return Ok(value),
                Ok(_) | Err(Code::Overflow) => worst = Code::Overflow,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}

impl Attempt {
    fn new(format: &TimeFormat) -> Option<Attempt> {
        Some(match format {
            TimeFormat::Pattern(pattern) => match pattern.as_str() {
                "%Y-%m-%dT%H:%M:%S%.f" => Attempt::Iso(b'T', ZoneSuffix::Absent),
                "%Y-%m-%d %H:%M:%S%.f" => Attempt::Iso(b' ', ZoneSuffix::Absent),
                "%Y-%m-%dT%H:%M:%S%.f%#z" => Attempt::Iso(b'T', ZoneSuffix::Required),
                "%Y-%m-%d %H:%M:%S%.f%#z" => Attempt::Iso(b' ', ZoneSuffix::Required),
                "%Y-%m-%d" => Attempt::IsoDate,
                _ => Attempt::Pattern(TimePattern::new(pattern).ok()?),
            },
            TimeFormat::EpochSeconds => Attempt::Epoch(MICROS_PER_SECOND),
            TimeFormat::EpochMillis => Attempt::Epoch(1_000),
            TimeFormat::EpochMicros => Attempt::Epoch(1),
            TimeFormat::EpochDays => Attempt::Epoch(MICROS_PER_DAY),
        })
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    fn instant(&self, text: &str) -> Result<i64, Code> {
        match self {
            Attempt::Iso(separator, zone) => {
                iso::timestamp(text.as_bytes(), *separator, *zone).ok_or(Code::Format)
            }
            Attempt::Pattern(pattern) => {
                pattern.instant(text).map(|time| time.timestamp_micros()).ok_or(Code::Format)
            }
            Attempt::Epoch(unit) => {
                int(text).map_err(epoch_fault)?.checked_mul(*unit).ok_or(Code::Overflow)
            }
            // A day alone is no instant.
            Attempt::IsoDate => Err(Code::Format),
        }
    }

    /// Days since 1970-01-01: the day as it is written, whatever its zone.
    fn day(&self, text: &str) -> Result<i64, Code> {
        match self {
            Attempt::IsoDate => iso::date(text.as_bytes()).ok_or(Code::Format),
            // The whole text must be sound; the day is what it begins with.
            Attempt::Iso(..) => self
                .instant(text)
                .and_then(|_| text.as_bytes().get(..10).and_then(iso::date).ok_or(Code::Format)),
            Attempt::Pattern(pattern) => {
                pattern.day(text).map(|day| i64::from(day.to_epoch_days())).ok_or(Code::Format)
            }
            Attempt::Epoch(unit) => {
                Ok(int(text).map_err(epoch_fault)?.div_euclid(MICROS_PER_DAY / unit))
            }
        }
    }
}

fn epoch_fault(code: Code) -> Code {
    if code == Code::Overflow { code } else { Code::Format }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveDateTime};

    use super::*;

    fn pattern(text: &str) -> TimeFormat {
        TimeFormat::Pattern(text.into())
    }

    fn spellings() -> Clock {
        Clock::new(&[
            pattern("%Y-%m-%dT%H:%M:%S%.f"),
            pattern("%Y-%m-%d %H:%M:%S%.f"),
            pattern("%Y-%m-%dT%H:%M:%S%.f%#z"),
            TimeFormat::EpochMillis,
        ])
    }

    #[test]
    fn each_spelling_is_the_same_instant() {
        let instant = 1_598_586_767_000_000;
        for text in [
            "2020-08-28T03:52:47",
            "2020-08-28 03:52:47",
            "2020-08-28T03:52:47.0",
            "2020-08-28T03:52:47Z",
            "2020-08-28T03:52:47.000+0000",
            "2020-08-28T05:52:47+02:00",
            "1598586767000",
        ] {
            assert_eq!(spellings().timestamp(text), Ok(instant), "{text}");
        }
        assert_eq!(spellings().timestamp("2020-08-28T03:52:47.123456"), Ok(instant + 123_456));
    }

    #[test]
    fn what_is_no_time_is_a_format_fault() {
        for text in [
            "2021-02-30T00:00:00",
            "2021-02-28T24:00:00",
            "2021-02-28",
            "2021-2-28 00:00:00x",
            "2021-02-28T00:00:00.",
            "",
            "yesterday",
            "2021-02-28\u{a0}00:00:00",
        ] {
            assert_eq!(spellings().timestamp(text), Err(Code::Format), "{text:?}");
        }
        assert_eq!(spellings().timestamp("9223372036854775807"), Err(Code::Overflow));
    }

    #[test]
    fn the_hand_read_spelling_agrees_with_chrono() {
        for text in ["1969-12-31T23:59:59.5", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"] {
            let chrono = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").unwrap();
            let micros = chrono.and_utc().timestamp_micros();
            assert_eq!(spellings().timestamp(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn every_day_that_the_calendar_has_is_read_as_chrono_does_and_no_other() {
        let iso = Clock::new(&[pattern("%Y-%m-%dT%H:%M:%S%.f")]);
        for year in (1..=9999).filter(|year| year % 97 == 0 || year % 100 < 2 || year % 400 == 399)
        {
            for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
                let date = NaiveDate::from_ymd_opt(year, month, day);
                let expected = date.and_then(|date| date.and_hms_opt(23, 59, 58));
                let expected = expected.map(|time| time.and_utc().timestamp_micros());
                let text = format!("{year:04}-{month:02}-{day:02}T23:59:58");
                assert_eq!(iso.timestamp(&text), expected.ok_or(Code::Format), "{text}");
            }
        }
        // Year 0 is one of the calendar, and out of range.
        assert_eq!(iso.timestamp("0000-02-29T00:00:00"), Err(Code::Overflow));
        assert_eq!(iso.timestamp("0000-02-30T00:00:00"), Err(Code::Format));
    }

    #[test]
    fn a_time_past_the_last_second_or_with_another_sign_is_none() {
        let iso = Clock::new(&[pattern("%Y-%m-%dT%H:%M:%S%.f")]);
        assert!(iso.timestamp("2021-02-28T23:59:59").is_ok());
        let text = b"2021-02-28T23:59:59";
        for at in 0..text.len() {
            for sign in [b'/', b':', b'-', b' ', b'x', 0xb2, b'+'] {
                let mut wrong = text.to_vec();
                if wrong[at] == sign {
                    continue;
                }
                wrong[at] = sign;
                let wrong = String::from_utf8_lossy(&wrong).into_owned();
                assert_eq!(iso.timestamp(&wrong), Err(Code::Format), "{wrong}");
            }
        }
        for wrong in ["2021-02-28T24:00:00", "2021-02-28T23:60:00", "2021-02-28T23:59:60"] {
            assert_eq!(iso.timestamp(wrong), Err(Code::Format), "{wrong}");
        }
    }

    #[test]
    fn an_epoch_in_another_unit_is_out_of_range() {
        let seconds = Clock::new(&[TimeFormat::EpochSeconds]);
        assert_eq!(seconds.timestamp("1598586767"), Ok(1_598_586_767_000_000));
        assert_eq!(seconds.timestamp("1598586767000"), Err(Code::Overflow));
    }

    #[test]
    fn a_date_is_days() {
        let date = |text: &str| {
            Clock::new(&[pattern("%Y-%m-%d"), TimeFormat::EpochDays]).date(text).map(i64::from)
        };
        for (text, expected) in [
            ("1970-01-02", Ok(1)),
            ("18000", Ok(18_000)),
            ("-1", Ok(-1)),
            ("0001-01-01", Ok(DAYS.start)),
            ("9999-12-31", Ok(DAYS.end - 1)),
            ("2021-02-30", Err(Code::Format)),
            ("24-03-15", Err(Code::Format)),
            ("2024-3-15", Err(Code::Format)),
            ("+2024-03-15", Err(Code::Format)),
            (" 2024-03-15", Err(Code::Format)),
            ("2024-03-15 ", Err(Code::Format)),
            ("2024-03-1", Err(Code::Format)),
            ("02024-03-15", Err(Code::Format)),
            ("1.5", Err(Code::Format)),
            ("0000-12-31", Err(Code::Overflow)),
            ("1000000000", Err(Code::Overflow)),
            ("9223372036854775808", Err(Code::Overflow)),
        ] {
            assert_eq!(date(text), expected, "{text:?}");
        }
        let seconds = Clock::new(&[TimeFormat::EpochSeconds]);
        assert_eq!(seconds.date("-1"), Ok(-1));
        assert_eq!(seconds.date("86399"), Ok(0));
    }

    #[test]
    fn the_day_of_a_time_is_the_one_that_is_written_if_the_whole_is_sound() {
        for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%T%z"] {
            let clock = Clock::new(&[pattern(format)]);
            let zone = if format.ends_with("#z") { "+05:00" } else { "+0500" };
            assert_eq!(clock.date(&format!("2020-08-28T23:52:47{zone}")), Ok(18_502), "{format}");
            for wrong in ["24:00:00", "23:60:00", "23:59:60", "23:59"] {
                let text = format!("2020-08-28T{wrong}{zone}");
                assert_eq!(clock.date(&text), Err(Code::Format), "{text} as {format}");
            }
        }
    }

    #[test]
    fn an_iso_time_is_read_alike_with_and_without_a_zone() {
        let zoned = Clock::new(&[pattern("%Y-%m-%dT%H:%M:%S%.f%#z")]);
        let plain = Clock::new(&[pattern("%Y-%m-%dT%H:%M:%S%.f")]);
        for text in [
            "2020-08-28T12:00:60",
            "2020-08-28T24:00:00",
            "2020-08-28T12:60:00",
            "20-8-28T3:52:47",
            "20-08-28T03:52:47",
            "2020-8-28T03:52:47",
            "2020-08-28T3:52:47",
            "2020-08-2803:52:47",
            "2020-08-28 03:52:47",
            "2020-08-28  03:52:47",
            "2020-08-28t03:52:47",
            "2020-08-28T03:52:47.",
            "2020-08-28T03:52:47.1234567890",
            "2020-08-28T03:52:47,5",
            "+2020-08-28T03:52:47",
            "-2020-08-28T03:52:47",
            " 2020-08-28T03:52:47",
            "2020-08-28T03:52",
            "2020-08-28T03:52: 7",
            "2020-W35-5T03:52:47",
            "20200828T035247",
            "12020-08-28T03:52:47",
            "２020-08-28T03:52:47",
        ] {
            assert_eq!(plain.timestamp(text), Err(Code::Format), "{text}");
            for zone in ["Z", "+00", "+0000", "+00:00", "-05:30"] {
                let text = format!("{text}{zone}");
                assert_eq!(zoned.timestamp(&text), Err(Code::Format), "{text}");
            }
        }
    }

    #[test]
    fn a_zone_is_spelt_in_one_of_four_ways() {
        let zoned = Clock::new(&[pattern("%Y-%m-%dT%H:%M:%S%.f%#z")]);
        for (zone, minutes) in [
            ("Z", 0),
            ("+00", 0),
            ("-00:00", 0),
            ("+0530", 330),
            ("+05:30", 330),
            ("-05", -300),
            ("+23:59", 1_439),
            ("-2359", -1_439),
        ] {
            let expected = 1_598_586_767_000_000 - minutes * 60_000_000;
            let text = format!("2020-08-28T03:52:47{zone}");
            assert_eq!(zoned.timestamp(&text), Ok(expected), "{text}");
        }
        for zone in [
            "",
            "z",
            " Z",
            "Z ",
            "ZZ",
            "UTC",
            "GMT",
            "+0",
            "+000",
            "+00000",
            "+00:0",
            "+0:00",
            "+00:",
            "+00 00",
            "+00::00",
            "+00:00:00",
            " +00:00",
            "+ 00:00",
            "+24:00",
            "+00:60",
            "00:00",
            "\u{2212}05:00",
            "+-05:00",
            "+5:30",
            "[UTC]",
            "Z[UTC]",
        ] {
            let text = format!("2020-08-28T03:52:47{zone}");
            assert_eq!(zoned.timestamp(&text), Err(Code::Format), "{text}");
        }
    }
}
