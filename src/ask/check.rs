//! The mirror of a header, and the SQL below it → a [`Question`].

use std::path::Path;

use sqlparser::tokenizer::Location;
use toml::Spanned;

use super::read::{Header, RawParameter};
use super::template::{Place, Template, byte_of, is_parameter_name};
use super::value::Value;
use super::{Choice, Kind, Parameter, Question, columns};
use crate::near::hint;
use crate::spec::is_table_name;
use crate::spec::read::{Found, Span};

/// A file of which the header was read.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// Where the SQL begins.
    pub(super) start: usize,
}

/// What the file means, if it is sound; all that is wrong goes to `found`.
pub(super) fn check(header: &Header, source: &Source<'_>, found: &mut Found) -> Option<Question> {
    check_name(header, source.file, found);
    for (at, column) in header.columns.iter().enumerate() {
        let name = column.get_ref();
        if header.columns[..at].iter().any(|other| other.get_ref() == name) {
            found.add(&column.span(), format!("`{name}` is there twice"));
        }
    }
    let parameters: Vec<_> =
        header.parameters.iter().filter_map(|raw| parameter(raw, found)).collect();
    let sql = &source.text[source.start..];
    let places = match Template::places(sql) {
        Ok(places) => places,
        Err((at, message)) => {
            found.add(&source.at(at), message);
            return None;
        }
    };
    check_places(&header.parameters, &places, source, found);
    if !found.is_empty() {
        return None;
    }
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.get_ref().clone());
    let question = Question {
        name: text(&header.name)?,
        answers: text(&header.answers)?,
        columns: header.columns.iter().map(|column| column.get_ref().clone()).collect(),
        parameters,
        sql: Template::cut(sql, &places),
    };
    check_sql(&question, header, source, found);
    Some(question)
}

impl Source<'_> {
    /// The place of a byte of the SQL.
    fn at(&self, byte: usize) -> Span {
        self.start + byte..self.start + byte
    }
}

fn check_name(header: &Header, file: &str, found: &mut Found) {
    let Some(name) = &header.name else { return };
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !is_table_name(name.get_ref()) {
        let message = "a question's name has a-z, 0-9, _ and -, and begins with a-z";
        found.add(&name.span(), message);
    } else if name.get_ref() != stem {
        let message = format!("the file is called `{stem}`: give the question the same name");
        found.add(&name.span(), message);
    }
}

fn parameter(raw: &RawParameter, found: &mut Found) -> Option<Parameter> {
    let name = raw.name.get_ref();
    if !is_parameter_name(name) {
        let message = "a parameter's name has letters, digits and _, and begins with a letter";
        found.add(&raw.name.span(), message);
    }
    let default = raw.default.as_ref()?;
    let kind = match &raw.choices {
        Some((span, choices)) => {
            if choices.is_empty() {
                found.add(span, "`choices` is empty");
            }
            choice(default, choices, found)?
        }
        None => match Value::of(default.get_ref()) {
            Some(value) => Kind::Value(value),
            None => {
                let message = "`default` must be a number, a string, true, false or a date";
                found.add(&default.span(), message);
                return None;
            }
        },
    };
    Some(Parameter { name: name.clone(), says: raw.says.as_ref()?.get_ref().clone(), kind })
}

fn choice(
    default: &Spanned<crate::spec::read::Literal>,
    choices: &[(Spanned<String>, Spanned<String>)],
    found: &mut Found,
) -> Option<Kind> {
    let spelt = Value::of(default.get_ref()).map(|value| value.to_string()).unwrap_or_default();
    let at = choices.iter().position(|(name, _)| *name.get_ref() == spelt);
    if at.is_none() {
        let names = choices.iter().map(|(name, _)| name.get_ref().as_str());
        let message = format!("`default` is none of the choices{}", hint(&spelt, names));
        found.add(&default.span(), message);
    }
    let choice = |(name, sql): &(Spanned<String>, Spanned<String>)| Choice {
        name: name.get_ref().clone(),
        sql: sql.get_ref().clone(),
    };
    Some(Kind::Choice { choices: choices.iter().map(choice).collect(), default: at? })
}

/// Every place has its parameter, and every parameter a place.
fn check_places(
    parameters: &[RawParameter],
    places: &[Place],
    source: &Source<'_>,
    found: &mut Found,
) {
    let names = || parameters.iter().map(|raw| raw.name.get_ref().as_str());
    for place in places {
        if !names().any(|name| name == place.name) {
            let hint = hint(&place.name, names().collect::<Vec<_>>());
            let message = format!("`${0}` has no [parameters.{0}] in the header{hint}", place.name);
            found.add(&source.at(place.start), message);
        }
    }
    for raw in parameters {
        let name = raw.name.get_ref();
        if !places.iter().any(|place| place.name == *name) {
            found.add(&raw.name.span(), format!("the SQL does not use `${name}`"));
        }
    }
}

/// The SQL is one query, with the defaults and with each choice; and its columns
/// are those of the header, as far as the text alone tells.
fn check_sql(question: &Question, header: &Header, source: &Source<'_>, found: &mut Found) {
    let default = |name: &str| -> String {
        let parameter = question.parameters.iter().find(|parameter| parameter.name == name);
        parameter.map(Parameter::default_sql).unwrap_or_default()
    };
    match columns::of(&question.sql.fill(default)) {
        Err(problem) => {
            let (message, at) = located(&problem, &source.text[source.start..]);
            found.add(&source.at(at), message);
            return;
        }
        Ok(Some(names)) if names != question.columns => {
            let first = header.columns.first().map(Spanned::span).unwrap_or_default();
            let message = format!("the SQL gives other columns: {}", names.join(", "));
            found.add(&first, message);
        }
        Ok(_) => {}
    }
    for raw in &header.parameters {
        for (_, sql) in raw.choices.iter().flat_map(|(_, choices)| choices) {
            let chosen = |name: &str| match name == raw.name.get_ref() {
                true => sql.get_ref().clone(),
                false => default(name),
            };
            if let Err(problem) = columns::of(&question.sql.fill(chosen)) {
                found.add(
                    &sql.span(),
                    format!("with this it is no SQL: {}", located(&problem, "").0),
                );
            }
        }
    }
}

/// What the parser says, and the byte at which it says so: nearly, where a
/// parameter stands before it in the line.
fn located<'p>(problem: &'p str, sql: &str) -> (&'p str, usize) {
    let Some((message, place)) = problem.rsplit_once(" at Line: ") else {
        let begin = sql.len() - sql.trim_start().len();
        return (problem, begin);
    };
    let numbers = place.split_once(", Column: ");
    let numbers =
        numbers.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let (line, column) = numbers.unwrap_or((1, 1));
    (message, byte_of(sql, Location { line, column }))
}
