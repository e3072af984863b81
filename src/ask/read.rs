//! A file → a [`Question`]: its header is TOML in the comment lines at its top.

use toml::Spanned;
use toml::de::DeTable;

use super::Question;
use super::check::{Source, check};
use crate::spec::Problem;
use crate::spec::read::{Found, Literal, Reader, Span, mirror};

pub(super) type Text = Option<Spanned<String>>;

/// The mirror of a header: its keys with their places, unchecked.
pub(super) struct Header {
    pub(super) name: Text,
    pub(super) answers: Text,
    pub(super) columns: Vec<Spanned<String>>,
    pub(super) parameters: Vec<RawParameter>,
}

/// A `[parameters.<name>]`.
pub(super) struct RawParameter {
    pub(super) name: Spanned<String>,
    pub(super) says: Text,
    pub(super) default: Option<Spanned<Literal>>,
    /// Where `choices` stands, and what is in it.
    pub(super) choices: Option<(Span, Vec<(Spanned<String>, Spanned<String>)>)>,
}

/// Reads one file; `file` is its path, and names it in problems.
///
/// # Errors
/// Every problem that was found, in the order of their places.
pub fn parse(file: &str, text: &str) -> Result<Question, Vec<Problem>> {
    let (header, start) = header(text);
    let read = mirror(file, &header, Header::read).map_err(|mut problems| {
        if let Some(first) = problems.first_mut() {
            first.message += "; the comment lines at the top are TOML";
        }
        problems
    });
    let (header, mut found) = read?;
    match check(&header, &Source { file, text, start }, &mut found) {
        Some(question) if found.is_empty() => Ok(question),
        _ => Err(found.into_problems(file, text)),
    }
}

/// The TOML at the top, blank where the comments begin, so that each of its
/// bytes is where it is in the file; and where the SQL begins.
fn header(text: &str) -> (String, usize) {
    let mut toml = String::new();
    for line in text.split_inclusive('\n') {
        let Some(rest) = line.strip_prefix("--") else { break };
        toml.push_str("  ");
        toml.push_str(rest);
    }
    let start = toml.len();
    (toml, start)
}

impl Header {
    fn read(table: &DeTable<'_>, found: &mut Found) -> Header {
        let known = ["name", "answers", "columns", "parameters"];
        let reader = Reader::new(table, 0..0, &known, found);
        for key in ["name", "answers", "columns"] {
            reader.require(key, found);
        }
        let parameters = match reader.table("parameters", found) {
            Some((table, span)) => Reader::open(table, span).each_table(found),
            None => Vec::new(),
        };
        let mut parameters: Vec<_> = parameters
            .into_iter()
            .map(|(name, table, span)| RawParameter::read(name, table, span, found))
            .collect();
        parameters.sort_by_key(|parameter| parameter.name.span().start);
        Header {
            name: reader.string("name", found),
            answers: reader.string("answers", found),
            columns: reader.strings("columns", found),
            parameters,
        }
    }
}

impl RawParameter {
    fn read(
        name: Spanned<String>,
        table: &DeTable<'_>,
        span: Span,
        found: &mut Found,
    ) -> RawParameter {
        let reader = Reader::new(table, span, &["says", "default", "choices"], found);
        reader.require("says", found);
        reader.require("default", found);
        let choices = reader.table("choices", found).map(|(table, span)| {
            let mut choices = Reader::open(table, span.clone()).texts(found);
            choices.sort_by_key(|(name, _)| name.span().start);
            (span, choices)
        });
        RawParameter {
            name,
            says: reader.string("says", found),
            default: reader.literal("default", found),
            choices,
        }
    }
}
