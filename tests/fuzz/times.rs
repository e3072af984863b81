//! Times against a model of regular expressions and a calendar of its own: what
//! is read, as which instant, and that near misses are not.

use std::sync::OnceLock;

use pinclean::code::Code;
use pinclean::spec::TimeFormat;
use pinclean::value::Clock;
use regex::{Captures, Regex};

use crate::choices::Choices;

/// The default formats first, then others.
const FORMATS: [&str; 30] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%FT%T%.f",
    "%F %T%z",
    "%FT%T%.3f%:z",
    "%FT%R%#z",
    "%F %R",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %I:%M %p",
    "%-d.%-m.%Y %-H:%M",
    "%e %b %Y %k:%M:%S",
    "%a, %d %b %Y %T %z",
    "%c",
    "%+",
    "%D %T",
    "%y%m%d%H%M%S",
    "%Y%m%dT%H%M%S%.6f",
    "%Y%m%d%H%M%S%3f",
    "%Y-%j %T",
    "%m/%d/%Y %l:%M %P",
    "%B %d, %Y %R",
    "%s",
    "%s%.f",
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%y-%m-%d",
    "%Y/%j",
    "%v",
];

/// The formats from here on give days only.
const DAYS_FROM: usize = 25;

const MONTHS: &str = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)";
const LONG_MONTHS: &str = "(?i:january|february|march|april|may|june|july|august|september|\
                           october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)";

/// What each directive reads; those that stand for several come first.
const DIRECTIVES: [(&str, &str); 31] = [
    ("%c", "%a %b %e %T %Y"),
    ("%+", "%Y-%m-%dT%H:%M:%S%.f%Z"),
    ("%v", "%e-%b-%Y"),
    ("%F", "%Y-%m-%d"),
    ("%T", "%H:%M:%S"),
    ("%R", "%H:%M"),
    ("%D", "%m/%d/%y"),
    ("%Y", "(?<Y>[0-9]{4})"),
    ("%y", "(?<y>[0-9]{2})"),
    ("%m", "(?<m>[0-9]{2})"),
    ("%-m", "(?<m>[0-9]|[1-9][0-9])"),
    ("%d", "(?<d>[0-9]{2})"),
    ("%-d", "(?<d>[0-9]|[1-9][0-9])"),
    ("%e", "(?<d> [0-9]|[1-9][0-9])"),
    ("%j", "(?<j>[0-9]{3})"),
    ("%H", "(?<H>[0-9]{2})"),
    ("%-H", "(?<H>[0-9]|[1-9][0-9])"),
    ("%k", "(?<H> [0-9]|[1-9][0-9])"),
    ("%I", "(?<I>[0-9]{2})"),
    ("%l", "(?<I> [0-9]|[1-9][0-9])"),
    ("%M", "(?<M>[0-9]{2})"),
    ("%S", "(?<S>[0-9]{2})"),
    ("%.f", r"(?:\.(?<f>[0-9]{1,9}))?"),
    ("%.3f", r"\.(?<f>[0-9]{3})"),
    ("%.6f", r"\.(?<f>[0-9]{6})"),
    ("%3f", "(?<f>[0-9]{3})"),
    ("%#z", "(?<z>Z|[+-][0-9]{2}(?::?[0-9]{2})?)"),
    ("%:z", "(?<z>[+-][0-9]{2}:[0-9]{2})"),
    ("%Z", "(?<z>Z|[+-][0-9]{2}:[0-9]{2})"),
    ("%z", "(?<z>[+-][0-9]{4})"),
    ("%s", "(?<s>0|[1-9][0-9]{0,17})"),
];

const NAMES: [(&str, &str); 4] = [
    ("%b", "(?<b>MONTHS)"),
    ("%B", "(?<b>LONG_MONTHS)"),
    ("%a", "(?<a>(?i:mon|tue|wed|thu|fri|sat|sun))"),
    ("%p", "(?<p>(?i:am|pm))"),
];

/// The regular expression of a pattern.
fn expression(pattern: &str) -> Regex {
    let mut text = pattern.replace("%P", "%p").replace('.', r"\.").replace('+', r"\+");
    text = text.replace(r"%\.", "%.").replace(r"%\+", "%+");
    for (directive, reads) in DIRECTIVES {
        text = text.replace(directive, reads);
    }
    for (directive, reads) in NAMES {
        let reads = reads.replace("LONG_MONTHS", LONG_MONTHS).replace("MONTHS", MONTHS);
        text = text.replace(directive, &reads);
    }
    assert!(!text.contains('%'), "{pattern} is not modelled: {text}");
    Regex::new(&format!("^(?:{text})$")).unwrap()
}

struct Modelled {
    pattern: &'static str,
    expression: Regex,
    clock: Clock,
    is_day: bool,
}

fn modelled() -> &'static [Modelled] {
    static ALL: OnceLock<Vec<Modelled>> = OnceLock::new();
    ALL.get_or_init(|| {
        let of = |(index, pattern): (usize, &&'static str)| Modelled {
            pattern,
            expression: expression(pattern),
            clock: Clock::new(&[TimeFormat::Pattern((*pattern).to_owned())]),
            is_day: index >= DAYS_FROM,
        };
        FORMATS.iter().enumerate().map(of).collect()
    })
}

/// The days since 1970-01-01, counted year by year and month by month.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leaps = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let of_year = |year: i64| 365 + i64::from(leaps(year));
    let february = 28 + i64::from(leaps(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month - 1).ok().filter(|month| *month < 12)?;
    if !(1..=months[before]).contains(&day) {
        return None;
    }
    let years: i64 = match year {
        1970.. => (1970..year).map(of_year).sum(),
        _ => -(year..1970).map(of_year).sum::<i64>(),
    };
    Some(years + months[..before].iter().sum::<i64>() + day - 1)
}

fn number(found: &Captures<'_>, name: &str) -> Option<i64> {
    found.name(name)?.as_str().trim_start_matches(' ').parse().ok()
}

fn day(found: &Captures<'_>) -> Option<i64> {
    let short = |year: i64| if year < 70 { 2000 + year } else { 1900 + year };
    let year = number(found, "Y").or_else(|| number(found, "y").map(short))?;
    let month = || {
        let name = found.name("b")?.as_str()[..3].to_ascii_lowercase();
        let at = "janfebmaraprmayjunjulaugsepoctnovdec".find(&name)?;
        Some(at as i64 / 3 + 1)
    };
    let day = match number(found, "j") {
        Some(ordinal) => {
            let last = days(year, 12, 31)? - days(year, 1, 1)? + 1;
            (1..=last).contains(&ordinal).then_some(days(year, 1, 1)? + ordinal - 1)?
        }
        None => days(year, number(found, "m").or_else(month)?, number(found, "d")?)?,
    };
    // 1970-01-01 was a Thursday.
    let weekday = |name: &str| "thufrisatsunmontuewed".find(&name.to_ascii_lowercase());
    let named = found.name("a").map(|name| weekday(name.as_str()).unwrap() as i64 / 3);
    named.is_none_or(|named| named == day.rem_euclid(7)).then_some(day)
}

/// Microseconds of the day, none if no time of day stands there.
fn time_of_day(found: &Captures<'_>) -> Option<i64> {
    let afternoon = || found.name("p").map(|half| half.as_str().eq_ignore_ascii_case("pm"));
    let hour = match number(found, "I") {
        Some(hour) => {
            (1..=12).contains(&hour).then_some(hour % 12 + 12 * i64::from(afternoon()?))?
        }
        None => number(found, "H").filter(|hour| *hour < 24)?,
    };
    let below_60 = |name: &str, absent: i64| match found.name(name) {
        None => Some(absent),
        Some(_) => number(found, name).filter(|number| *number < 60),
    };
    let (minute, second) = (below_60("M", 0)?, below_60("S", 0)?);
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000)
}

fn fraction(found: &Captures<'_>) -> i64 {
    let digits = found.name("f").map_or("", |digits| digits.as_str());
    format!("{digits:0<6}")[..6].parse().unwrap()
}

/// Microseconds east of UTC.
fn offset(found: &Captures<'_>) -> Option<i64> {
    let zone = found.name("z").map_or("Z", |zone| zone.as_str());
    if zone == "Z" {
        return Some(0);
    }
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits[..2].parse().unwrap();
    let minutes: i64 = digits.get(2..4).map_or(0, |minutes| minutes.parse().unwrap());
    let size = (hours * 60 + minutes) * 60_000_000;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    (hours < 24 && minutes < 60).then_some(sign * size)
}

fn expected(model: &Modelled, text: &str) -> Result<i64, Code> {
    let found = model.expression.captures(text).ok_or(Code::Format)?;
    if model.is_day {
        let day = day(&found).ok_or(Code::Format)?;
        let years = days(1, 1, 1).unwrap()..=days(9999, 12, 31).unwrap();
        return if years.contains(&day) { Ok(day) } else { Err(Code::Overflow) };
    }
    let instant = match number(&found, "s") {
        Some(seconds) => i128::from(seconds) * 1_000_000 + i128::from(fraction(&found)),
        None => {
            let day = day(&found).ok_or(Code::Format)?;
            let time = time_of_day(&found).ok_or(Code::Format)?;
            let zone = offset(&found).ok_or(Code::Format)?;
            i128::from(day) * 86_400_000_000 + i128::from(time + fraction(&found) - zone)
        }
    };
    let first = i128::from(days(1, 1, 1).unwrap()) * 86_400_000_000;
    let end = i128::from(days(9999, 12, 31).unwrap() + 1) * 86_400_000_000;
    match (first..end).contains(&instant) {
        true => Ok(i64::try_from(instant).unwrap()),
        false => Err(Code::Overflow),
    }
}

fn compare(model: &Modelled, text: &str) {
    let made = match model.is_day {
        true => model.clock.date(text).map(i64::from),
        false => model.clock.timestamp(text),
    };
    let expected = expected(model, text);
    // Seconds that no calendar of the engine holds are not read at all.
    let far = model.pattern.starts_with("%s") && expected == Err(Code::Overflow);
    let as_expected = made == expected || (far && made.is_err());
    assert!(as_expected, "{text:?} by {}: {made:?}, not {expected:?}", model.pattern);
}

/// One random text of a format, or one that nearly is.
pub fn check(choices: &mut Choices<'_>) {
    let model = &modelled()[choices.below(FORMATS.len())];
    let mut text = written(choices, model.pattern);
    for _ in 0..choices.below(3) {
        miss(choices, &mut text);
    }
    compare(model, &text);
    // A text of one format is mostly none of another.
    compare(&modelled()[choices.below(FORMATS.len())], &text);
}

/// A text of a pattern, with numbers that may be just out of range.
fn written(choices: &mut Choices<'_>, pattern: &str) -> String {
    let mut text = pattern.replace("%P", "%p");
    for (composite, parts) in &DIRECTIVES[..7] {
        text = text.replace(composite, parts);
    }
    let width = |choices: &mut Choices<'_>, values: &[usize], width: usize| {
        format!("{:0width$}", choices.pick(values))
    };
    let hours = [0, 3, 12, 13, 23, 24];
    let zones =
        ["Z", "+00", "+0530", "+05:30", "-0000", "-23:59", "+24:00", "+00:60", "z", " Z", ""];
    let fractions = ["", ".5", ".123456", ".1234567899", ".123456789", "."];
    let days = choices.pick(&[1, 5, 15, 28, 29, 30, 31, 32]);
    let year = width(choices, &[2020, 2021, 1969, 1, 9999, 24, 0], 4);
    let month = choices.pick(&[1, 2, 3, 8, 12, 13]);
    let hour = choices.pick(&hours);
    let names = ["Jan", "feb", "AUG", "Dec", "August", "May", "Fri"];
    for (directive, value) in [
        ("%Y", year.clone()),
        ("%y", year[2..].to_owned()),
        ("%m", format!("{month:02}")),
        ("%-m", month.to_string()),
        ("%d", format!("{days:02}")),
        ("%-d", days.to_string()),
        ("%e", format!("{days:2}")),
        ("%j", width(choices, &[0, 1, 59, 60, 365, 366, 367], 3)),
        ("%H", format!("{hour:02}")),
        ("%-H", hour.to_string()),
        ("%k", format!("{hour:2}")),
        ("%I", width(choices, &[0, 1, 11, 12, 13], 2)),
        ("%l", format!("{:2}", choices.pick(&[0, 1, 11, 12, 13]))),
        ("%M", width(choices, &[0, 5, 59, 60], 2)),
        ("%S", width(choices, &[0, 5, 59, 60, 61], 2)),
        ("%.f", choices.pick(&fractions).to_owned()),
        ("%.3f", choices.pick(&[".250", "", ".25"]).to_owned()),
        ("%.6f", choices.pick(&[".250000", "", ".250"]).to_owned()),
        ("%3f", choices.pick(&["250", "25", ""]).to_owned()),
        ("%#z", choices.pick(&zones).to_owned()),
        ("%:z", choices.pick(&zones).to_owned()),
        ("%Z", choices.pick(&zones).to_owned()),
        ("%z", choices.pick(&zones).to_owned()),
        ("%s", choices.pick(&["0", "1598586767", "-1", "01", "999999999999999999"]).to_owned()),
        ("%b", choices.pick(&names).to_owned()),
        ("%B", choices.pick(&names).to_owned()),
        ("%a", choices.pick(&["Mon", "tue", "Fri", "FRI", "Friday", "Sat"]).to_owned()),
        ("%p", choices.pick(&["AM", "pm", "Pm", "p.m.", ""]).to_owned()),
    ] {
        text = text.replace(directive, &value);
    }
    text
}

/// Spoils a text by one character, as a careless writer does.
fn miss(choices: &mut Choices<'_>, text: &mut String) {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return;
    }
    let at = choices.below(chars.len());
    let other = choices.pick(&[
        ' ', '0', '1', '9', '+', '-', '\u{2212}', '.', ':', 'T', 't', 'z', 'Z', '\t', '\u{a0}',
        '٣', '/', 'a',
    ]);
    match choices.below(4) {
        0 => chars[at] = other,
        1 => chars.insert(at, other),
        2 => drop(chars.remove(at)),
        _ => chars.push(other),
    }
    *text = chars.into_iter().collect();
}

/// Texts that were read wrongly once, and others worth a look.
#[test]
fn times_that_were_found_before_are_read_as_the_model_says() {
    for text in [
        "24-03-15T10:00:00Z",
        "24-03-15",
        "15/03/24",
        "2024-03-15T12:00:60Z",
        "2024-03-15T12:00:60",
        "20-8-28T3:52:47Z",
        "2020-08-2803:52:47Z",
        "2020-08-28T03:52:47.1234567891Z",
        "+2020-08-28T03:52:47Z",
        "2020-08-28t03:52:47z",
        "2020-08-28T03:52:47 +00:00",
        "2020-08-28T24:00:00Z",
        "2020-08-28T03:52:47\u{2212}05:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "1598586767",
        "",
    ] {
        modelled().iter().for_each(|model| compare(model, text));
    }
}
