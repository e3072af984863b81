//! Timestamps and dates.

use chrono::NaiveDate;

use super::int;
use crate::code::Code;
use crate::spec::TimeFormat;
use crate::spec::time::parse_timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The years 1 to 9999, in microseconds and in days since 1970-01-01: what SQL
/// engines and Python hold. Beyond it is most often another unit of an epoch.
const YEARS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;
const DAYS: std::ops::Range<i32> = -719_162..2_932_897;

/// Reads timestamps in the formats of one column, tried in order.
#[derive(Debug, Clone)]
pub struct Clock {
    attempts: Vec<Attempt>,
}

#[derive(Debug, Clone)]
enum Attempt {
    /// `YYYY-MM-DD`, the given byte, `HH:MM:SS`, an optional fraction: read by
    /// hand, since nearly every timestamp is one of these.
    Iso(u8),
    /// A chrono pattern, with a zone or in UTC.
    Pattern(String),
    /// A number, and how many microseconds one of it is.
    Epoch(i64),
}

impl Clock {
    /// A clock for these formats.
    pub fn new(formats: &[TimeFormat]) -> Clock {
        Clock { attempts: formats.iter().map(Attempt::new).collect() }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`Code::Format`] if no format fits, [`Code::Overflow`] if the instant is
    /// outside of the years 1 to 9999.
    pub fn timestamp(&self, text: &str) -> Result<i64, Code> {
        let mut worst = Code::Format;
        for attempt in &self.attempts {
            match attempt.read(text) {
                Ok(micros) => return Ok(micros),
                Err(Code::Overflow) => worst = Code::Overflow,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}

impl Attempt {
    fn new(format: &TimeFormat) -> Attempt {
        match format {
            TimeFormat::Pattern(p) if p == "%Y-%m-%dT%H:%M:%S%.f" => Attempt::Iso(b'T'),
            TimeFormat::Pattern(p) if p == "%Y-%m-%d %H:%M:%S%.f" => Attempt::Iso(b' '),
            TimeFormat::Pattern(p) => Attempt::Pattern(p.clone()),
            TimeFormat::EpochSeconds => Attempt::Epoch(MICROS_PER_SECOND),
            TimeFormat::EpochMillis => Attempt::Epoch(1_000),
            TimeFormat::EpochMicros => Attempt::Epoch(1),
            TimeFormat::EpochDays => Attempt::Epoch(86_400 * MICROS_PER_SECOND),
        }
    }

    fn read(&self, text: &str) -> Result<i64, Code> {
        let micros = self.instant(text)?;
        if YEARS.contains(&micros) { Ok(micros) } else { Err(Code::Overflow) }
    }

    fn instant(&self, text: &str) -> Result<i64, Code> {
        match self {
            Attempt::Iso(separator) => iso(text.as_bytes(), *separator).ok_or(Code::Format),
            Attempt::Pattern(pattern) => parse_timestamp(text, pattern)
                .map(|time| time.timestamp_micros())
                .ok_or(Code::Format),
            Attempt::Epoch(unit) => {
                int(text).map_err(epoch_fault)?.checked_mul(*unit).ok_or(Code::Overflow)
            }
        }
    }
}

fn epoch_fault(code: Code) -> Code {
    if code == Code::Overflow { code } else { Code::Format }
}

/// `YYYY-MM-DD?HH:MM:SS[.f{1,9}]` in UTC; digits past microseconds are cut, as
/// chrono does.
fn iso(text: &[u8], separator: u8) -> Option<i64> {
    let (head, fraction) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, between, h1, h2, b':', n1, n2, b':', s1, s2] =
        *head
    else {
        return None;
    };
    if between != separator {
        return None;
    }
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let in_month = (1..=12).contains(&month) && (1..=days_of(month, year)).contains(&day);
    if !in_month || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * MICROS_PER_SECOND + micros(fraction)?)
}

/// A number of two digits.
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// How many days a month has.
fn days_of(month: i64, year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the years 0 to 9999. Years begin in March
/// here, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in every five months from March on; 719,468 from 0000-03-01 to 1970.
    of_years + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn micros(fraction: &[u8]) -> Option<i64> {
    let Some((b'.', digits)) = fraction.split_first() else {
        return fraction.is_empty().then_some(0);
    };
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    Some(padded.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// Days since 1970-01-01, in the formats of one column, tried in order.
///
/// # Errors
/// [`Code::Format`] if no format fits, [`Code::Overflow`] if the day is outside of
/// the years 1 to 9999.
pub fn date(text: &str, formats: &[TimeFormat]) -> Result<i32, Code> {
    let days = formats.iter().find_map(|format| one_date(text, format)).ok_or(Code::Format)?;
    if DAYS.contains(&days) { Ok(days) } else { Err(Code::Overflow) }
}

fn one_date(text: &str, format: &TimeFormat) -> Option<i32> {
    let epoch = |per_day: i64| i32::try_from(int(text).ok()?.div_euclid(per_day)).ok();
    match format {
        TimeFormat::Pattern(pattern) => {
            NaiveDate::parse_from_str(text, pattern).ok().map(|day| day.to_epoch_days())
        }
        TimeFormat::EpochDays => epoch(1),
        TimeFormat::EpochSeconds => epoch(86_400),
        TimeFormat::EpochMillis => epoch(86_400_000),
        TimeFormat::EpochMicros => epoch(86_400_000_000),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

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
        let formats = [pattern("%Y-%m-%d"), TimeFormat::EpochDays];
        assert_eq!(date("1970-01-02", &formats), Ok(1));
        assert_eq!(date("18000", &formats), Ok(18000));
        assert_eq!(date("2021-02-30", &formats), Err(Code::Format));
        assert_eq!(date("-1", &[TimeFormat::EpochSeconds]), Ok(-1));
        assert_eq!(date("0001-01-01", &formats), Ok(DAYS.start));
        assert_eq!(date("9999-12-31", &formats), Ok(DAYS.end - 1));
        assert_eq!(date("1000000000", &formats), Err(Code::Overflow));
    }
}
