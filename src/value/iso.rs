//! The usual spellings of ISO 8601, read by hand: nearly every time is one.

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Whether a zone stands at the end of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZoneSuffix {
    /// None does: the time is UTC.
    Absent,
    /// `Z`, `+00`, `+0000` or `+00:00`.
    Required,
}

/// Reads `YYYY-MM-DD?HH:MM:SS[.f{1,9}]`, with or without a zone, as
/// microseconds since 1970-01-01T00:00:00Z. Digits past microseconds are cut.
pub(super) fn timestamp(text: &[u8], separator: u8, zone: ZoneSuffix) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let (day, time) = head.split_first_chunk::<10>()?;
    let [between, h1, h2, b':', n1, n2, b':', s1, s2] = *time else { return None };
    if between != separator {
        return None;
    }
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    // There is no leap second.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, rest) = fraction(rest)?;
    let offset = match zone {
        ZoneSuffix::Absent => rest.is_empty().then_some(0)?,
        ZoneSuffix::Required => offset(rest)?,
    };
    let seconds = date(day)? * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(seconds * MICROS_PER_SECOND + micros)
}

/// Reads `YYYY-MM-DD` as days since 1970-01-01.
pub(super) fn date(text: &[u8]) -> Option<i64> {
    let text = <[u8; 10]>::try_from(text).ok()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let is_day = (1..=12).contains(&month) && (1..=days_of(month, year)).contains(&day);
    is_day.then(|| days(year, month, day))
}

/// Reads the seconds east of UTC: `Z`, `±HH`, `±HHMM` or `±HH:MM`.
pub(super) fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        b"Z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [h1, h2] => (two(h1, h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(h1, h2)?, two(m1, m2)?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Reads a fraction of a second, if there is one, as microseconds; returns what
/// follows too.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = text.split_first() else { return Some((0, text)) };
    let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(count);
    if !(1..=9).contains(&count) {
        return None;
    }
    let kept = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    Some((kept.fold(0, |micros, byte| micros * 10 + i64::from(byte - b'0')), rest))
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
