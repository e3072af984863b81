//! Conditions of joins that Polars would take for others.
//!
//! Of `ON a.x = b.x AND b.y = 1` Polars 0.55 looks for the table of `1` by the
//! names of columns, and compares the `y` of the wrong one if both tables have it:
//! the rows are wrong, and nothing says so. Such a condition is refused here.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Select, visit_expressions,
};

use crate::{Error, Result};

/// Looks at the joins of a SELECT.
///
/// # Errors
/// [`Error::Sql`] for a condition `=` that does not compare two tables.
pub(super) fn check(select: &Select) -> Result<()> {
    let joins = select.from.iter().flat_map(|from| &from.joins);
    joins.filter_map(|join| condition(&join.join_operator)).try_for_each(of_two_tables)
}

fn condition(join: &JoinOperator) -> Option<&Expr> {
    use JoinOperator as J;
    let constraint = match join {
        J::Join(on)
        | J::Inner(on)
        | J::Left(on)
        | J::LeftOuter(on)
        | J::Right(on)
        | J::RightOuter(on)
        | J::FullOuter(on)
        | J::Semi(on)
        | J::LeftSemi(on)
        | J::RightSemi(on)
        | J::Anti(on)
        | J::LeftAnti(on)
        | J::RightAnti(on) => on,
        _ => return None,
    };
    match constraint {
        JoinConstraint::On(condition) => Some(condition),
        _ => None,
    }
}

fn of_two_tables(condition: &Expr) -> Result<()> {
    match condition {
        Expr::Nested(inner) => of_two_tables(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            of_two_tables(left)?;
            of_two_tables(right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (a, b) = (tables(left), tables(right));
            match a.is_empty() || b.is_empty() || (a == b && a.len() == 1 && !a.contains("")) {
                false => Ok(()),
                true => Err(Error::Sql(format!(
                    "ON {condition}: a condition of a join has to compare columns of both \
                     tables; put this one into WHERE, or join (SELECT … WHERE …)"
                ))),
            }
        }
        _ => Ok(()),
    }
}

/// The tables that an expression names by its columns; the empty name for a column
/// that names none.
fn tables(expr: &Expr) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    let note = |expr: &Expr| {
        match expr {
            Expr::Identifier(_) => _ = tables.insert(String::new()),
            Expr::CompoundIdentifier(parts) => {
                tables.extend(parts.first().map(|table| table.value.clone()));
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    };
    _ = visit_expressions(expr, note);
    tables
}
