//! Questions: SQL in files, with a header that says what each answers and which
//! parameters it has. `questions/README.md` is the grammar. Pure, but for
//! reading a folder of them.
//!
//! A [`Question`] is valid by construction: [`parse`] is the only door, and it
//! reports every problem with file, line and column.

use std::fmt;

mod check;
mod choose;
mod columns;
mod listing;
mod load;
mod read;
mod template;
mod value;

pub use choose::{Asked, Set, Wanted, choose};
pub use listing::{json, text};
pub use load::{DEFAULTS, load};
pub use read::parse;
pub use template::Template;
pub use value::Value;

/// A question to the tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its name, which its file has too: `[a-z][a-z0-9_-]*`.
    pub name: String,
    /// What it answers.
    pub answers: String,
    /// The columns of the answer, in order; at least one.
    pub columns: Vec<String>,
    /// What may be chosen, in the order of the file. Each has a name of its own.
    pub parameters: Vec<Parameter>,
    /// The SQL, which uses every parameter and no other.
    pub sql: Template,
}

/// What may be chosen of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name: letters, digits and `_`; `$name` in the SQL.
    pub name: String,
    /// What it is.
    pub says: String,
    /// What it may be.
    pub kind: Kind,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One of several.
    Choice {
        /// At least one, in the order of the file.
        choices: Vec<Choice>,
        /// The one that counts if none is given: its place among them.
        default: usize,
    },
    /// Any value of the type of the one that counts if none is given.
    Value(Value),
}

/// What may be chosen, and the SQL that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is typed.
    pub name: String,
    /// What stands in the SQL then.
    pub sql: String,
}

impl Parameter {
    /// What stands in the SQL if nothing is chosen.
    pub fn default_sql(&self) -> String {
        match &self.kind {
            Kind::Choice { choices, default } => choices[*default].sql.clone(),
            Kind::Value(value) => value.sql(),
        }
    }

    /// What stands in the SQL for what was typed.
    ///
    /// # Errors
    /// What may be typed, in words.
    pub fn sql(&self, typed: &str) -> Result<String, String> {
        match &self.kind {
            Kind::Value(default) => match default.parse_same(typed) {
                Some(value) => Ok(value.sql()),
                None => Err(format!("{typed:?} is not {}", default.kind())),
            },
            Kind::Choice { choices, .. } => {
                let chosen = choices.iter().find(|choice| choice.name == typed);
                chosen.map(|choice| choice.sql.clone()).ok_or_else(|| {
                    let names: Vec<_> = choices.iter().map(|choice| choice.name.as_str()).collect();
                    format!("{typed:?} is not one of: {}", names.join(", "))
                })
            }
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Value(default) => write!(f, "{}={default}", self.name),
            Kind::Choice { choices, .. } => {
                let names: Vec<_> = choices.iter().map(|choice| choice.name.as_str()).collect();
                write!(f, "{}={}", self.name, names.join("|"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
