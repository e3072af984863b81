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

/// Values of parameters, and where they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Pairs of a parameter's name and its value, as written.
    pub values: Vec<(String, String)>,
    /// Whether they were typed for these questions; else they were written
    /// beforehand, for any.
    pub typed: bool,
    /// The flag, the variable or the place in the file.
    pub origin: String,
}

/// The questions that are wanted, each once, with what was set. A value holds
/// for each of them that has the parameter. What was not typed may be meant for
/// others of `questions`.
///
/// # Errors
/// [`Error::Usage`] for a question or a parameter that is not there, and for a
/// value that a parameter does not take.
pub fn choose<'a>(
    questions: &'a [Question],
    wanted: &Wanted<'_>,
    set: Option<&Set>,
) -> Result<Vec<Asked<'a>>> {
    let chosen: Vec<&Question> = match wanted {
        Wanted::All => questions.iter().collect(),
        Wanted::Named(names) => named(questions, names)?,
    };
    if let Some(set) = set {
        set.check(&if set.typed { chosen.clone() } else { questions.iter().collect() })?;
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

impl Set {
    /// Each parameter is set once, and one of the questions has it.
    fn check(&self, questions: &[&Question]) -> Result<()> {
        for (at, (name, _)) in self.values.iter().enumerate() {
            if self.values[..at].iter().any(|(other, _)| other == name) {
                return Err(Error::Usage(format!("{}: {name} is set twice", self.origin)));
            }
            if !questions.iter().any(|question| question.parameter(name).is_some()) {
                let problem = no_parameter(name, questions);
                return Err(Error::Usage(format!("{}: {problem}", self.origin)));
            }
        }
        Ok(())
    }

    /// What stands in the SQL for a parameter, if it was set.
    fn sql(&self, parameter: &Parameter) -> Option<Result<String>> {
        let (name, value) = self.values.iter().find(|(name, _)| *name == parameter.name)?;
        Some(parameter.sql(value).map_err(|problem| {
            let says = &parameter.says;
            Error::Usage(format!("{}: {name}: {problem} ({says})", self.origin))
        }))
    }
}

fn ask<'a>(question: &'a Question, set: Option<&Set>) -> Result<Asked<'a>> {
    let mut values = Vec::new();
    for parameter in &question.parameters {
        let sql = set.and_then(|set| set.sql(parameter));
        let sql = sql.unwrap_or_else(|| Ok(parameter.default_sql()))?;
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

fn no_parameter(name: &str, chosen: &[&Question]) -> String {
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
    format!("{who}{there}")
}
