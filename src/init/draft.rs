//! A sample → the text of a transforms file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::field::{FIELDS, Field, Fields};
use super::guess::{Guess, guess};
use super::placeholder::looks_empty;
use super::quote::{quote, quote_all, quote_json};
use super::records::Record;
use super::sample::Sample;
use super::seen::{left_out, seen};
use super::values::SUFFIXES;
use super::{names, records};
use crate::check::check;
use crate::key::Topic;
use crate::spec::{Problem, Spec, parse};
use crate::trial::{Row, Trial, rows};
use crate::{Error, Result};

/// A longer record makes no example that is read.
const EXAMPLE_BYTES: usize = 4096;

/// Records that are tried as the example.
const EXAMPLES: usize = 20;

/// A transforms file, and what it does to the sample.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The file.
    pub text: String,
    /// The table.
    pub table: String,
    /// How many columns it has.
    pub columns: usize,
    /// Records in the sample that become rows.
    pub rows: usize,
    /// Those that do not, by code and column.
    pub rejects: BTreeMap<String, u64>,
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Draft { table, columns, rows, rejects, .. } = self;
        let rejected: u64 = rejects.values().sum();
        let columns = counted(*columns, "column", "columns");
        let rows = counted(*rows, "record", "records");
        write!(f, "{table}: {columns}; takes {rows} of the sample, rejects {rejected}")
    }
}

/// Drafts the transforms file of a topic.
///
/// # Errors
/// [`Error::NothingMatched`] if the sample holds no record with a field that a
/// column can hold.
pub fn draft(topic: &Topic, sample: &Sample) -> Result<Draft> {
    let mut fields = Fields::new();
    let mut examples: Vec<(usize, String)> = Vec::new();
    records::each(&sample.lines, |record| {
        fields.add(record);
        if examples.len() < EXAMPLES && record.text.len() <= EXAMPLE_BYTES {
            examples.push((shows(record), record.text.to_owned()));
        }
    });
    examples.sort_by_key(|(shown, _)| Reverse(*shown));
    let body = body(topic, &fields);
    if body.columns == 0 {
        return Err(Error::NothingMatched {
            place: format!("topic {topic}"),
            found: format!("{} objects without a record that has fields", sample.objects),
        });
    }
    let spec = parse("the draft", &body.text()).map_err(unsound)?;
    let batch = Trial::new(&spec)?.run(&sample.lines)?;
    let mut rejects: BTreeMap<String, u64> = BTreeMap::new();
    for reject in &batch.rejects {
        let column = reject.column.as_ref().map(|name| format!(" in {name}"));
        *rejects.entry(format!("{}{}", reject.code, column.unwrap_or_default())).or_default() += 1;
    }
    let rows = batch.frame.height();
    let head = head(topic, sample, rows, &rejects);
    let plain = format!("{head}{}", body.text());
    let text = with_example(&plain, &spec, &examples)?.unwrap_or(plain);
    Ok(Draft { text, table: spec.table, columns: body.columns, rows, rejects })
}

/// How many values a record shows that are neither null nor look like it: an
/// example that a person goes on with shows many.
fn shows(record: &Record<'_>) -> usize {
    let blank = |json: &str| json == "null" || looks_empty(json.trim_matches('"'));
    record.fields.iter().filter(|(_, json)| !blank(json)).count()
}

fn unsound(problems: Vec<Problem>) -> Error {
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Error::Internal { stage: "init", message }
}

fn head(topic: &Topic, sample: &Sample, rows: usize, rejects: &BTreeMap<String, u64>) -> String {
    let objects = counted(sample.objects, "object", "objects");
    let directories = counted(sample.directories, "directory", "directories");
    let partitions = counted(sample.partitions, "Kafka partition", "Kafka partitions");
    let rows = counted(rows, "record becomes a row", "records become rows");
    let mut head = format!(
        "# A first draft for topic {topic}, from {objects}\n\
         # ({directories}, {partitions}).\n# With it {rows}"
    );
    if rejects.is_empty() {
        head.push_str(", and none is rejected.\n");
    } else {
        head.push_str("; these are rejected:\n");
        for (reason, count) in rejects {
            head.push_str(&format!("#   {count} {reason}\n"));
        }
    }
    head.push_str(
        "#\n# Look through it: what is commented out is a guess. Then run `pinclean check` on\n\
         # its folder.\n\n",
    );
    head
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The file without its head and its example.
struct Body {
    keys: String,
    columns: usize,
    sections: String,
}

impl Body {
    fn text(&self) -> String {
        format!("{}{}", self.keys, self.sections)
    }
}

fn body(topic: &Topic, fields: &Fields) -> Body {
    let mut taken = Vec::new();
    let mut sections = String::new();
    let mut left = Vec::new();
    for field in &fields.list {
        match guess(field) {
            Some(guess) => {
                let name = names::column(&field.name, &taken);
                sections.push_str(&column(&name, field, &guess, fields.records));
                taken.push(name);
            }
            None => left.push(left_out(field)),
        }
    }
    if fields.more {
        left.push(format!("fields beyond the first {FIELDS}"));
    }
    let (table, glob) = (quote(&names::table(topic)), quote(&names::glob(topic)));
    let mut keys = format!("version = 1\ntable = {table}\ntopics = [{glob}]\n");
    if left.is_empty() {
        keys.push_str("unknown = \"count\"\n");
    } else {
        keys.push_str("# No column can hold these; they are kept as JSON in a column _rescued:\n");
        for field in left {
            keys.push_str(&format!("#   {field}\n"));
        }
        keys.push_str("unknown = \"keep\"\n");
    }
    Body { keys, columns: taken.len(), sections }
}

fn column(name: &str, field: &Field, guess: &Guess, records: u64) -> String {
    let mut text = String::from("\n");
    for line in seen(field, guess, records) {
        text.push_str(&format!("# {line}\n"));
    }
    let (name, ty, field) = (quote(name), quote(&guess.ty.to_string()), quote(&field.name));
    text.push_str(&format!("[[column]]\nname = {name}\ntype = {ty}\nfield = {field}\n"));
    let all = |texts: &[String]| quote_all(texts.iter().map(String::as_str));
    if !guess.null_values.is_empty() {
        text.push_str(&format!("null_values = {}\n", all(&guess.null_values)));
    }
    if !guess.maybe_null.is_empty() {
        let nulls = [&guess.null_values[..], &guess.maybe_null].concat();
        text.push_str(&format!("# null_values = {}\n", all(&nulls)));
    }
    if guess.suffixes {
        let suffixes = SUFFIXES.map(|(suffix, factor)| format!("{suffix} = {factor}"));
        text.push_str(&format!("suffixes = {{ {} }}\n", suffixes.join(", ")));
    }
    if !guess.formats.is_empty() {
        text.push_str(&format!("formats = {}\n", quote_all(guess.formats.iter().copied())));
    }
    text
}

/// The file with the first of the records that makes an example which holds.
fn with_example(plain: &str, spec: &Spec, records: &[(usize, String)]) -> Result<Option<String>> {
    let mut trial = Trial::new(spec)?;
    for (_, record) in records {
        let batch = trial.run(record.as_bytes())?;
        let (rows, rejects) = (rows(&batch.frame), batch.rejects.len());
        let ([row], 0) = (rows.as_slice(), rejects) else { continue };
        let text = format!("{plain}{}", example(record, row));
        if parse("the draft", &text).is_ok_and(|spec| check(&[spec]).is_ok()) {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

fn example(record: &str, row: &Row) -> String {
    let output =
        row.iter().filter_map(|(name, value)| Some(format!("{name} = {}", literal(value)?)));
    let output: Vec<_> = output.collect();
    let nulls = row.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str());
    let nulls: Vec<_> = nulls.collect();
    let mut text = format!(
        "\n[[example]]\nname = \"a record of the sample\"\ninput = {}\n",
        quote_json(record)
    );
    if !output.is_empty() {
        text.push_str(&format!("output = {{ {} }}\n", output.join(", ")));
    }
    if !nulls.is_empty() {
        text.push_str(&format!("nulls = {}\n", quote_all(nulls)));
    }
    text
}

/// A value as TOML, which has no null: not for an array with one in it.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) => Some(quote(text)),
        Value::Array(values) => {
            let values: Option<Vec<_>> = values.iter().map(literal).collect();
            Some(format!("[{}]", values?.join(", ")))
        }
    }
}
