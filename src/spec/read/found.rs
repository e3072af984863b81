//! Problems while one file is checked, by place in its text.

use std::ops::Range;

use crate::spec::Problem;

/// Bytes of the file.
pub(crate) type Span = Range<usize>;

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    list: Vec<(usize, String)>,
    /// The text is no TOML: what is missing may just have been misread.
    pub(crate) broken: bool,
}

impl Found {
    /// None yet.
    pub(crate) fn of(broken: bool) -> Found {
        Found { list: Vec::new(), broken }
    }

    /// Notes a problem at the start of a span.
    pub(crate) fn add(&mut self, span: &Span, message: impl Into<String>) {
        self.list.push((span.start, message.into()));
    }

    /// Whether the file is sound so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order of their places.
    pub(crate) fn into_problems(mut self, file: &str, text: &str) -> Vec<Problem> {
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
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
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
}
