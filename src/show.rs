//! Frames of any types as people and programs read them. Pure.

use std::path::Path;

use polars::prelude::DataFrame;

use crate::{Error, Result};

mod csv;
mod json;
mod markdown;
mod parquet;
mod table;
mod text;
pub mod time;

pub use parquet::parquet;

/// How a frame becomes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Aligned columns and the number of rows, for a terminal: one line a row,
    /// control characters escaped, long values cut, `null` where there is none.
    Table,
    /// RFC 4180 but for lines that end with `\n`: a header, null as empty.
    Csv,
    /// One array of objects, their keys in the order of the columns.
    Json,
    /// One object a line.
    Ndjson,
    /// A table as GitHub draws it.
    Markdown,
}

/// How a frame becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// A text.
    Text(Form),
    /// A Parquet file.
    Parquet,
}

impl Saved {
    /// All of them by name.
    pub const NAMES: &[(&str, Saved)] = &[
        ("table", Saved::Text(Form::Table)),
        ("csv", Saved::Text(Form::Csv)),
        ("json", Saved::Text(Form::Json)),
        ("ndjson", Saved::Text(Form::Ndjson)),
        ("markdown", Saved::Text(Form::Markdown)),
        ("parquet", Saved::Parquet),
    ];

    /// What the ending of a file's name stands for: `.csv`, `.json`, `.ndjson`,
    /// `.jsonl`, `.md`, `.txt` and `.parquet`, in whatever case.
    pub fn of_path(path: &Path) -> Option<Saved> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "csv" => Saved::Text(Form::Csv),
            "json" => Saved::Text(Form::Json),
            "ndjson" | "jsonl" => Saved::Text(Form::Ndjson),
            "md" => Saved::Text(Form::Markdown),
            "txt" => Saved::Text(Form::Table),
            "parquet" => Saved::Parquet,
            _ => return None,
        })
    }

    /// The ending of its files, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Saved::Text(Form::Table) => "txt",
            Saved::Text(Form::Csv) => "csv",
            Saved::Text(Form::Json) => "json",
            Saved::Text(Form::Ndjson) => "ndjson",
            Saved::Text(Form::Markdown) => "md",
            Saved::Parquet => "parquet",
        }
    }

    /// The content of the file.
    ///
    /// # Errors
    ///
    /// As [`render`] and [`parquet()`].
    pub fn bytes(self, frame: &DataFrame) -> Result<Vec<u8>> {
        match self {
            Saved::Text(form) => render(frame, form).map(String::into_bytes),
            Saved::Parquet => parquet(frame),
        }
    }
}

/// The frame as text; not empty texts end with a line's end.
///
/// Timestamps are RFC 3339 in UTC (`2020-08-28T03:52:47Z`) with as many digits of
/// a fraction as they need, dates `2020-08-28`, durations ISO 8601 (`P1DT2H`).
/// Bytes are text; those that are no UTF-8 are `\xff`. Lists and structs are
/// JSON. In JSON a float that is not finite is null, and integers and decimals
/// are numbers of any size.
///
/// # Errors
///
/// [`Error::Internal`], for what no frame should hold.
pub fn render(frame: &DataFrame, form: Form) -> Result<String> {
    match form {
        Form::Table => Ok(table::render(frame)),
        Form::Csv => csv::render(frame),
        Form::Json => Ok(json::array(frame)),
        Form::Ndjson => Ok(json::lines(frame)),
        Form::Markdown => Ok(markdown::render(frame)),
    }
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "the output of an answer", message: e.to_string() }
}

#[cfg(test)]
mod tests;
