//! A chrono pattern, and the strict reading of a text by it.
//!
//! chrono's own parser skips white space, takes numbers short, long or signed,
//! and reads a 61st second. So only its fields are used here: the text is read
//! step by step, and chrono makes a day or an instant of the numbers found.

use chrono::format::{Fixed, Item, Parsed, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::iso;

mod names;
mod number;
#[cfg(test)]
mod tests;

use number::NumberStep;

/// A chrono `strftime` pattern, parsed once for all texts that it reads.
#[derive(Debug, Clone)]
pub struct TimePattern {
    steps: Vec<Step>,
}

/// One part of a text.
#[derive(Debug, Clone)]
enum Step {
    /// These characters, white space too.
    Literal(String),
    Number(NumberStep),
    Name(NameKind),
    Fraction(FractionStep),
    Zone(ZoneKind),
}

/// A word for a part of a time. Upper and lower case are the same.
#[derive(Debug, Clone, Copy)]
enum NameKind {
    ShortMonth,
    /// The full name, or the short one, as chrono documents.
    Month,
    ShortWeekday,
    /// The full name, or the short one.
    Weekday,
    /// `am` or `pm`.
    HalfDay,
}

/// A fraction of a second.
#[derive(Debug, Clone, Copy)]
enum FractionStep {
    /// A point and one to nine digits, or nothing.
    Optional,
    /// Just so many digits, behind a point or not.
    Exact { digits: usize, point: bool },
}

/// How an offset from UTC is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZoneKind {
    /// `+0000`
    Plain,
    /// `+00:00`
    Colon,
    /// `+00`
    Hours,
    /// `Z` or `+00:00`
    ColonOrZ,
    /// `Z`, `+00`, `+0000` or `+00:00`
    Any,
}

impl TimePattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// What is wrong with the pattern, for the operator.
    pub fn new(pattern: &str) -> Result<TimePattern, String> {
        let mut steps = Vec::new();
        for item in StrftimeItems::new(pattern) {
            if item == Item::Fixed(Fixed::TimezoneName) {
                return Err(format!(
                    "`{pattern}`: a zone's name (`%Z`) gives no offset; read an offset with `%#z`"
                ));
            }
            if item == Item::Fixed(Fixed::RFC3339) {
                steps.extend(rfc3339());
                continue;
            }
            let known = match item {
                Item::Error => "chrono does not know",
                _ => "chrono writes but cannot read",
            };
            let unknown = || format!("`{pattern}` has a directive that {known}");
            steps.push(step(&item).ok_or_else(unknown)?);
        }
        // Of two numbers side by side, the first must have a known length.
        if steps.windows(2).any(|pair| pair[0].may_vary() && pair[1].may_begin_with_digit()) {
            return Err(format!(
                "`{pattern}`: a number of any length is followed by another number at once, \
                 so that nothing shows where the first one ends"
            ));
        }
        Ok(TimePattern { steps })
    }

    /// Reads an instant; without a zone in the pattern the text is in UTC.
    /// `None` if the text is not spelt so.
    pub fn instant(&self, text: &str) -> Option<DateTime<Utc>> {
        let parsed = self.fields(text)?;
        let offset = FixedOffset::east_opt(parsed.offset().unwrap_or(0))?;
        let local = parsed.to_naive_datetime_with_offset(offset.local_minus_utc()).ok()?;
        local.and_local_timezone(offset).single().map(|time| time.to_utc())
    }

    /// Reads a day as it is written, whatever its zone. `None` if the text is
    /// not spelt so.
    pub fn day(&self, text: &str) -> Option<NaiveDate> {
        self.fields(text)?.to_naive_date().ok()
    }

    /// Reads the whole text, step by step.
    fn fields(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        let mut rest = text.as_bytes();
        for step in &self.steps {
            rest = step.read(rest, &mut parsed)?;
        }
        rest.is_empty().then_some(parsed)
    }
}

/// What `%+` stands for: `2020-08-28T03:52:47.5+00:00`.
fn rfc3339() -> impl Iterator<Item = Step> {
    let items = StrftimeItems::new("%Y-%m-%dT%H:%M:%S%.f");
    let steps = items.collect::<Vec<_>>();
    let steps: Vec<Step> = steps.iter().filter_map(step).collect();
    steps.into_iter().chain([Step::Zone(ZoneKind::ColonOrZ)])
}

/// The step of a pattern's item; `None` if there is none.
fn step(item: &Item<'_>) -> Option<Step> {
    Some(match item {
        Item::Literal(text) | Item::Space(text) => Step::Literal((*text).to_owned()),
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => Step::Literal(text.to_string()),
        Item::Numeric(field, pad) => Step::Number(NumberStep::new(field, *pad)?),
        Item::Fixed(fixed) => fixed_step(fixed).or_else(|| internal_step(item))?,
        Item::Error => return None,
    })
}

fn fixed_step(fixed: &Fixed) -> Option<Step> {
    let exact = |digits| Step::Fraction(FractionStep::Exact { digits, point: true });
    Some(match fixed {
        Fixed::ShortMonthName => Step::Name(NameKind::ShortMonth),
        Fixed::LongMonthName => Step::Name(NameKind::Month),
        Fixed::ShortWeekdayName => Step::Name(NameKind::ShortWeekday),
        Fixed::LongWeekdayName => Step::Name(NameKind::Weekday),
        Fixed::LowerAmPm | Fixed::UpperAmPm => Step::Name(NameKind::HalfDay),
        Fixed::Nanosecond => Step::Fraction(FractionStep::Optional),
        Fixed::Nanosecond3 => exact(3),
        Fixed::Nanosecond6 => exact(6),
        Fixed::Nanosecond9 => exact(9),
        Fixed::TimezoneOffset => Step::Zone(ZoneKind::Plain),
        Fixed::TimezoneOffsetColon => Step::Zone(ZoneKind::Colon),
        Fixed::TimezoneOffsetTripleColon => Step::Zone(ZoneKind::Hours),
        _ => return None,
    })
}

/// The step of a directive whose item chrono keeps to itself.
fn internal_step(item: &Item<'_>) -> Option<Step> {
    let exact = |digits| Step::Fraction(FractionStep::Exact { digits, point: false });
    let known = [
        ("%3f", exact(3)),
        ("%6f", exact(6)),
        ("%9f", exact(9)),
        ("%#z", Step::Zone(ZoneKind::Any)),
    ];
    let is_item = |directive| StrftimeItems::new(directive).next().as_ref() == Some(item);
    known.into_iter().find(|(directive, _)| is_item(directive)).map(|(_, step)| step)
}

impl Step {
    /// Reads the step at the start of a text; returns what follows.
    fn read<'t>(&self, text: &'t [u8], parsed: &mut Parsed) -> Option<&'t [u8]> {
        match self {
            Step::Literal(literal) => text.strip_prefix(literal.as_bytes()),
            Step::Number(number) => number.read(text, parsed),
            Step::Name(kind) => kind.read(text, parsed),
            Step::Fraction(fraction) => fraction.read(text, parsed),
            Step::Zone(kind) => kind.read(text, parsed),
        }
    }

    /// Whether the step reads digits of any length.
    fn may_vary(&self) -> bool {
        match self {
            Step::Number(number) => number.may_vary(),
            Step::Fraction(fraction) => matches!(fraction, FractionStep::Optional),
            // `+00` and `+0000` are both read.
            Step::Zone(kind) => *kind == ZoneKind::Any,
            Step::Literal(_) | Step::Name(_) => false,
        }
    }

    fn may_begin_with_digit(&self) -> bool {
        match self {
            Step::Literal(text) => text.starts_with(|c: char| c.is_ascii_digit()),
            Step::Number(_) => true,
            Step::Fraction(fraction) => {
                matches!(fraction, FractionStep::Exact { point: false, .. })
            }
            Step::Name(_) | Step::Zone(_) => false,
        }
    }
}

impl FractionStep {
    fn read<'t>(self, text: &'t [u8], parsed: &mut Parsed) -> Option<&'t [u8]> {
        let (count, digits) = match self {
            FractionStep::Optional => {
                let Some(digits) = text.strip_prefix(b".") else { return Some(text) };
                (leading_digits(digits), digits)
            }
            FractionStep::Exact { digits: count, point: true } => (count, text.strip_prefix(b".")?),
            FractionStep::Exact { digits: count, point: false } => (count, text),
        };
        if !(1..=9).contains(&count) {
            return None;
        }
        let (digits, rest) = digits.split_at_checked(count)?;
        let nanos = decimal(digits)? * 10_i64.pow(9 - count as u32);
        parsed.set_nanosecond(nanos).ok()?;
        Some(rest)
    }
}

impl ZoneKind {
    fn read<'t>(self, text: &'t [u8], parsed: &mut Parsed) -> Option<&'t [u8]> {
        let length = self.length(text);
        let (zone, rest) = text.split_at_checked(length)?;
        parsed.set_offset(iso::offset(zone)?).ok()?;
        Some(rest)
    }

    /// How many bytes the zone at the start of a text has, if it is one.
    fn length(self, text: &[u8]) -> usize {
        let takes_z = matches!(self, ZoneKind::ColonOrZ | ZoneKind::Any);
        match self {
            _ if takes_z && text.starts_with(b"Z") => 1,
            ZoneKind::Hours => 3,
            ZoneKind::Plain => 5,
            ZoneKind::Colon | ZoneKind::ColonOrZ => 6,
            ZoneKind::Any => match text.get(3) {
                Some(b':') => 6,
                Some(byte) if byte.is_ascii_digit() => 5,
                _ => 3,
            },
        }
    }
}

/// How many digits a text begins with.
fn leading_digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

/// The number that some digits are; `None` if others are among them, or too many.
fn decimal(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
