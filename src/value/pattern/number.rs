//! Numbers of a fixed width, as parts of a time.

use chrono::Weekday;
use chrono::format::{Numeric, Pad, ParseResult, Parsed};

use super::{decimal, leading_digits};

/// A number and the field of a time that it is.
#[derive(Debug, Clone)]
pub(super) struct NumberStep {
    set: fn(&mut Parsed, i64) -> ParseResult<()>,
    width: NumberWidth,
    /// The least and the greatest number that can be.
    range: (i64, i64),
}

/// How many characters a number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberWidth {
    /// So many digits.
    Exact(usize),
    /// So many characters: digits, behind blanks in the place of leading zeros.
    Blanks(usize),
    /// At most so many digits, without leading zeros.
    AtMost(usize),
}

impl NumberStep {
    /// The step of a field; `None` if chrono has a field that is not known here.
    pub(super) fn new(field: &Numeric, pad: Pad) -> Option<NumberStep> {
        let (digits, range, set): (usize, _, fn(&mut Parsed, i64) -> ParseResult<()>) = match field
        {
            Numeric::Year => (4, (0, 9999), Parsed::set_year),
            Numeric::YearDiv100 => (2, (0, 99), Parsed::set_year_div_100),
            Numeric::YearMod100 => (2, (0, 99), Parsed::set_year_mod_100),
            Numeric::IsoYear => (4, (0, 9999), Parsed::set_isoyear),
            Numeric::IsoYearDiv100 => (2, (0, 99), Parsed::set_isoyear_div_100),
            Numeric::IsoYearMod100 => (2, (0, 99), Parsed::set_isoyear_mod_100),
            Numeric::Quarter => (1, (1, 4), Parsed::set_quarter),
            Numeric::Month => (2, (1, 12), Parsed::set_month),
            Numeric::Day => (2, (1, 31), Parsed::set_day),
            Numeric::WeekFromSun => (2, (0, 53), Parsed::set_week_from_sun),
            Numeric::WeekFromMon => (2, (0, 53), Parsed::set_week_from_mon),
            Numeric::IsoWeek => (2, (1, 53), Parsed::set_isoweek),
            Numeric::NumDaysFromSun => (1, (0, 6), set_days_from_sunday),
            Numeric::WeekdayFromMon => (1, (1, 7), set_days_from_sunday),
            Numeric::Ordinal => (3, (1, 366), Parsed::set_ordinal),
            Numeric::Hour => (2, (0, 23), Parsed::set_hour),
            Numeric::Hour12 => (2, (1, 12), Parsed::set_hour12),
            Numeric::Minute => (2, (0, 59), Parsed::set_minute),
            // There is no leap second.
            Numeric::Second => (2, (0, 59), Parsed::set_second),
            Numeric::Nanosecond => (9, (0, 999_999_999), Parsed::set_nanosecond),
            Numeric::Timestamp => (18, (0, i64::MAX), Parsed::set_timestamp),
            _ => return None,
        };
        let width = match (field, pad) {
            // A year has four digits, whatever stands in the place of zeros.
            (Numeric::Year | Numeric::IsoYear, _) => NumberWidth::Exact(digits),
            (Numeric::Timestamp, _) | (_, Pad::None) if digits > 1 => NumberWidth::AtMost(digits),
            (_, Pad::Space) => NumberWidth::Blanks(digits),
            (_, Pad::Zero | Pad::None) => NumberWidth::Exact(digits),
        };
        Some(NumberStep { set, width, range })
    }

    /// Reads the number at the start of a text; returns what follows.
    pub(super) fn read<'t>(&self, text: &'t [u8], parsed: &mut Parsed) -> Option<&'t [u8]> {
        let length = match self.width {
            NumberWidth::Exact(width) | NumberWidth::Blanks(width) => width,
            NumberWidth::AtMost(width) => leading_digits(text).min(width),
        };
        let (number, rest) = text.split_at_checked(length)?;
        let digits = match self.width {
            NumberWidth::Exact(_) => number,
            NumberWidth::Blanks(_) => without_blanks(number)?,
            NumberWidth::AtMost(_) => Some(number).filter(|number| !is_padded(number))?,
        };
        let value = decimal(digits).filter(|_| !digits.is_empty())?;
        let (least, greatest) = self.range;
        if !(least..=greatest).contains(&value) {
            return None;
        }
        (self.set)(parsed, value).ok()?;
        Some(rest)
    }

    /// Whether the number may have more or fewer digits.
    pub(super) fn may_vary(&self) -> bool {
        matches!(self.width, NumberWidth::AtMost(_))
    }
}

/// The digits behind the blanks; no zero may stand where a blank should.
fn without_blanks(number: &[u8]) -> Option<&[u8]> {
    let blanks = number.iter().take_while(|byte| **byte == b' ').count();
    let digits = &number[blanks..];
    (!is_padded(digits)).then_some(digits)
}

/// Whether a zero stands before other digits.
fn is_padded(digits: &[u8]) -> bool {
    matches!(digits, [b'0', _, ..])
}

/// Sunday is 0, and 7 too where Monday is the first.
fn set_days_from_sunday(parsed: &mut Parsed, days: i64) -> ParseResult<()> {
    parsed.set_weekday(match days {
        1 => Weekday::Mon,
        2 => Weekday::Tue,
        3 => Weekday::Wed,
        4 => Weekday::Thu,
        5 => Weekday::Fri,
        6 => Weekday::Sat,
        _ => Weekday::Sun,
    })
}
