//! SQL whose answers of Polars would be wrong → SQL that means the same, and is right.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    NamedWindowExpr, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement as Parsed, TypedString, UnaryOperator, Value, VisitorMut, WindowType,
};

use super::as_of::time_of;
use super::visit::{self, Halt, go_on_if};
use super::widths::{bigint, is_literal, is_narrow, is_not_built_in, is_small, is_whole, widen};
use super::{joins, lists, order, using, windows};
use crate::spec::time::iso_day;
use crate::{Error, Result};

/// Puts the windows of `WINDOW w AS (…)` where they are named: Polars takes some
/// functions over a named window for others.
pub(super) fn name_no_windows(statement: &mut Parsed) {
    // The windows are put in place or left: nothing is refused.
    _ = visit::edit(statement, &mut NameNoWindows);
}

struct NameNoWindows;

impl VisitorMut for NameNoWindows {
    type Break = Halt;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Halt> {
        let windows = std::mem::take(&mut select.named_window);
        if windows.is_empty() {
            return ControlFlow::Continue(());
        }
        visit::each_expression(select, &mut |expr| {
            if let Expr::Function(Function { over: Some(over), .. }) = expr
                && let WindowType::NamedWindow(name) = over
                && let Some(window) = windows.iter().find(|window| window.0.value == name.value)
                && let NamedWindowExpr::WindowSpec(spec) = &window.1
            {
                *over = WindowType::WindowSpec(spec.clone());
            }
        });
        ControlFlow::Continue(())
    }
}

/// Rewrites a statement for Polars, which reads it as text.
///
/// # Errors
/// [`Error::Sql`] for what cannot be said to Polars.
pub(super) fn rewritten(statement: &mut Parsed) -> Result<String> {
    visit::edit(statement, &mut Rewrite)?;
    Ok(statement.to_string())
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = Halt;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Halt> {
        go_on_if(order::of_query(query).and_then(|()| order_by_selected(query)))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Halt> {
        joins::put_in_order(select);
        if let Err(error) = using::show_keys_once(select) {
            return go_on_if(Err(error));
        }
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                widen(expr);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Halt> {
        go_on_if(rewrite(expr))
    }
}

/// One expression, whose parts were rewritten before.
fn rewrite(expr: &mut Expr) -> Result<()> {
    if let Expr::Function(function) = expr {
        over_nothing(function);
        order::of_window(function);
        order::of_aggregate(function);
        lists::element_at(function)?;
        if ["coalesce", "if", "ifnull"].contains(&windows::name(function).as_str()) {
            arguments(function).for_each(widen);
        }
    }
    match expr {
        Expr::Case { conditions, else_result, .. } => {
            let results = conditions.iter_mut().map(|when| &mut when.result);
            results.chain(else_result.as_deref_mut()).for_each(widen);
        }
        Expr::Function(function) if is_narrow(function) => replace(expr, bigint),
        Expr::Extract { field, .. } if is_whole(field) => replace(expr, bigint),
        Expr::Position { .. } => replace(expr, bigint),
        Expr::Cast { data_type, .. } if is_not_built_in(data_type) => {
            let said = data_type.to_string();
            return Err(Error::Sql(format!("{expr}: there is no {said} here; use INTEGER")));
        }
        Expr::Cast { data_type, expr: inner, .. } if is_small(data_type) && !is_literal(inner) => {
            replace(expr, bigint);
        }
        Expr::IsTrue(_) | Expr::IsNotTrue(_) | Expr::IsFalse(_) | Expr::IsNotFalse(_) => {
            replace(expr, truth);
        }
        // Without brackets, `- -1` would be printed as a comment.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner }
            if matches!(**inner, Expr::UnaryOp { op: UnaryOperator::Minus, .. }) =>
        {
            replace(inner, |inner| Expr::Nested(Box::new(inner)));
        }
        Expr::TypedString(literal) => check_date(literal)?,
        Expr::CompoundFieldAccess { .. } => lists::subscript(expr)?,
        _ => {}
    }
    Ok(())
}

fn replace(expr: &mut Expr, by: impl FnOnce(Expr) -> Expr) {
    let old = std::mem::replace(expr, Expr::value(Value::Null));
    *expr = by(old);
}

/// The arguments of a function that are expressions.
pub(super) fn arguments(function: &mut Function) -> impl Iterator<Item = &mut Expr> {
    let args = match &mut function.args {
        FunctionArguments::List(list) => list.args.as_mut_slice(),
        _ => &mut [],
    };
    args.iter_mut().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
}

/// `IS [NOT] TRUE` and `IS [NOT] FALSE` are never null. Those of Polars are.
fn truth(expr: Expr) -> Expr {
    let (inner, unknown, negated) = match expr {
        Expr::IsTrue(inner) => (inner, false, false),
        Expr::IsNotTrue(inner) => (inner, false, true),
        Expr::IsFalse(inner) => (inner, true, true),
        Expr::IsNotFalse(inner) => (inner, true, false),
        other => return other,
    };
    let known = call("COALESCE", vec![*inner, Expr::value(Value::Boolean(unknown))]);
    match negated {
        true => {
            Expr::Nested(Box::new(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(known) }))
        }
        false => known,
    }
}

/// A call of a function by its name.
pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(sqlparser::ast::FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A date that there is not is null to Polars.
fn check_date(literal: &TypedString) -> Result<()> {
    let Some(text) = literal.value.value.clone().into_string() else { return Ok(()) };
    let timed = match literal.data_type {
        DataType::Date => false,
        DataType::Timestamp(..) | DataType::Datetime(_) => true,
        _ => return Ok(()),
    };
    let is_sound = match timed {
        true => time_of(&text).is_some(),
        false => iso_day(text.trim()).is_some(),
    };
    match is_sound {
        true => Ok(()),
        false => Err(Error::Sql(format!("{literal}: there is no such date; write 2026-11-20"))),
    }
}

/// An aggregate over `()` is one row to Polars, not one for each.
fn over_nothing(function: &mut Function) {
    if let Some(WindowType::WindowSpec(spec)) = &mut function.over
        && spec.partition_by.is_empty()
        && spec.order_by.is_empty()
    {
        spec.partition_by.push(Expr::value(Value::Boolean(true)));
    }
}

/// After GROUP BY, Polars orders only by columns of the answer: what was selected is
/// named by its alias, or its place.
fn order_by_selected(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = &*query.body else { return Ok(()) };
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let Some(order_by) = &mut query.order_by else { return Ok(()) };
    let OrderByKind::Expressions(keys) = &mut order_by.kind else { return Ok(()) };
    for key in keys.iter_mut().filter(|_| grouped) {
        let asked = key.expr.to_string();
        if !windows::has_aggregate(&key.expr) {
            continue;
        }
        match place(select, &key.expr) {
            Some(place) => key.expr = Expr::value(Value::Number(place.to_string(), false)),
            None => name_selected(select, &mut key.expr),
        }
        if windows::has_aggregate(&key.expr) {
            return Err(Error::Sql(format!(
                "ORDER BY {asked}: put it into the SELECT list, name it with AS, and order by \
                 the name"
            )));
        }
    }
    Ok(())
}

/// The place of an expression in the answer, from 1 on.
fn place(select: &Select, wanted: &Expr) -> Option<usize> {
    for (at, item) in select.projection.iter().enumerate() {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                if expr == wanted {
                    return Some(at + 1);
                }
            }
            _ => return None,
        }
    }
    None
}

fn name_selected(select: &Select, expr: &mut Expr) {
    let named = |wanted: &Expr| {
        select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if expr == wanted => Some(alias.clone()),
            _ => None,
        })
    };
    visit::each_expression(expr, &mut |expr| {
        if let Some(name) = named(expr) {
            *expr = Expr::Identifier(name);
        }
    });
}
