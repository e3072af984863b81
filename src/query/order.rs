//! Where nulls stand in an order.
//!
//! A statement that does not say NULLS FIRST or NULLS LAST gets what Spark does: nulls
//! first when ascending, last when descending. Polars 0.55 does the opposite. In OVER
//! it ignores both words, puts nulls first, gives them no rank, and refuses to mix ASC
//! with DESC.

use sqlparser::ast::{
    Expr, Function, FunctionArgumentClause, FunctionArguments, OrderByExpr, OrderByKind,
    OrderByOptions, Query, SetExpr, Value, WindowSpec, WindowType,
};

use super::rewrite::call;
use super::widths::bigint;
use super::windows;
use crate::{Error, Result};

/// Says in the ORDER BY of a query where nulls stand.
///
/// # Errors
/// [`Error::Sql`] after VALUES, where Polars ignores ORDER BY.
pub(super) fn of_query(query: &mut Query) -> Result<()> {
    let Some(order_by) = &mut query.order_by else { return Ok(()) };
    if matches!(*query.body, SetExpr::Values(_) | SetExpr::Table(_)) {
        return Err(Error::Sql(
            "ORDER BY cannot follow VALUES or TABLE: write SELECT * FROM (VALUES …) AS v ORDER BY …"
                .to_owned(),
        ));
    }
    match &mut order_by.kind {
        OrderByKind::All(options) => say_nulls(options),
        OrderByKind::Expressions(keys) => say_nulls_of(keys),
    }
    // Without brackets Polars orders the parts of a UNION too, by columns that only the
    // first may have.
    if let SetExpr::SetOperation { .. } = *query.body {
        let parts =
            Query { with: None, order_by: None, limit_clause: None, fetch: None, ..query.clone() };
        *query.body = SetExpr::Query(Box::new(parts));
    }
    Ok(())
}

/// Says in an ORDER BY between the brackets of an aggregate where nulls stand.
pub(super) fn of_aggregate(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    for clause in &mut list.clauses {
        if let FunctionArgumentClause::OrderBy(keys) = clause {
            say_nulls_of(keys);
        }
    }
}

fn say_nulls_of(keys: &mut [OrderByExpr]) {
    keys.iter_mut().for_each(|key| say_nulls(&mut key.options));
}

fn say_nulls(options: &mut OrderByOptions) {
    let ascending = options.asc != Some(false);
    options.nulls_first.get_or_insert(ascending);
}

/// Orders a window by numbers that are never null: Polars orders and ranks those as SQL
/// does.
pub(super) fn of_window(function: &mut Function) {
    let ranks = ["rank", "dense_rank"].contains(&windows::name(function).as_str());
    let Some(WindowType::WindowSpec(WindowSpec { order_by, .. })) = &mut function.over else {
        return;
    };
    say_nulls_of(order_by);
    match order_by.as_mut_slice() {
        // Polars does exactly this for a single key, unless it has to rank a null.
        [OrderByExpr { options, .. }]
            if !ranks && options.asc != Some(false) && options.nulls_first == Some(true) =>
        {
            options.nulls_first = None;
        }
        keys => keys.iter_mut().for_each(number),
    }
}

/// Replaces a key by its rank among all rows, in ascending order:
/// `k DESC NULLS LAST` → `COALESCE(DENSE_RANK() OVER (ORDER BY k DESC), 4294967295)`.
fn number(key: &mut OrderByExpr) {
    let OrderByOptions { asc, nulls_first } = std::mem::take(&mut key.options);
    // Polars ranks from 1 on in 32 bits, and leaves nulls out.
    let null = if nulls_first == Some(true) { 0 } else { u32::MAX };
    let null = bigint(Expr::value(Value::Number(null.to_string(), false)));
    let value = std::mem::replace(&mut key.expr, Expr::value(Value::Null));
    let options = OrderByOptions { asc, nulls_first: None };
    let order_by = vec![OrderByExpr { expr: value, options, with_fill: None }];
    key.expr = call("COALESCE", vec![dense_rank(order_by), null]);
}

fn dense_rank(order_by: Vec<OrderByExpr>) -> Expr {
    let mut rank = call("DENSE_RANK", Vec::new());
    if let Expr::Function(function) = &mut rank {
        function.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by: Vec::new(),
            order_by,
            window_frame: None,
        }));
    }
    rank
}
