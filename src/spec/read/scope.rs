//! The names that a file defines and may use.

use std::collections::BTreeSet;

use toml::Spanned;

use super::found::Found;
use super::raw::{RawColumn, RawSpec};
use crate::near::hint;
use crate::spec::{RESCUED, RESERVED, Type};

/// A column that the file defines, sound or not.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) ty: Option<Type>,
    pub(super) is_sql: bool,
    pub(super) hidden: bool,
}

/// The names that a file defines.
pub(super) struct Scope {
    /// One a `[[column]]`, in order; an empty name if it has none.
    pub(super) columns: Vec<Known>,
    /// Fields that columns read, and those that `fields` lists.
    pub(super) fields: BTreeSet<String>,
}

impl Scope {
    /// Collects the names, reporting names and types that cannot be.
    pub(super) fn of(raw: &RawSpec, found: &mut Found) -> Scope {
        let mut columns: Vec<Known> = Vec::new();
        for column in &raw.columns {
            let name = column.name.as_ref().map_or("", |name| name.get_ref().as_str());
            if let Some(span) = column.name.as_ref().map(Spanned::span)
                && let Some(message) = name_problem(name, &columns)
            {
                found.add(&span, message);
            }
            columns.push(Known {
                name: name.to_owned(),
                ty: column.ty.as_ref().and_then(|ty| parse_type(ty, found)),
                is_sql: column.keys.contains_key("sql"),
                hidden: column.hidden,
            });
        }
        let read = raw.columns.iter().flat_map(read_fields).chain(&raw.fields);
        let fields = read.map(|field| field.get_ref().clone()).collect();
        Scope { columns, fields }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The names of the columns that are written.
    pub(super) fn written(&self) -> Vec<&str> {
        let written =
            self.columns.iter().filter(|column| !column.hidden && !column.name.is_empty());
        written.map(|column| column.name.as_str()).collect()
    }
}

/// The fields that a column names as its source.
pub(super) fn read_fields(column: &RawColumn) -> impl Iterator<Item = &Spanned<String>> {
    column.field.iter().chain(&column.array).chain(&column.concat)
}

fn name_problem(name: &str, above: &[Known]) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(legal) || name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty()
    {
        return Some(format!("`{name}` is no column name: use letters, digits and `_`"));
    }
    if let Some(reserved) = RESERVED.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Some(match reserved {
            RESCUED => format!("`{RESCUED}` is the column of the unknown fields that are kept"),
            _ => format!("`{reserved}` is a column that `unique_by` adds"),
        });
    }
    // Query engines and Delta take names that differ only in case for one.
    let twin = above.iter().find(|known| known.name.eq_ignore_ascii_case(name))?;
    Some(match twin.name == name {
        true => format!("there is a column `{name}` already"),
        false => format!("`{name}` differs from column `{}` only in case", twin.name),
    })
}

fn parse_type(text: &Spanned<String>, found: &mut Found) -> Option<Type> {
    let name = text.get_ref().as_str();
    let parsed = Type::named(name);
    if parsed.is_none() {
        let all: Vec<_> = Type::all().map(|ty| ty.to_string()).collect();
        let hint = hint(name, all.iter().map(String::as_str));
        found.add(&text.span(), format!("unknown type `{name}`{hint}"));
    }
    parsed
}
