//! What was seen of a field, in words.

use super::field::Field;
use super::guess::Guess;
use super::quote::quote_short;
use super::values::{Kind, Values};
use crate::spec::{Scalar, Type};

/// Texts that are listed one by one.
const LISTED: usize = 6;

/// A prefix shorter than this is chance.
const PREFIX: usize = 4;

/// What was seen, a line each, of a field that becomes a column.
pub fn seen(field: &Field, guess: &Guess, records: u64) -> Vec<String> {
    let filled = field.filled();
    let mut parts = match guess.ty {
        _ if filled == 0 => vec!["always null".to_owned()],
        Type::Scalar(Scalar::String) => vec![texts(field, guess)],
        Type::Scalar(scalar) => scalars(&field.scalars, scalar, filled),
        Type::List(_) if field.elements.count == 0 => vec!["arrays without a value".to_owned()],
        Type::List(scalar) => vec![format!("arrays of {}", what(&field.elements, scalar))],
    };
    let misfits = match guess.ty {
        Type::Scalar(_) => (field.arrays, "arrays"),
        Type::List(_) => (field.scalars.count, "no arrays"),
    };
    for (count, what) in [misfits, (field.nested, "objects or nested arrays")] {
        if count > 0 {
            parts.push(format!("{} {what}", share(count, filled)));
        }
    }
    let missing = records - field.present;
    for (count, what) in [(field.nulls, "null"), (missing, "missing")] {
        if count > 0 && filled > 0 {
            parts.push(format!("{what} in {}", share(count, records)));
        }
    }
    std::iter::once(parts.join(", ")).chain(prefix(&field.scalars, guess)).collect()
}

/// Why no column holds a field.
pub fn left_out(field: &Field) -> String {
    match field.name.as_str() {
        "" => "a field without a name".to_owned(),
        name => format!("{} (objects or nested arrays)", quote_short(name)),
    }
}

/// The values of the type, and those beside them.
fn scalars(values: &Values, scalar: Scalar, filled: u64) -> Vec<String> {
    let Some(kind) = kind(scalar) else { return Vec::new() };
    let fit = values.fit(kind);
    let all = fit.fit == filled;
    let mut parts = vec![match all {
        true => what(values, scalar),
        false => format!("{} {}", share(fit.fit, filled), what(values, scalar)),
    }];
    let rest = fit.rest.iter();
    parts.extend(
        rest.map(|(text, count)| format!("{} {}", share(*count, filled), quote_short(text))),
    );
    parts
}

fn kind(scalar: Scalar) -> Option<Kind> {
    match scalar {
        Scalar::Int32 | Scalar::Int64 => Some(Kind::Int),
        Scalar::Float64 => Some(Kind::Float),
        Scalar::Bool => Some(Kind::Bool),
        Scalar::Timestamp => Some(Kind::Timestamp),
        Scalar::Date => Some(Kind::Date),
        Scalar::String => None,
    }
}

fn what(values: &Values, scalar: Scalar) -> String {
    let text = match (scalar, values.ints, values.floats) {
        (Scalar::Int32 | Scalar::Int64, Some((min, max)), _) => format!("integers {min} to {max}"),
        (Scalar::Float64, _, Some((min, max))) => format!("numbers {min} to {max}"),
        (Scalar::Bool, ..) => "booleans".to_owned(),
        (Scalar::Timestamp, ..) => times(values),
        (Scalar::Date, ..) => "dates".to_owned(),
        _ => "texts".to_owned(),
    };
    match kind(scalar) {
        Some(Kind::Int | Kind::Float) if !values.suffixes.is_empty() => {
            let seen: Vec<_> = values.suffixes.keys().map(char::to_string).collect();
            format!("{text}, some with {}", seen.join(", "))
        }
        _ => text,
    }
}

fn times(values: &Values) -> String {
    let all: u64 = values.formats.values().sum();
    let spelt = values.formats.iter().map(|(format, count)| match *count == all {
        true => format!("\"{format}\""),
        false => format!("\"{format}\" in {}", share(*count, all)),
    });
    format!("times as {}", spelt.collect::<Vec<_>>().join(", "))
}

/// Few texts are listed: they may be all that are allowed.
fn texts(field: &Field, guess: &Guess) -> String {
    let (values, filled) = (&field.scalars, field.filled());
    let strings: u64 = values.texts.values().sum();
    let few = (1..=LISTED).contains(&values.texts.len())
        && strings == filled
        && strings >= 4 * values.texts.len() as u64;
    if !few {
        let nulls = guess.null_values.iter().chain(&guess.maybe_null);
        let empty = nulls.filter_map(|text| Some((text, values.texts.get(text)?)));
        let empty =
            empty.map(|(text, count)| format!(", {} {}", share(*count, filled), quote_short(text)));
        return std::iter::once("texts".to_owned()).chain(empty).collect();
    }
    let mut listed: Vec<_> = values.texts.iter().collect();
    listed.sort_by(|a, b| b.1.cmp(a.1));
    let listed = listed
        .iter()
        .map(|(text, count)| format!("{} {}", share(**count, filled), quote_short(text)));
    listed.collect::<Vec<_>>().join(", ")
}

fn prefix(values: &Values, guess: &Guess) -> Option<String> {
    let several = values.texts.len() > 1 && guess.ty == Type::Scalar(Scalar::String);
    let prefix = values.prefix().filter(|text| several && text.chars().count() >= PREFIX)?;
    Some(format!("every text starts with {}; see strip_prefix", quote_short(prefix)))
}

/// A part of a whole, in percent; never 0 or 100 if it is neither.
pub fn share(part: u64, whole: u64) -> String {
    let percent = (100 * part + whole / 2) / whole.max(1);
    match percent {
        _ if part == whole => "all".to_owned(),
        0 => "under 1 %".to_owned(),
        100 => "over 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_all_only_if_it_is() {
        for (part, whole, expected) in [
            (1, 3, "33 %"),
            (1, 1000, "under 1 %"),
            (999, 1000, "over 99 %"),
            (7, 7, "all"),
            (1, 2, "50 %"),
        ] {
            assert_eq!(share(part, whole), expected);
        }
    }
}
