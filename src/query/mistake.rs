//! What Polars says of SQL → what its author can do.

use std::collections::BTreeSet;
use std::sync::Arc;

use polars::error::PolarsError;
use polars::sql::keywords::all_functions;

use super::view::View;
use crate::near::near;
use crate::{Error, Result};

/// The most that is shown of what Polars says, in characters: it prints whole
/// syntax trees.
const BRIEF: usize = 300;

/// The error for SQL that Polars refused or could not compute, over these views.
pub(super) fn mistake(error: &PolarsError, views: &[Arc<View>]) -> Error {
    let text = innermost(error);
    let known = unknown_column(&text).and_then(|name| column(name, &text, views));
    let known = known.or_else(|| of_one_table(&text, views));
    let known = known.or_else(|| unknown_function(&text)).or_else(|| twice(&text));
    let known =
        known.or_else(|| too_early(&text)).or_else(|| of_groups(&text)).or_else(|| subquery(&text));
    Error::Sql(known.unwrap_or_else(|| brief(&text)))
}

/// # Errors
/// [`Error::Sql`] for a column that none of the tables has.
pub(super) fn excluded(names: &BTreeSet<String>, views: &[Arc<View>]) -> Result<()> {
    let has = |view: &Arc<View>, name: &str| view.schema.field_with_name(name).is_ok();
    match names.iter().find(|name| !views.iter().any(|view| has(view, name))) {
        Some(name) => Err(Error::Sql(column(name, "", views).unwrap_or_default())),
        None => Ok(()),
    }
}

/// What Polars says, without where in its plan it came to it.
fn innermost(error: &PolarsError) -> String {
    match error {
        PolarsError::Context { error, .. } => innermost(error),
        PolarsError::ColumnNotFound(text)
        | PolarsError::ComputeError(text)
        | PolarsError::Duplicate(text)
        | PolarsError::InvalidOperation(text)
        | PolarsError::SchemaFieldNotFound(text)
        | PolarsError::SchemaMismatch(text)
        | PolarsError::ShapeMismatch(text)
        | PolarsError::SQLInterface(text)
        | PolarsError::SQLSyntax(text) => text.to_string(),
        error => error.to_string(),
    }
}

/// The column that Polars did not find, by its words.
fn unknown_column(text: &str) -> Option<&str> {
    let after = |start: &str, quote: char| {
        let rest = text.split_once(start)?.1;
        rest.strip_prefix(quote)?.split_once(quote).map(|(name, _)| name)
    };
    after("unable to find column ", '"').or_else(|| after("no column named ", '\'')).or_else(|| {
        let (name, rest) = text.strip_prefix('"')?.split_once('"')?;
        rest.trim_start().starts_with("not found").then_some(name)
    })
}

/// Says which column was probably meant, and which there are; nothing if the
/// tables have it, so that it is only out of reach where it stands.
fn column(name: &str, text: &str, views: &[Arc<View>]) -> Option<String> {
    let columns = |view: &View| -> Vec<String> {
        view.schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    // In the answer of a join, a column that the tables share is called by both.
    if let Some((name, table)) = name.split_once(':') {
        return Some(format!(
            "{table}.{name} cannot be used here: name it with AS in (SELECT …) or WITH first, and \
             use that name"
        ));
    }
    let of_tables: Vec<String> = views.iter().flat_map(|view| columns(view)).collect();
    let here = valid_columns(text);
    if of_tables.iter().any(|column| column == name) {
        return Some(match here.is_empty() {
            true => return None,
            false => format!(
                "the column {name} cannot be used here; those that can are {}",
                here.join(", ")
            ),
        });
    }
    let meant = near(name, of_tables.iter().chain(&here).map(String::as_str));
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let single = match views {
        [view] => format!(" in {}", view.name),
        _ => String::new(),
    };
    let all: Vec<String> = views
        .iter()
        .map(|view| format!("{} has {}", view.name, columns(view).join(", ")))
        .collect();
    let all = if all.is_empty() { String::new() } else { format!("\n{}", all.join("\n")) };
    Some(format!("there is no column {name}{single}{meant}{all}"))
}

/// The columns that Polars says there are at the place.
fn valid_columns(text: &str) -> Vec<String> {
    let list = text.split_once("valid columns: [").and_then(|(_, rest)| rest.split_once(']'));
    let list = list.map(|(list, _)| list).unwrap_or_default();
    let names = list.split(", ").map(|name| name.trim_matches('"').to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// The table that is named may be an alias; then all are told of.
fn of_one_table(text: &str, views: &[Arc<View>]) -> Option<String> {
    let (name, rest) = text.split_once("no column named '")?.1.split_once("' found in table '")?;
    let table = rest.split_once('\'')?.0;
    let one = views.iter().find(|view| view.name == table).map(std::slice::from_ref);
    let there = one.unwrap_or(views).iter().map(|view| {
        let columns = view.schema.fields().iter().map(|field| field.name().as_str());
        format!("\n{} has {}", view.name, columns.collect::<Vec<_>>().join(", "))
    });
    Some(format!("there is no column {name} in {table}{}", there.collect::<String>()))
}

fn unknown_function(text: &str) -> Option<String> {
    let name = text.split_once("unsupported function '")?.1.split_once('\'')?.0;
    // Polars knows the names of some functions that are not compiled in.
    let others = all_functions().into_iter().filter(|known| !known.eq_ignore_ascii_case(name));
    let meant = near(name, others);
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Some(format!("there is no function {name}{meant}"))
}

/// Polars calls `sum(n)` n, as it does `count(n)`.
fn twice(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("multiple fields with name '") {
        let name = rest.split_once('\'')?.0;
        return Some(format!(
            "ORDER BY in OVER has two keys called {name}: name them with AS in WITH or (SELECT …), \
             and order by the names"
        ));
    }
    let rest = text.split_once("duplicate output name '").or_else(|| {
        let rest = text.split_once("the name '")?;
        rest.1.ends_with("is duplicate").then_some(rest)
    });
    let name = rest?.1.split_once('\'')?.0;
    if text.contains("group_by keys") {
        return Some(format!(
            "GROUP BY has two keys called {name}: name them with AS in WITH or (SELECT …), and \
             group its rows"
        ));
    }
    Some(format!("two columns of the answer are called {name}: name them with AS"))
}

/// All tables that a query names are known to Polars by now.
fn too_early(text: &str) -> Option<String> {
    let name = text.split_once("relation '")?.1.strip_suffix("' was not found")?;
    Some(format!(
        "{name} is a name that WITH gives, and is not known where it is read here: put WITH in \
         front of the whole statement, and give it another name than a table's"
    ))
}

/// The first line, without syntax trees; and the last one if that says what is wrong.
fn brief(text: &str) -> String {
    let (first, last) = (text.lines().next(), text.lines().next_back());
    let line = match (first.unwrap_or_default().trim(), last.unwrap_or_default().trim()) {
        (first, last) if first.ends_with(':') && first != last => format!("{first} {last}"),
        (first, _) => first.to_owned(),
    };
    if let Some(kind) = line.strip_prefix("expression ") {
        let end = kind.find(|c: char| !c.is_alphanumeric()).unwrap_or(kind.len());
        return format!("expressions of this kind are not supported: {}", &kind[..end]);
    }
    let line = match tree(&line) {
        Some(tree) => {
            let said = line[..tree].trim_end_matches([' ', ':', '(', '[', '`', '"']);
            said.trim_end_matches("; found").to_owned()
        }
        None => line,
    };
    match line.char_indices().nth(BRIEF) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Where a syntax tree begins, such as `Identifier(Ident { value: …`.
fn tree(line: &str) -> Option<usize> {
    let inner = [" {", "(Ident", "(Value", "(Expr", "(Select", "(Function", "(Some", "Some("];
    let inner = inner.iter().filter_map(|inner| line.find(inner)).min()?;
    // It begins with a name; of several in one another, with the first.
    let word = |c: char| c.is_alphanumeric() || "({".contains(c);
    Some(line[..inner].rfind(|c| !word(c)).map_or(0, |before| before + 1))
}

fn subquery(text: &str) -> Option<String> {
    let misplaced = ["unexpected subquery", "subquery comparisons with"];
    misplaced.iter().any(|start| text.starts_with(start)).then(|| {
        "a subquery cannot stand here, but after IN; for a single value, CROSS JOIN (SELECT …) AS x"
            .to_owned()
    })
}

/// Polars has a list where one value for each group is expected.
fn of_groups(text: &str) -> Option<String> {
    text.starts_with("cannot cast List type").then(|| {
        "HAVING takes only aggregates, such as COUNT(*) > 1: what is asked of a column of GROUP \
         BY goes into WHERE"
            .to_owned()
    })
}
