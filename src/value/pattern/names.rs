//! Months, weekdays, and halves of a day, in English words.

use chrono::Weekday;
use chrono::format::Parsed;

use super::NameKind;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Mon),
    ("Tuesday", Weekday::Tue),
    ("Wednesday", Weekday::Wed),
    ("Thursday", Weekday::Thu),
    ("Friday", Weekday::Fri),
    ("Saturday", Weekday::Sat),
    ("Sunday", Weekday::Sun),
];

/// Letters of a short name.
const SHORT: usize = 3;

impl NameKind {
    /// Reads the name at the start of a text; returns what follows.
    pub(super) fn read<'t>(self, text: &'t [u8], parsed: &mut Parsed) -> Option<&'t [u8]> {
        match self {
            NameKind::ShortMonth | NameKind::Month => {
                let may_be_long = matches!(self, NameKind::Month);
                let (index, rest) = find(text, MONTHS.into_iter(), may_be_long)?;
                parsed.set_month(index as i64 + 1).ok()?;
                Some(rest)
            }
            NameKind::ShortWeekday | NameKind::Weekday => {
                let may_be_long = matches!(self, NameKind::Weekday);
                let names = WEEKDAYS.into_iter().map(|(name, _)| name);
                let (index, rest) = find(text, names, may_be_long)?;
                parsed.set_weekday(WEEKDAYS[index].1).ok()?;
                Some(rest)
            }
            NameKind::HalfDay => {
                let (half, rest) = text.split_at_checked(2)?;
                let is = |name: &str| half.eq_ignore_ascii_case(name.as_bytes());
                let is_afternoon = (is("am") || is("pm")).then(|| is("pm"))?;
                parsed.set_ampm(is_afternoon).ok()?;
                Some(rest)
            }
        }
    }
}

/// The number of the name that a text begins with, and what follows it: its full
/// name, if that may be, or else the short one.
fn find(
    text: &[u8],
    names: impl Iterator<Item = &'static str>,
    may_be_long: bool,
) -> Option<(usize, &[u8])> {
    let after = |name: &str| {
        let (word, rest) = text.split_at_checked(name.len())?;
        word.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
    };
    names.enumerate().find_map(|(index, name)| {
        let short = after(&name[..SHORT])?;
        let long = if may_be_long { after(name) } else { None };
        Some((index, long.unwrap_or(short)))
    })
}
