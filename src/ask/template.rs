//! SQL with places for parameters.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

/// SQL with places for parameters. A place is a token, so that `$x` in a string
/// or in a comment is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Sql(String),
    Parameter(String),
}

/// A place for a parameter: its bytes in the text, and the name after the `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) name: String,
}

impl Template {
    /// The places in a text.
    ///
    /// # Errors
    /// Byte and words of what is no SQL, such as a string without an end, or no
    /// place for a parameter that could have a name.
    pub(super) fn places(sql: &str) -> Result<Vec<Place>, (usize, String)> {
        let tokens = Tokenizer::new(&GenericDialect, sql).tokenize_with_location();
        let tokens = tokens.map_err(|e| (byte_of(sql, e.location), e.message))?;
        let mut places = Vec::new();
        for token in tokens {
            let Token::Placeholder(text) = &token.token else { continue };
            let start = byte_of(sql, token.span.start);
            let Some(name) = text.strip_prefix('$').filter(|name| is_parameter_name(name)) else {
                let message = format!("`{text}` is no place for a parameter: those are `$name`");
                return Err((start, message));
            };
            let end = byte_of(sql, token.span.end);
            places.push(Place { start, end, name: name.to_owned() });
        }
        Ok(places)
    }

    /// The text, cut at its places, which are in order.
    pub(super) fn cut(sql: &str, places: &[Place]) -> Template {
        let (mut parts, mut from) = (Vec::new(), 0);
        for place in places {
            parts.push(Part::Sql(sql[from..place.start].to_owned()));
            parts.push(Part::Parameter(place.name.clone()));
            from = place.end;
        }
        parts.push(Part::Sql(sql[from..].to_owned()));
        Template { parts }
    }

    /// The SQL, with what stands for each parameter.
    pub(super) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Sql(sql) => sql.clone(),
            Part::Parameter(name) => value(name),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Whether a parameter may be called so.
pub(super) fn is_parameter_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(legal)
}

/// The byte at a line and column, both from 1; columns count characters.
pub(super) fn byte_of(text: &str, at: Location) -> usize {
    let Location { line, column } = at;
    let (line, column) = (line.saturating_sub(1) as usize, column.saturating_sub(1) as usize);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[start..].char_indices().nth(column).map(|(byte, _)| byte);
    start + within.unwrap_or(text.len() - start)
}
