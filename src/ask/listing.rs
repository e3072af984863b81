//! The questions that there are, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Kind, Parameter, Question, Value};

/// Each question with what it answers, and its parameters below.
pub fn text(questions: &[Question]) -> String {
    let mut out = String::new();
    for question in questions {
        let _ = writeln!(out, "{}\n    {}", question.name, question.answers);
        for parameter in &question.parameters {
            let _ = write!(out, "    --set {parameter}  {}", parameter.says);
            if let Kind::Choice { choices, default } = &parameter.kind {
                let _ = write!(out, " [default: {}]", choices[*default].name);
            }
            out.push('\n');
        }
    }
    out
}

/// One array of objects.
///
/// # Errors
/// Those of the serializer, of which there are none for these types.
pub fn json(questions: &[Question]) -> serde_json::Result<String> {
    let listed: Vec<_> = questions.iter().map(Listed::of).collect();
    serde_json::to_string_pretty(&listed).map(|json| json + "\n")
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    answers: &'a str,
    columns: &'a [String],
    parameters: Vec<ListedParameter<'a>>,
}

#[derive(Serialize)]
struct ListedParameter<'a> {
    name: &'a str,
    says: &'a str,
    default: serde_json::Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<&'a str>,
}

impl<'a> Listed<'a> {
    fn of(question: &'a Question) -> Listed<'a> {
        Listed {
            name: &question.name,
            answers: &question.answers,
            columns: &question.columns,
            parameters: question.parameters.iter().map(ListedParameter::of).collect(),
        }
    }
}

impl<'a> ListedParameter<'a> {
    fn of(parameter: &'a Parameter) -> ListedParameter<'a> {
        let (default, choices) = match &parameter.kind {
            Kind::Value(value) => (value_as_json(value), Vec::new()),
            Kind::Choice { choices, default } => (
                choices[*default].name.as_str().into(),
                choices.iter().map(|choice| choice.name.as_str()).collect(),
            ),
        };
        ListedParameter { name: &parameter.name, says: &parameter.says, default, choices }
    }
}

fn value_as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(n) => (*n).into(),
        Value::Float(n) => (*n).into(),
        Value::Bool(on) => (*on).into(),
        Value::Text(_) | Value::Date(_) => value.to_string().into(),
    }
}
