//! Problems of transforms and questions files, each with its place.

use std::fmt;

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the operator named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// All problems that were found, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The problems.
    pub list: Vec<Problem>,
    /// What the files are: `transforms` or `questions`.
    pub files: &'static str,
}

impl Problems {
    /// Of transforms files.
    pub fn of_transforms(list: Vec<Problem>) -> Problems {
        Problems { list, files: "transforms" }
    }

    /// Of questions files.
    pub fn of_questions(list: Vec<Problem>) -> Problems {
        Problems { list, files: "questions" }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, files) = (self.list.len(), self.files);
        writeln!(f, "{count} problem{} in the {files}:", if count == 1 { "" } else { "s" })?;
        for (i, problem) in self.list.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "  {problem}")?;
        }
        Ok(())
    }
}
