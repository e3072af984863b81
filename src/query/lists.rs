//! Elements of lists.
//!
//! SQL counts them from 1, and from -1 backwards; there is null past either end. Polars
//! 0.55 answers null too where the place is 0 or NULL. Whoever writes such a constant
//! counts from 0, and gets an error instead.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, Ident, ObjectName, Subscript, UnaryOperator, Value,
};

use super::rewrite::{arguments, call};
use super::{visit, windows};
use crate::{Error, Result};

/// Looks at `list[n]`, and rewrites `t.list[n]`, which Polars does not take, to
/// `ARRAY_GET(t.list, n)`.
///
/// # Errors
/// [`Error::Sql`] for a slice, and for a constant that is not a whole number, or is 0.
pub(super) fn subscript(expr: &mut Expr) -> Result<()> {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return Ok(()) };
    let [fields @ .., AccessExpr::Subscript(subscript)] = access_chain.as_slice() else {
        return Ok(());
    };
    let Some(list) = column(root, fields) else { return Ok(()) };
    let Subscript::Index { index } = subscript else {
        return Err(Error::Sql(format!(
            "{expr}: a part of a list is not supported; take its elements one by one, as {list}[1]"
        )));
    };
    check_place(&format!("{list}[{index}]"), &list, index)?;
    if !fields.is_empty() {
        *expr = call("ARRAY_GET", vec![list, index.clone()]);
    }
    Ok(())
}

/// What stands before a subscript: `tags`, or the parts of `p.tags`.
fn column(root: &Expr, fields: &[AccessExpr]) -> Option<Expr> {
    let Expr::Identifier(first) = root else {
        return fields.is_empty().then(|| root.clone());
    };
    let mut parts = vec![first.clone()];
    for field in fields {
        match field {
            AccessExpr::Dot(Expr::Identifier(part)) => parts.push(part.clone()),
            _ => return None,
        }
    }
    Some(match fields {
        [] => root.clone(),
        _ => Expr::CompoundIdentifier(parts),
    })
}

/// `ELEMENT_AT(list, n)` → `ARRAY_GET(list, n)`, as Polars calls it.
///
/// # Errors
/// Those of [`subscript`], and [`Error::Sql`] for other arguments.
pub(super) fn element_at(function: &mut Function) -> Result<()> {
    if !["element_at", "array_get"].contains(&windows::name(function).as_str()) {
        return Ok(());
    }
    let said = function.to_string();
    let arguments: Vec<&mut Expr> = arguments(function).collect();
    let [list, place] = arguments.as_slice() else {
        return Err(Error::Sql(format!("{said}: write ELEMENT_AT(list, 1) for the first element")));
    };
    check_place(&said, list, place)?;
    function.name = ObjectName::from(vec![Ident::new("ARRAY_GET")]);
    Ok(())
}

fn check_place(said: &str, list: &Expr, place: &Expr) -> Result<()> {
    if !is_constant(place) || number(place).is_some_and(|number| number != 0) {
        return Ok(());
    }
    let problem = match number(place) {
        Some(_) => "SQL counts from 1",
        None => "the place in a list is a whole number",
    };
    Err(Error::Sql(format!(
        "{said}: {problem}; the first element is {list}[1] or ELEMENT_AT({list}, 1), the last one \
         {list}[-1]"
    )))
}

/// Whether an expression has the same value in every row.
fn is_constant(expr: &Expr) -> bool {
    let varies = |expr: &Expr| {
        !matches!(
            expr,
            Expr::Value(_)
                | Expr::Nested(_)
                | Expr::UnaryOp { .. }
                | Expr::BinaryOp { .. }
                | Expr::Cast { .. }
                | Expr::TypedString(_)
                | Expr::Interval(_)
        )
    };
    !visit::any_expression(expr, &mut |expr| varies(expr))
}

/// Returns the value of a whole number, also of one that is computed of such.
fn number(expr: &Expr) -> Option<i64> {
    use BinaryOperator as Op;
    match expr {
        Expr::Nested(expr) | Expr::Cast { expr, .. } => number(expr),
        Expr::BinaryOp { left, op: Op::Plus, right } => number(left)?.checked_add(number(right)?),
        Expr::BinaryOp { left, op: Op::Minus, right } => number(left)?.checked_sub(number(right)?),
        Expr::BinaryOp { left, op: Op::Multiply, right } => {
            number(left)?.checked_mul(number(right)?)
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => number(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => number(expr)?.checked_neg(),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
