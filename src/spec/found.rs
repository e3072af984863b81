//! Problems while one file is checked, by place in its text.

use std::ops::Range;

use super::Problem;

/// Bytes of the file.
pub(super) type Span = Range<usize>;

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    list: Vec<(usize, String)>,
    /// The text is no TOML: what is missing may just have been misread.
    pub(super) broken: bool,
}

impl Found {
    /// None yet.
    pub(super) fn of(broken: bool) -> Found {
        Found { list: Vec::new(), broken }
    }

    /// Notes a problem at the start of a span.
    pub(super) fn add(&mut self, span: &Span, message: impl Into<String>) {
        self.list.push((span.start, message.into()));
    }

    /// Whether the file is sound so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order of their places.
    pub(super) fn into_problems(mut self, file: &str, text: &str) -> Vec<Problem> {
        self.list.sort();
        self.list.dedup();
        let problem = |(offset, message)| {
            let (line, column) = place(text, offset);
            Problem { file: file.to_owned(), line, column, message }
        };
        self.list.into_iter().map(problem).collect()
    }
}

/// Line and column of a byte, from 1; columns count characters.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The known name that was probably meant.
pub(super) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&name, &other.to_lowercase());
    let closest = known.into_iter().map(|other| (distance(other), other)).min()?;
    let limit = (name.chars().count() / 3).max(1);
    (closest.0 <= limit).then_some(closest.1)
}

/// The end of a message about an unknown name: the one that was probably
/// meant, or else all of them.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match near(name, known.clone()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => {
            let all: Vec<_> = known.into_iter().map(|k| format!("`{k}`")).collect();
            if all.is_empty() { String::new() } else { format!("; there is {}", all.join(", ")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "ab\né👍c\r\nd";
        for (offset, expected) in
            [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (9, (2, 3)), (12, (3, 1)), (99, (3, 2))]
        {
            assert_eq!(place(text, offset), expected, "byte {offset}");
        }
    }

    #[test]
    fn a_typo_has_a_near_name_and_another_word_has_none() {
        let known = ["null_values", "field", "name"];
        for (name, expected) in [
            ("null_value", Some("null_values")),
            ("NULL_VALUES", Some("null_values")),
            ("feild", Some("field")),
            ("nme", Some("name")),
            ("regexp", None),
        ] {
            assert_eq!(near(name, known), expected, "{name}");
        }
    }
}
