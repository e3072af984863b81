//! What the values of a field look like, gathered one by one.

use std::collections::BTreeMap;

use super::placeholder::looks_empty;
use crate::spec::time::{ISO_DATE, ISO_TIMESTAMPS};
use crate::spec::{Suffix, TimeFormat};
use crate::value::{self, Clock};

/// Distinct texts that are counted; of more, a text tells nothing.
const DISTINCT: usize = 10_000;

/// Longer texts are not counted: they are nobody's placeholder.
const LONG: usize = 200;

/// Texts beside a type's values that are remembered; with more the type is out.
const RESTS: usize = 8;

/// The suffixes that are looked for, and what they mean.
pub const SUFFIXES: [(char, i64); 6] = [
    ('k', 1_000),
    ('K', 1_000),
    ('m', 1_000_000),
    ('M', 1_000_000),
    ('b', 1_000_000_000),
    ('B', 1_000_000_000),
];

/// The numbers since 1970 that are looked for: format and digits.
const EPOCHS: [(&str, usize); 3] = [("epoch_s", 10), ("epoch_ms", 13), ("epoch_us", 16)];

/// Times as people and mail spell them. None in which day and month could be
/// taken for each other.
const OTHER_TIMES: [&str; 7] = [
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %-d %b %Y %H:%M:%S %z",
];

/// A type that values may all be of. In the order in which they are tried: a
/// number may be a time too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In one of the formats that are looked for.
    Timestamp,
    /// `2020-08-28`
    Date,
    /// `true` and `false`, strings too; 0 and 1 are drafted as numbers.
    Bool,
    /// 64 bits, perhaps with a suffix.
    Int,
    /// A number that a double keeps.
    Float,
}

impl Kind {
    /// Every kind, in the order of the variants.
    pub const ALL: [Kind; 5] = [Kind::Timestamp, Kind::Date, Kind::Bool, Kind::Int, Kind::Float];
}

/// A JSON value that is neither null, array nor object.
#[derive(Debug, Clone, Copy)]
pub enum Json<'t> {
    /// A number or boolean as written.
    Bare(&'t str),
    /// A string, unescaped.
    Text(&'t str),
}

/// Reads values; shared by all fields.
pub struct Reader {
    suffixes: Vec<Suffix>,
    formats: Vec<(&'static str, Clock)>,
    dates: Clock,
}

/// The values of a field, or the elements of its arrays.
#[derive(Debug, Default)]
pub struct Values {
    /// How many.
    pub count: u64,
    /// For each kind, in the order of [`Kind::ALL`].
    fits: [Fit; 5],
    /// The least and the greatest integer, suffixes multiplied out.
    pub ints: Option<(i64, i64)>,
    /// The least and the greatest number.
    pub floats: Option<(f64, f64)>,
    /// Suffixes of numbers, and how many have them.
    pub suffixes: BTreeMap<char, u64>,
    /// Formats of times, and how many are spelt so.
    pub formats: BTreeMap<&'static str, u64>,
    /// Strings and how often each is there; empty if there are too many.
    pub texts: BTreeMap<String, u64>,
    too_many: bool,
    prefix: Option<String>,
}

/// How well values fit one kind.
#[derive(Debug, Default)]
pub struct Fit {
    /// Those of the kind.
    pub fit: u64,
    /// The strings that are not, and how often each is there.
    pub rest: BTreeMap<String, u64>,
    /// Whether others than a few strings are not of the kind.
    pub hopeless: bool,
}

impl Reader {
    /// A reader of all formats and suffixes that are looked for.
    pub fn new() -> Reader {
        let suffix = |(c, factor): (char, i64)| Suffix { text: c.to_string(), factor };
        let format = |pattern: &'static str| {
            (pattern, Clock::new(&[TimeFormat::Pattern(pattern.to_owned())]))
        };
        Reader {
            suffixes: SUFFIXES.map(suffix).to_vec(),
            formats: ISO_TIMESTAMPS.into_iter().chain(OTHER_TIMES).map(format).collect(),
            dates: Clock::new(&[TimeFormat::Pattern(ISO_DATE.to_owned())]),
        }
    }

    /// The format that a time is spelt in.
    fn format(&self, text: &str, is_time: bool) -> Option<&'static str> {
        let is_mail = text.as_bytes().get(3) == Some(&b',');
        if !is_mail && !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let epoch = EPOCHS.into_iter().find(|(_, digits)| text.len() == *digits)?;
            return is_time.then_some(epoch.0);
        }
        let fits = |clock: &Clock| clock.timestamp(text).is_ok();
        self.formats.iter().find(|(_, clock)| fits(clock)).map(|(pattern, _)| *pattern)
    }

    /// An integer as one is written, or one with a suffix.
    fn int(&self, text: &str) -> Option<i64> {
        match suffix(text) {
            Some(_) => value::suffixed_int(text, &self.suffixes).ok(),
            // What a fraction or an exponent was written for is no integer.
            None if text.contains(['.', 'e', 'E']) => None,
            None => value::int(text).ok(),
        }
        .filter(|_| !is_padded(text))
    }

    fn float(&self, text: &str) -> Option<f64> {
        value::suffixed_float(text, &self.suffixes).ok().filter(|_| !is_padded(text))
    }
}

/// The suffix of a number.
fn suffix(text: &str) -> Option<char> {
    let last = text.chars().next_back()?;
    let number = text.starts_with(|c: char| c.is_ascii_digit());
    (number && SUFFIXES.iter().any(|(c, _)| *c == last)).then_some(last)
}

/// Whether zeros stand before a number, as in a post code: they would be lost.
fn is_padded(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    matches!(digits, [b'0', next, ..] if next.is_ascii_digit())
}

impl Values {
    /// Adds a value; `is_time` if the field's name says that it holds times.
    pub fn add(&mut self, value: Json<'_>, reader: &Reader, is_time: bool) {
        self.count += 1;
        let (Json::Bare(text) | Json::Text(text)) = value;
        let format = reader.format(text, is_time);
        if let Some(format) = format {
            *self.formats.entry(format).or_default() += 1;
        }
        let (int, float) = (reader.int(text), reader.float(text));
        self.span(int, float);
        if let Some(suffix) = suffix(text).filter(|_| float.is_some()) {
            *self.suffixes.entry(suffix).or_default() += 1;
        }
        for (kind, fit) in Kind::ALL.into_iter().zip(&mut self.fits) {
            let fits = match kind {
                Kind::Timestamp => format.is_some(),
                Kind::Date => reader.dates.date(text).is_ok(),
                Kind::Bool => matches!(text, "true" | "false"),
                Kind::Int => int.is_some(),
                Kind::Float => float.is_some(),
            };
            fit.add(fits, value);
        }
        if let Json::Text(text) = value {
            self.text(text);
        }
    }

    fn span(&mut self, int: Option<i64>, float: Option<f64>) {
        if let Some(int) = int {
            let (min, max) = self.ints.unwrap_or((int, int));
            self.ints = Some((min.min(int), max.max(int)));
        }
        if let Some(float) = float {
            let (min, max) = self.floats.unwrap_or((float, float));
            self.floats = Some((min.min(float), max.max(float)));
        }
    }

    fn text(&mut self, text: &str) {
        if !looks_empty(text) {
            let common = match self.prefix.take() {
                None => text,
                Some(known) => &text[..common(&known, text)],
            };
            self.prefix = Some(common.to_owned());
        }
        if text.len() > LONG || self.too_many {
            return;
        }
        *self.texts.entry(text.to_owned()).or_default() += 1;
        // A text that is there often has come more than once by now.
        if self.texts.len() > DISTINCT {
            self.texts.retain(|_, count| *count > 1);
            self.too_many = self.texts.len() > DISTINCT / 2;
        }
    }

    /// How well the values fit a kind.
    pub fn fit(&self, kind: Kind) -> &Fit {
        &self.fits[kind as usize]
    }

    /// What all strings start with that stand for a value.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }
}

impl Fit {
    fn add(&mut self, fits: bool, value: Json<'_>) {
        match value {
            _ if fits => self.fit += 1,
            Json::Text(text) if text.len() <= LONG && !self.hopeless => {
                *self.rest.entry(text.to_owned()).or_default() += 1;
                self.hopeless = self.rest.len() > RESTS;
            }
            _ => self.hopeless = true,
        }
    }
}

/// How many bytes two texts have in common at their start.
fn common(a: &str, b: &str) -> usize {
    let same = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
    same.last().map_or(0, |((at, c), _)| at + c.len_utf8())
}
