//! Which questions are asked, and with which values.

use super::{Parameter, Question};
use crate::near::near;
use crate::{Error, Result};

/// What the operator wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// All questions.
    All,
    /// Those of these names.
    Named(&'a [String]),
}

/// A question with a value for each parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'a> {
    /// The question.
    pub question: &'a Question,
    /// Its SQL, without parameters.
    pub sql: String,
}

/// The questions that are wanted, each once, with what was set: pairs of a
/// parameter's name and its value. A value holds for each of them that has the
/// parameter.
///
/// # Errors
/// [`Error::Usage`] for a question or a parameter that is not there, and for a
/// value that a parameter does not take.
pub fn choose<'a>(
    questions: &'a [Question],
    wanted: &Wanted<'_>,
    set: &[(String, String)],
) -> Result<Vec<Asked<'a>>> {
    let chosen = match wanted {
        Wanted::All => questions.iter().collect(),
        Wanted::Named(names) => named(questions, names)?,
    };
    for (at, (name, _)) in set.iter().enumerate() {
        if set[..at].iter().any(|(other, _)| other == name) {
            return Err(Error::Usage(format!("--set: {name} is set twice")));
        }
        if !chosen.iter().any(|question| question.parameter(name).is_some()) {
            return Err(no_parameter(name, &chosen));
        }
    }
    chosen.into_iter().map(|question| ask(question, set)).collect()
}

fn named<'a>(questions: &'a [Question], names: &[String]) -> Result<Vec<&'a Question>> {
    let mut chosen: Vec<&Question> = Vec::new();
    for name in names {
        let question = questions.iter().find(|question| question.name == *name);
        let question = question.ok_or_else(|| no_question(name, questions))?;
        if !chosen.iter().any(|other| other.name == *name) {
            chosen.push(question);
        }
    }
    Ok(chosen)
}

fn ask<'a>(question: &'a Question, set: &[(String, String)]) -> Result<Asked<'a>> {
    let mut values = Vec::new();
    for parameter in &question.parameters {
        let typed = set.iter().find(|(name, _)| *name == parameter.name);
        let sql =
            typed.map_or_else(|| Ok(parameter.default_sql()), |(_, value)| parameter.sql(value));
        let sql = sql.map_err(|problem| {
            Error::Usage(format!("--set {}: {problem} ({})", parameter.name, parameter.says))
        })?;
        values.push((parameter.name.as_str(), sql));
    }
    let value = |name: &str| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map(|(_, sql)| sql.clone()).unwrap_or_default()
    };
    Ok(Asked { question, sql: question.sql.fill(value) })
}

impl Question {
    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

fn no_question(name: &str, questions: &[Question]) -> Error {
    let names: Vec<_> = questions.iter().map(|question| question.name.as_str()).collect();
    let meant = near(name, names.iter().copied());
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Error::Usage(format!("there is no question {name}{meant}\nthere are {}", names.join(", ")))
}

fn no_parameter(name: &str, chosen: &[&Question]) -> Error {
    let mut known: Vec<&Parameter> = Vec::new();
    for parameter in chosen.iter().flat_map(|question| &question.parameters) {
        if !known.iter().any(|other| other.name == parameter.name) {
            known.push(parameter);
        }
    }
    let who = match chosen {
        [question] => format!("{} has no parameter {name}", question.name),
        _ => format!("none of the questions has a parameter {name}"),
    };
    let there = match known.is_empty() {
        true => "; there are no parameters".to_owned(),
        false => {
            let meant = near(name, known.iter().map(|known| known.name.as_str()));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?"));
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            format!("{}\nthere are {}", meant.unwrap_or_default(), known.join(", "))
        }
    };
    Error::Usage(format!("--set: {who}{there}"))
}
