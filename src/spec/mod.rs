//! Transforms: the cleaning of one table as data.
//!
//! A [`Spec`] is valid by construction: [`parse()`] is the only door, and it
//! reports every problem with file, line and column. `transforms/README.md` is
//! the grammar.

use std::fmt;

use globset::GlobMatcher;
use regex::Regex;

mod problem;
pub(crate) mod read;
pub mod time;
pub mod expr;
pub mod kernel;
mod list;
pub mod note;
mod range;

pub use problem::{Problem, Problems};
pub use range::{Range, RangeBound};
pub use read::{DEFAULTS, hash_all, load, parse, parse_files};

/// The column of a table that keeps unknown fields, after those of the spec:
/// their JSON text.
pub const RESCUED: &str = "_rescued";

/// Column of a table with [`Spec::unique_by`]: the topic of the row's record.
pub const KAFKA_TOPIC: &str = "_kafka_topic";
/// Column of a table with [`Spec::unique_by`]: its Kafka partition, an int32.
pub const KAFKA_PARTITION: &str = "_kafka_partition";
/// Column of a table with [`Spec::unique_by`]: its Kafka offset, an int64.
pub const KAFKA_OFFSET: &str = "_kafka_offset";

/// Names that no column of a transforms file has, in whatever case: they are
/// those of columns that pinclean adds.
pub const RESERVED: [&str; 4] = [RESCUED, KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET];

/// The cleaning of one table.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The table's name: `[a-z][a-z0-9_-]*`, also its folder below the output.
    pub table: String,
    /// What the table holds, for readers.
    pub description: String,
    /// Globs over topic names.
    pub topics: Vec<TopicGlob>,
    /// The output columns, in order.
    pub columns: Vec<Column>,
    /// What becomes of fields that no column reads.
    pub unknown: Unknown,
    /// Fields that no column reads and that are known all the same: neither
    /// counted nor kept.
    pub ignore: Vec<String>,
    /// Columns by whose values the rows are divided into folders, outermost
    /// first. Written columns of a type but float64 and lists; never all.
    pub partition_by: Vec<String>,
    /// Columns of which each combination of values is kept once: in the row of
    /// the record that is the latest by topic, Kafka partition and offset. A row
    /// with a null among them is always kept. Written columns of a type but
    /// float64 and lists; empty to keep all rows.
    pub unique_by: Vec<String>,
    /// The JSON fields that are read, derived from the columns.
    pub slots: Vec<Slot>,
    /// Inputs and what they must become.
    pub examples: Vec<Example>,
    /// SHA-256 of the transforms file's text, in hex.
    pub hash: String,
    /// The file that the spec came from, for messages.
    pub file: String,
}

/// Whether a table can have this name: `[a-z][a-z0-9_-]*`.
pub fn is_table_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(legal)
}

/// A glob over topic names, such as `*.pin`.
#[derive(Debug, Clone)]
pub struct TopicGlob {
    /// As written.
    pub pattern: String,
    /// Compiled.
    pub matcher: GlobMatcher,
}

/// What becomes of fields that no column reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Count them by name in the report.
    Count,
    /// Keep them, as JSON text in a column `_rescued` after those of the spec.
    Keep,
}

/// One output column.
#[derive(Debug, Clone)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it says, for readers.
    pub comment: String,
    /// Where its values come from.
    pub source: Source,
    /// Whether null is a reject.
    pub required: bool,
    /// Bounds of numbers, inclusive.
    pub range: Option<Range>,
    /// The only values allowed, as text; empty for any.
    pub allowed: Vec<String>,
    /// What becomes of a row whose value is wrong.
    pub on_error: OnError,
    /// Whether the column only serves `sql` columns and is not written.
    pub hidden: bool,
}

/// Where a column's values come from. Numbers index [`Spec::slots`].
#[derive(Debug, Clone)]
pub enum Source {
    /// One field.
    Field {
        /// The slot.
        slot: usize,
        /// What is done to its text; for a list, formats of its elements only.
        rules: TextRules,
    },
    /// An array of fields, one element each; a null element stays.
    Array {
        /// The slots, in order.
        slots: Vec<usize>,
        /// What is done to each element's text.
        rules: TextRules,
    },
    /// Text joined from fields; null if one of them is null, as in Spark.
    Concat {
        /// The slots, in order.
        slots: Vec<usize>,
        /// What stands between the parts.
        separator: String,
        /// What is done to each part's text.
        rules: TextRules,
    },
    /// The same value in every row, as text of the column's type.
    Constant(String),
    /// A Polars SQL expression over other columns of the spec, and fields.
    Sql {
        /// The expression.
        sql: String,
        /// Fields that it names and that are no column: slot and name.
        fields: Vec<(usize, String)>,
        /// Columns that it names.
        columns: Vec<String>,
    },
}

impl Source {
    /// The slots that it reads.
    pub fn slots(&self) -> Vec<usize> {
        match self {
            Source::Field { slot, .. } => vec![*slot],
            Source::Array { slots, .. } | Source::Concat { slots, .. } => slots.clone(),
            Source::Constant(_) => Vec::new(),
            Source::Sql { fields, .. } => fields.iter().map(|(slot, _)| *slot).collect(),
        }
    }

    /// What is done to its text.
    pub fn rules(&self) -> Option<&TextRules> {
        match self {
            Source::Field { rules, .. }
            | Source::Array { rules, .. }
            | Source::Concat { rules, .. } => Some(rules),
            Source::Constant(_) | Source::Sql { .. } => None,
        }
    }
}

/// What is done to a text before it becomes a value, in this order: trim,
/// null values, strip, replace, parse.
#[derive(Debug, Clone, Default)]
pub struct TextRules {
    /// Remove white space at both ends.
    pub trim: bool,
    /// Texts that mean null.
    pub null_values: Vec<String>,
    /// Patterns of texts that mean null; they match the whole text.
    pub null_patterns: Vec<Regex>,
    /// Removed once from the start, if there.
    pub strip_prefix: Option<String>,
    /// Removed once from the end, if there.
    pub strip_suffix: Option<String>,
    /// Replaced everywhere, in order.
    pub replace: Vec<Replace>,
    /// Number suffixes and what they multiply by, longest first.
    pub suffixes: Vec<Suffix>,
    /// Formats of timestamps and dates, tried in order.
    pub formats: Vec<TimeFormat>,
}

impl TextRules {
    /// Whether the text becomes a value as it is.
    pub fn is_plain(&self) -> bool {
        self.only_null_values() && self.null_values.is_empty()
    }

    /// Whether the text becomes a value as it is, unless it is one of the texts
    /// that mean null.
    pub fn only_null_values(&self) -> bool {
        !self.trim
            && self.null_patterns.is_empty()
            && self.strip_prefix.is_none()
            && self.strip_suffix.is_none()
            && self.replace.is_empty()
            && self.suffixes.is_empty()
            && self.formats.is_empty()
    }
}

/// A replacement in text.
#[derive(Debug, Clone)]
pub struct Replace {
    /// What is replaced.
    pub pattern: Regex,
    /// By what; `$1` is a group.
    pub with: String,
}

/// A number suffix, such as `k`.
#[derive(Debug, Clone, PartialEq)]
pub struct Suffix {
    /// The text, matched exactly.
    pub text: String,
    /// What the number before it is multiplied by.
    pub factor: i64,
}

/// How a timestamp or date is spelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// A chrono `strftime` pattern, checked.
    Pattern(String),
    /// Seconds since 1970-01-01T00:00:00Z.
    EpochSeconds,
    /// Milliseconds since then.
    EpochMillis,
    /// Microseconds since then.
    EpochMicros,
    /// Days since 1970-01-01; for dates.
    EpochDays,
}

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// One value.
    Scalar(Scalar),
    /// A list of values.
    List(Scalar),
}

/// The type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
    /// IEEE double, finite.
    Float64,
    /// UTF-8.
    String,
    /// True or false.
    Bool,
    /// Microseconds, UTC.
    Timestamp,
    /// Days.
    Date,
}

impl Scalar {
    /// All of them.
    pub const ALL: [Scalar; 7] = [
        Scalar::Int32,
        Scalar::Int64,
        Scalar::Float64,
        Scalar::String,
        Scalar::Bool,
        Scalar::Timestamp,
        Scalar::Date,
    ];
}

impl Type {
    /// All of them: the scalars, then the lists of these.
    pub fn all() -> impl Iterator<Item = Type> {
        Scalar::ALL.into_iter().map(Type::Scalar).chain(Scalar::ALL.into_iter().map(Type::List))
    }

    /// The type of a name, such as `list<string>`.
    pub fn named(name: &str) -> Option<Type> {
        Type::all().find(|ty| ty.to_string() == name)
    }

    /// The type of the value, or of the list's elements.
    pub fn scalar(self) -> Scalar {
        match self {
            Type::Scalar(scalar) | Type::List(scalar) => scalar,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scalar::Int32 => "int32",
            Scalar::Int64 => "int64",
            Scalar::Float64 => "float64",
            Scalar::String => "string",
            Scalar::Bool => "bool",
            Scalar::Timestamp => "timestamp",
            Scalar::Date => "date",
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Scalar(s) => s.fmt(f),
            Type::List(s) => write!(f, "list<{s}>"),
        }
    }
}

/// What becomes of a row whose value is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The record goes to the quarantine.
    #[default]
    Quarantine,
    /// The value becomes null, and is counted; the row stays.
    Null,
    /// The run fails, and commits nothing.
    Fail,
}

/// One JSON field that is read, and how. Two columns that read the same field
/// in the same way share a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The field's names: the first that is present and not null counts.
    pub names: Vec<String>,
    /// What the decoder makes of it.
    pub wire: Wire,
    /// Texts that are null, if the decoder compares them: only for a number or a
    /// bool whose column has no other text rule. The order is that of the rules.
    pub nulls: Vec<String>,
}

/// What the decoder makes of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Text: strings unescaped; numbers, `true` and `false` as written;
    /// arrays and objects are a fault.
    Text,
    /// A 64-bit integer; from a number, or a string that is one.
    Int,
    /// A finite double; from a number, or a string that is one.
    Float,
    /// True or false; from a JSON boolean, a number that is 0 or 1, or a string
    /// that is one of these.
    Bool,
    /// The JSON text of an array; anything else is a fault.
    Array,
}

/// An input and what it must become; run by `pinclean check`.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// One JSON record.
    pub input: String,
    /// What it must become.
    pub expect: Expect,
    /// Where it stands: line, from 1.
    pub line: usize,
}

/// What an example's input must become.
#[derive(Debug, Clone)]
pub enum Expect {
    /// A row with these values, at least; as JSON.
    Row(Vec<(String, serde_json::Value)>),
    /// A reject with this code, of this column if one is named.
    Reject {
        /// The reject code.
        code: String,
        /// The column.
        column: Option<String>,
    },
}
