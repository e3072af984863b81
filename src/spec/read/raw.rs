//! The mirror of a transforms file: its keys with their places, unchecked.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeTable;

use super::found::{Found, Span};
use super::literal::Literal;
use super::reader::Reader;
use crate::spec::RangeBound;

pub(super) const SPEC_KEYS: [&str; 11] = [
    "version",
    "table",
    "description",
    "topics",
    "unknown",
    "fields",
    "ignore",
    "partition_by",
    "unique_by",
    "column",
    "example",
];

pub(super) const COLUMN_KEYS: [&str; 22] = [
    "name",
    "type",
    "comment",
    "field",
    "array",
    "concat",
    "separator",
    "constant",
    "sql",
    "trim",
    "null_values",
    "null_patterns",
    "strip_prefix",
    "strip_suffix",
    "replace",
    "suffixes",
    "formats",
    "required",
    "range",
    "allowed",
    "on_error",
    "hidden",
];

type Text = Option<Spanned<String>>;
type Texts = Vec<Spanned<String>>;

/// A file.
pub(super) struct RawSpec {
    pub(super) version: Option<Spanned<i64>>,
    pub(super) table: Text,
    pub(super) description: Text,
    pub(super) topics: Texts,
    pub(super) unknown: Text,
    pub(super) fields: Texts,
    pub(super) ignore: Texts,
    pub(super) partition_by: Texts,
    pub(super) unique_by: Texts,
    pub(super) columns: Vec<RawColumn>,
    pub(super) examples: Vec<RawExample>,
}

/// A `[[column]]`.
pub(super) struct RawColumn {
    pub(super) span: Span,
    pub(super) keys: BTreeMap<String, Span>,
    pub(super) name: Text,
    pub(super) ty: Text,
    pub(super) comment: Text,
    pub(super) field: Texts,
    pub(super) array: Texts,
    pub(super) concat: Texts,
    pub(super) separator: Text,
    pub(super) constant: Option<Spanned<Literal>>,
    pub(super) sql: Text,
    pub(super) trim: bool,
    pub(super) null_values: Texts,
    pub(super) null_patterns: Texts,
    pub(super) strip_prefix: Text,
    pub(super) strip_suffix: Text,
    pub(super) replace: Vec<RawReplace>,
    pub(super) suffixes: Vec<(Spanned<String>, Spanned<i64>)>,
    pub(super) formats: Texts,
    pub(super) required: bool,
    pub(super) range: Option<RawRange>,
    pub(super) allowed: Vec<Spanned<Literal>>,
    pub(super) on_error: Text,
    pub(super) hidden: bool,
}

/// An element of `replace`.
pub(super) struct RawReplace {
    pub(super) pattern: Text,
    pub(super) with: Text,
}

/// A `range`.
pub(super) struct RawRange {
    pub(super) span: Span,
    pub(super) min: Option<Spanned<RangeBound>>,
    pub(super) max: Option<Spanned<RangeBound>>,
}

/// An `[[example]]`.
pub(super) struct RawExample {
    pub(super) span: Span,
    pub(super) keys: BTreeMap<String, Span>,
    pub(super) name: Text,
    pub(super) input: Text,
    pub(super) output: Vec<(Spanned<String>, Spanned<Literal>)>,
    pub(super) nulls: Texts,
    pub(super) reject: Option<RawReject>,
}

/// A `reject`.
pub(super) struct RawReject {
    pub(super) code: Text,
    pub(super) column: Text,
}

impl RawSpec {
    /// Mirrors a file, reporting unknown keys, missing keys and wrong types.
    pub(super) fn read(table: &DeTable<'_>, found: &mut Found) -> RawSpec {
        let reader = Reader::new(table, 0..0, &SPEC_KEYS, found);
        for key in ["version", "table", "topics", "column"] {
            reader.require(key, found);
        }
        let columns = reader.tables("column", found);
        let examples = reader.tables("example", found);
        RawSpec {
            version: reader.integer("version", found),
            table: reader.string("table", found),
            description: reader.string("description", found),
            topics: reader.strings("topics", found),
            unknown: reader.string("unknown", found),
            fields: reader.strings("fields", found),
            ignore: reader.strings("ignore", found),
            partition_by: reader.strings("partition_by", found),
            unique_by: reader.strings("unique_by", found),
            columns: columns.into_iter().map(|(t, span)| RawColumn::read(t, span, found)).collect(),
            examples: examples
                .into_iter()
                .map(|(t, span)| RawExample::read(t, span, found))
                .collect(),
        }
    }
}

impl RawColumn {
    fn read(table: &DeTable<'_>, span: Span, found: &mut Found) -> RawColumn {
        let reader = Reader::new(table, span.clone(), &COLUMN_KEYS, found);
        reader.require("name", found);
        reader.require("type", found);
        let flag =
            |key, found: &mut Found| reader.bool(key, found).is_some_and(|value| *value.get_ref());
        RawColumn {
            name: reader.string("name", found),
            ty: reader.string("type", found),
            comment: reader.string("comment", found),
            field: reader.one_or_more("field", found),
            array: reader.strings("array", found),
            concat: reader.strings("concat", found),
            separator: reader.string("separator", found),
            constant: reader.literal("constant", found),
            sql: reader.string("sql", found),
            trim: flag("trim", found),
            null_values: reader.strings("null_values", found),
            null_patterns: reader.strings("null_patterns", found),
            strip_prefix: reader.string("strip_prefix", found),
            strip_suffix: reader.string("strip_suffix", found),
            replace: RawReplace::read_all(&reader, found),
            suffixes: suffixes(&reader, found),
            formats: reader.strings("formats", found),
            required: flag("required", found),
            range: RawRange::read(&reader, found),
            allowed: reader.list("allowed", found),
            on_error: reader.string("on_error", found),
            hidden: flag("hidden", found),
            keys: reader.keys(),
            span,
        }
    }
}

fn suffixes(reader: &Reader<'_, '_>, found: &mut Found) -> Vec<(Spanned<String>, Spanned<i64>)> {
    let Some((table, span)) = reader.table("suffixes", found) else { return Vec::new() };
    if table.is_empty() {
        found.add(&span, "`suffixes` is empty");
    }
    Reader::open(table, span).integers(found)
}

impl RawReplace {
    fn read_all(reader: &Reader<'_, '_>, found: &mut Found) -> Vec<RawReplace> {
        let tables = reader.tables("replace", found);
        tables.into_iter().map(|(table, span)| RawReplace::read(table, span, found)).collect()
    }

    fn read(table: &DeTable<'_>, span: Span, found: &mut Found) -> RawReplace {
        let reader = Reader::new(table, span, &["pattern", "with"], found);
        reader.require("pattern", found);
        reader.require("with", found);
        RawReplace { pattern: reader.string("pattern", found), with: reader.string("with", found) }
    }
}

impl RawRange {
    fn read(reader: &Reader<'_, '_>, found: &mut Found) -> Option<RawRange> {
        let (table, span) = reader.table("range", found)?;
        let reader = Reader::new(table, span.clone(), &["min", "max"], found);
        Some(RawRange { min: reader.number("min", found), max: reader.number("max", found), span })
    }
}

impl RawExample {
    fn read(table: &DeTable<'_>, span: Span, found: &mut Found) -> RawExample {
        let known = ["name", "input", "output", "nulls", "reject"];
        let reader = Reader::new(table, span.clone(), &known, found);
        reader.require("name", found);
        reader.require("input", found);
        let output = match reader.table("output", found) {
            Some((table, span)) => Reader::open(table, span).literals(found),
            None => Vec::new(),
        };
        RawExample {
            name: reader.string("name", found),
            input: reader.string("input", found),
            output,
            nulls: reader.strings("nulls", found),
            reject: RawReject::read(&reader, found),
            keys: reader.keys(),
            span,
        }
    }
}

impl RawReject {
    fn read(reader: &Reader<'_, '_>, found: &mut Found) -> Option<RawReject> {
        let (table, span) = reader.table("reject", found)?;
        let reader = Reader::new(table, span, &["code", "column"], found);
        reader.require("code", found);
        Some(RawReject {
            code: reader.string("code", found),
            column: reader.string("column", found),
        })
    }
}
