//! What is done to a text → checked [`TextRules`].

use std::cmp::Reverse;

use regex::Regex;
use toml::Spanned;

use super::check::Check;
use super::raw::{RawColumn, RawReplace};
use crate::spec::{Replace, Scalar, Suffix, TextRules, TimeFormat, Type, time};

impl Check<'_> {
    /// The text rules of a column. Formats of times are never empty.
    pub(super) fn text_rules(&mut self, raw: &RawColumn, ty: Option<Type>) -> TextRules {
        TextRules {
            trim: raw.trim,
            null_values: raw.null_values.iter().map(|text| text.get_ref().clone()).collect(),
            null_patterns: raw.null_patterns.iter().filter_map(|p| self.null_pattern(p)).collect(),
            strip_prefix: self.affix("strip_prefix", &raw.strip_prefix),
            strip_suffix: self.affix("strip_suffix", &raw.strip_suffix),
            replace: raw.replace.iter().filter_map(|raw| self.replace(raw)).collect(),
            suffixes: self.suffixes(raw),
            formats: self.formats(raw, ty),
        }
    }

    fn null_pattern(&mut self, pattern: &Spanned<String>) -> Option<Regex> {
        self.regex(pattern)?;
        let whole = Spanned::new(pattern.span(), format!("^(?:{})$", pattern.get_ref()));
        self.regex(&whole)
    }

    fn regex(&mut self, pattern: &Spanned<String>) -> Option<Regex> {
        match Regex::new(pattern.get_ref()) {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The last of several lines says what is wrong.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                let message = format!("`{}` is no regex: {reason}", pattern.get_ref());
                self.problem(&pattern.span(), message);
                None
            }
        }
    }

    fn affix(&mut self, key: &str, text: &Option<Spanned<String>>) -> Option<String> {
        let text = text.as_ref()?;
        if text.get_ref().is_empty() {
            self.problem(&text.span(), format!("`{key}` is empty"));
        }
        Some(text.get_ref().clone())
    }

    fn replace(&mut self, raw: &RawReplace) -> Option<Replace> {
        let pattern = self.regex(raw.pattern.as_ref()?)?;
        let with = raw.with.as_ref()?;
        for group in unknown_groups(with.get_ref(), &pattern) {
            // The regex crate would put nothing in its place, without a word.
            let message = format!(
                "the pattern has no group `{group}`; `${{1}}x` ends a name, `$$` is a dollar"
            );
            self.problem(&with.span(), message);
        }
        Some(Replace { pattern, with: with.get_ref().clone() })
    }

    fn suffixes(&mut self, raw: &RawColumn) -> Vec<Suffix> {
        let mut suffixes = Vec::new();
        for (text, factor) in &raw.suffixes {
            let (name, value) = (text.get_ref(), *factor.get_ref());
            if name.trim().is_empty() || name.contains(|c: char| c.is_ascii_digit()) {
                let message = format!("`{name}` is no suffix: it is empty or has a digit");
                self.problem(&text.span(), message);
            }
            if value < 1 {
                self.problem(&factor.span(), format!("the factor of `{name}` is less than 1"));
            }
            suffixes.push(Suffix { text: name.clone(), factor: value });
        }
        suffixes.sort_by_key(|suffix| Reverse(suffix.text.len()));
        suffixes
    }

    fn formats(&mut self, raw: &RawColumn, ty: Option<Type>) -> Vec<TimeFormat> {
        let Some(scalar) = ty.map(Type::scalar) else { return Vec::new() };
        if !matches!(scalar, Scalar::Timestamp | Scalar::Date) {
            return Vec::new();
        }
        if raw.formats.is_empty() {
            return time::defaults(scalar);
        }
        let mut formats = Vec::new();
        for format in &raw.formats {
            match time::check(format.get_ref(), scalar) {
                Ok(format) => formats.push(format),
                Err(message) => self.problem(&format.span(), message),
            }
        }
        formats
    }
}

/// Groups that a replacement names and the pattern has not. A name goes as far
/// as letters, digits and `_` do, as the regex crate reads it.
fn unknown_groups(with: &str, pattern: &Regex) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut rest = with;
    while let Some((_, after)) = rest.split_once('$') {
        let (name, tail) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or(("", after)),
            None => {
                let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                after.split_at(end.unwrap_or(after.len()))
            }
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|group| group == name),
        };
        if !name.is_empty() && !known {
            unknown.push(name.to_owned());
        }
        rest = tail.strip_prefix('$').filter(|_| name.is_empty()).unwrap_or(tail);
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_may_name_only_groups_of_its_pattern() {
        let pattern = Regex::new(r"(\d+)(?<unit>k)").unwrap();
        for (with, expected) in [
            ("$1 ${unit} $unit $0 $$ $$9 $", &[][..]),
            ("$3", &["3"]),
            ("$1k", &["1k"]),
            ("${1}k ${nit}", &["nit"]),
            ("costs $$5 or $5", &["5"]),
        ] {
            assert_eq!(unknown_groups(with, &pattern), expected, "{with}");
        }
    }
}
