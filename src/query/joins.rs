//! Conditions of joins that Polars would take for others.
//!
//! Of `ON a.x = b.x AND b.y = 1` Polars 0.55 looks for the table of `1` by the
//! names of columns, and compares the `y` of the wrong one if both tables have it.
//! And of `LEFT JOIN b ON a.x = b.x AND a.y < b.y` it drops the rows of `a` for which
//! the second condition fails, as if it stood in WHERE. The rows are wrong, and
//! nothing says so. Such conditions are refused here.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Select, visit_expressions,
};

use crate::{Error, Result};

/// Looks at the joins of a SELECT.
///
/// # Errors
/// [`Error::Sql`] for a condition `=` that does not compare two tables, and for any
/// other where rows without a partner count.
pub(super) fn check(select: &Select) -> Result<()> {
    let mut joins = select.from.iter().flat_map(|from| &from.joins);
    joins.try_for_each(|join| match constraint(&join.join_operator) {
        Some((JoinConstraint::On(condition), inner)) => sound(condition, inner),
        _ => Ok(()),
    })
}

/// What a join goes by, and whether it only joins rows that have a partner.
fn constraint(join: &JoinOperator) -> Option<(&JoinConstraint, bool)> {
    use JoinOperator as J;
    Some(match join {
        J::Join(on) | J::Inner(on) => (on, true),
        J::Left(on)
        | J::LeftOuter(on)
        | J::Right(on)
        | J::RightOuter(on)
        | J::FullOuter(on)
        | J::Semi(on)
        | J::LeftSemi(on)
        | J::RightSemi(on)
        | J::Anti(on)
        | J::LeftAnti(on)
        | J::RightAnti(on) => (on, false),
        _ => return None,
    })
}

fn sound(condition: &Expr, inner: bool) -> Result<()> {
    let problem = match condition {
        Expr::Nested(part) => return sound(part, inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            return sound(left, inner).and_then(|()| sound(right, inner));
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            match compares_two(&tables(left), &tables(right)) {
                true => return Ok(()),
                false => {
                    "a condition of a join has to compare columns of both tables; put this one \
                     into WHERE, or join (SELECT … WHERE …)"
                }
            }
        }
        _ if inner => return Ok(()),
        _ => {
            "only an inner join can have a condition other than =; join first, and say the rest \
             in WHERE or in the SELECT"
        }
    };
    Err(Error::Sql(format!("ON {condition}: {problem}")))
}

/// Whether these are two tables, or may be.
fn compares_two(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let one = a == b && a.len() == 1 && !a.contains("");
    !a.is_empty() && !b.is_empty() && !one
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
