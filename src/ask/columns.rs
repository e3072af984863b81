//! Whether a text is one question, and the columns of its answer, as far as the
//! text alone tells.

use sqlparser::ast::{Expr, Query, SelectItem, SetExpr, Statement};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};

/// Reads one query; the names of its columns, if it names them all.
///
/// # Errors
/// Why it is not one, in words, which may end with ` at Line: 3, Column: 5`.
pub(super) fn of(sql: &str) -> Result<Option<Vec<String>>, String> {
    // As Polars reads it.
    let options = ParserOptions { trailing_commas: true, ..Default::default() };
    let parsed = Parser::new(&GenericDialect).with_options(options).try_with_sql(sql);
    let statements = parsed.and_then(|mut parser| parser.parse_statements());
    match statements.map_err(words)?.as_slice() {
        [Statement::Query(query)] => Ok(names(query)),
        [_] => Err("a question is one SELECT".to_owned()),
        several => Err(format!("a question is one SELECT, not {} statements", several.len())),
    }
}

fn words(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(words) | ParserError::ParserError(words) => words,
        ParserError::RecursionLimitExceeded => "this is nested too deeply".to_owned(),
    }
}

fn names(query: &Query) -> Option<Vec<String>> {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => return select.projection.iter().map(name).collect(),
            SetExpr::Query(query) => return names(query),
            SetExpr::SetOperation { left, .. } => body = left,
            _ => return None,
        }
    }
}

fn name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
            names.last().map(|name| name.value.clone())
        }
        _ => None,
    }
}
