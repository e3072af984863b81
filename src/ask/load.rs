//! Questions from a folder, or the ones that are compiled in.

use std::path::Path;

use super::{Question, parse};
use crate::spec::Problems;
use crate::spec::read::{FileKind, read_dir};
use crate::{Error, Result};

macro_rules! question {
    ($name:literal) => {
        ($name, include_str!(concat!("../../questions/", $name)))
    };
}

/// The questions that are compiled in: file name and text, by name.
pub const DEFAULTS: [(&str, &str); 10] = [
    question!("median-followers-by-age-group-and-join-year.sql"),
    question!("median-followers-by-age-group.sql"),
    question!("median-followers-by-join-year.sql"),
    question!("posts-by-category-and-year.sql"),
    question!("top-category-by-age-group.sql"),
    question!("top-category-by-country.sql"),
    question!("top-category-by-year.sql"),
    question!("top-country-by-followers.sql"),
    question!("top-poster-by-country.sql"),
    question!("users-joined-by-year.sql"),
];

const KIND: FileKind = FileKind { plural: "questions", single: "question", ending: "sql" };

/// Reads every `*.sql` of a folder, by name; the compiled-in questions if no
/// folder is given. At least one.
///
/// # Errors
/// [`Error::Spec`] with every problem of every file; [`Error::File`] if the
/// folder or a file cannot be read, or none is there.
pub fn load(dir: Option<&Path>) -> Result<Vec<Question>> {
    let files = match dir {
        Some(dir) => read_dir(dir, &KIND)?,
        None => DEFAULTS.map(|(name, text)| (format!("questions/{name}"), text.into())).to_vec(),
    };
    let (mut questions, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in files {
        match parse(&file, &text) {
            Ok(question) => questions.push(question),
            Err(found) => problems.extend(found),
        }
    }
    // The names of files sort otherwise: `.` comes after `-`.
    questions.sort_by(|a: &Question, b| a.name.cmp(&b.name));
    match problems.is_empty() {
        true => Ok(questions),
        false => Err(Error::Spec(Problems::of_questions(problems))),
    }
}
