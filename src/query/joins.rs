//! Joins that Polars 0.55 would compute as something else, without a word. They are
//! refused here:
//!
//! - Of `ON a.x = b.x AND b.y = 1` it looks for the table of `1` by the names of columns,
//!   and compares the `y` of the wrong one if both tables have it.
//! - Of `LEFT JOIN b ON a.x = b.x AND a.y < b.y` it drops the rows of `a` for which the
//!   second condition fails, as if it stood in WHERE.
//! - Of `a JOIN b ON … JOIN c ON a.y = b.y` it compares the `y` of `c`.
//! - Where rows of one table have no partner, `USING` gives the key of the other, which is
//!   null, and a later `USING` joins by that null.
//! - Of `a NATURAL LEFT JOIN b` it gives `a.k` where `b.k` is asked.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr, JoinConstraint, JoinOperator, Select, TableFactor};

use super::visit;
use crate::{Error, Result};

/// Looks at the joins of a SELECT.
///
/// # Errors
/// [`Error::Sql`] for a condition `=` that does not compare a column of the table that
/// is joined with one of those before it, and for any other where rows without a
/// partner count; for `USING` where these have their key from the other table; for
/// `NATURAL`.
pub(super) fn check(select: &Select) -> Result<()> {
    for from in &select.from {
        let mut before = vec![name(&from.relation)];
        let mut without_left = false;
        for join in &from.joins {
            let joined = name(&join.relation);
            without_left |= keeps_right(&join.join_operator);
            if let Some((constraint, inner)) = constraint(&join.join_operator) {
                let sides = Sides { before: &before, joined, inner, without_left };
                sides.check(&join.join_operator, constraint)?;
            }
            before.push(joined);
        }
    }
    Ok(())
}

/// Lets the table that stands first in FROM be named first in each `=` between two:
/// where both have columns of these names, Polars goes by that.
pub(super) fn put_in_order(select: &mut Select) {
    let tables = select.from.iter().flat_map(|from| {
        let joined = from.joins.iter().map(|join| &join.relation);
        std::iter::once(&from.relation).chain(joined)
    });
    let tables: Vec<String> = tables.map(|table| name(table).unwrap_or("").to_owned()).collect();
    for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
        if let Some(JoinConstraint::On(condition)) = constraint_mut(&mut join.join_operator) {
            put_equal_in_order(condition, &tables);
        }
    }
    if let (Some(condition), [_, _, ..]) = (&mut select.selection, select.from.as_slice()) {
        put_equal_in_order(condition, &tables);
    }
}

fn put_equal_in_order(condition: &mut Expr, order: &[String]) {
    match condition {
        Expr::Nested(part) => put_equal_in_order(part, order),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            put_equal_in_order(left, order);
            put_equal_in_order(right, order);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let last = |expr: &Expr| {
                let places = tables(expr)
                    .into_iter()
                    .map(|name| order.iter().position(|table| !name.is_empty() && *table == name));
                places.collect::<Option<BTreeSet<_>>>()?.pop_last()
            };
            if let (Some(first), Some(second)) = (last(left), last(right))
                && first > second
            {
                std::mem::swap(left, right);
            }
        }
        _ => {}
    }
}

/// What a table is called in a SELECT; nothing for what has no one name.
pub(super) fn name(table: &TableFactor) -> Option<&str> {
    let alias = match table {
        TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => alias,
        _ => return None,
    };
    match (alias, table) {
        (Some(alias), _) => Some(&alias.name.value),
        (None, TableFactor::Table { name, .. }) => {
            name.0.last()?.as_ident().map(|ident| ident.value.as_str())
        }
        _ => None,
    }
}

/// What a join goes by, and whether it only joins rows that have a partner.
pub(super) fn constraint(join: &JoinOperator) -> Option<(&JoinConstraint, bool)> {
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

fn constraint_mut(join: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    use JoinOperator as J;
    match join {
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
        | J::RightAnti(on) => Some(on),
        _ => None,
    }
}

/// Whether a join keeps rows of the joined table that have no partner.
fn keeps_right(join: &JoinOperator) -> bool {
    use JoinOperator as J;
    matches!(join, J::Right(_) | J::RightOuter(_) | J::FullOuter(_))
}

/// What is joined.
struct Sides<'a> {
    /// The names of the tables before it; nothing for one without.
    before: &'a [Option<&'a str>],
    /// The name of the table that is joined.
    joined: Option<&'a str>,
    /// Whether only rows with a partner count.
    inner: bool,
    /// Whether there are rows without the first table, after this join.
    without_left: bool,
}

impl Sides<'_> {
    fn check(&self, join: &JoinOperator, constraint: &JoinConstraint) -> Result<()> {
        use JoinOperator as J;
        if matches!(join, J::RightSemi(_) | J::RightAnti(_)) {
            return Err(Error::Sql(
                "a RIGHT SEMI or RIGHT ANTI JOIN goes the other way round only: FROM b SEMI JOIN a"
                    .to_owned(),
            ));
        }
        match constraint {
            JoinConstraint::On(condition) => self.sound(condition),
            JoinConstraint::Natural => Err(Error::Sql(
                "NATURAL JOIN is not supported: name the columns that both tables share, as JOIN \
                 b USING (key)"
                    .to_owned(),
            )),
            JoinConstraint::Using(_) if self.without_left => Err(Error::Sql(
                "a RIGHT or FULL JOIN, and all after it, goes by ON only: say ON a.key = b.key, \
                 and COALESCE(a.key, b.key) for the key"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn sound(&self, condition: &Expr) -> Result<()> {
        use BinaryOperator as Op;
        let problem = match condition {
            Expr::Nested(part) => return self.sound(part),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                return self.sound(left).and_then(|()| self.sound(right));
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let (left, right) = (tables(left), tables(right));
                match (compares_two(&left, &right), self.joins(&left, &right)) {
                    (true, true) => return Ok(()),
                    (true, false) => {
                        "a condition of a join has to compare the table that is joined, on one \
                         side, with those before it, on the other; put this one into WHERE"
                    }
                    (false, _) => {
                        "a condition of a join has to compare columns of both tables; put this \
                         one into WHERE, or join (SELECT … WHERE …)"
                    }
                }
            }
            Expr::BinaryOp { op: Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::NotEq, .. }
                if self.inner =>
            {
                return Ok(());
            }
            _ if self.inner => "ON takes only comparisons, joined by AND; put this one into WHERE",
            _ => {
                "only an inner join can have a condition other than =; join first, and say the \
                 rest in WHERE or in the SELECT"
            }
        };
        Err(Error::Sql(format!("ON {condition}: {problem}")))
    }

    /// Whether one of these is the table that is joined, and the other those before
    /// it, or may be.
    fn joins(&self, a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
        let Some(joined) = self.joined else { return true };
        let new =
            |names: &BTreeSet<String>| names.iter().all(|name| name.is_empty() || name == joined);
        let old = |names: &BTreeSet<String>| {
            let known = |name: &String| self.before.contains(&Some(name));
            self.before.contains(&None)
                || names.iter().all(|name| name.is_empty() || (known(name) && name != joined))
        };
        (new(a) && old(b)) || (old(a) && new(b))
    }
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
    let mut note = |expr: &Expr| {
        match expr {
            Expr::Identifier(_) => _ = tables.insert(String::new()),
            Expr::CompoundIdentifier(parts) => {
                tables.extend(parts.first().map(|table| table.value.clone()));
            }
            _ => {}
        }
        false
    };
    visit::any_expression(expr, &mut note);
    tables
}
