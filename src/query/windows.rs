//! Aggregates and functions with OVER that Polars would compute as something else.
//!
//! Polars 0.55 computes `SUM(COUNT(*)) OVER ()` within each group; the functions of
//! two arguments over all rows, whatever stands in OVER; and with ORDER BY in OVER it
//! sorts for `AVG` and its kind, but takes the whole partition. Nothing says so. Such
//! SQL is refused here.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, GroupByExpr, Query, Select, Visit, Visitor, WindowType,
};

use super::visit::{self, Halt};
use crate::{Error, Result};

/// Functions that run: with ORDER BY in OVER they go up to the row.
const RUNNING: [&str; 11] = [
    "count",
    "dense_rank",
    "first_value",
    "lag",
    "lead",
    "max",
    "min",
    "rank",
    "row_number",
    "sum",
    "total",
];

/// Functions that can have OVER, of the whole partition.
const WHOLE: [&str; 11] = [
    "avg",
    "first",
    "last",
    "median",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "var",
    "var_samp",
    "variance",
];

/// Functions of rows that give one value.
const AGGREGATES: [&str; 28] = [
    "array_agg",
    "avg",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "first",
    "group_concat",
    "last",
    "listagg",
    "max",
    "median",
    "min",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "string_agg",
    "sum",
    "total",
    "var",
    "var_samp",
    "variance",
    "first_value",
    "last_value",
];

/// A function's name in small letters.
pub(super) fn name(function: &Function) -> String {
    function.name.to_string().to_lowercase()
}

/// Whether an expression aggregates rows of its own SELECT.
pub(super) fn has_aggregate(node: &impl Visit) -> bool {
    has(node, |function| function.over.is_none() && AGGREGATES.contains(&name(function).as_str()))
}

/// Whether there is such a function, subqueries aside.
fn has(node: &impl Visit, wanted: fn(&Function) -> bool) -> bool {
    // The finder refuses nothing.
    visit::read(node, &mut Finder { wanted, queries: 0 }).unwrap_or(false)
}

struct Finder {
    wanted: fn(&Function) -> bool,
    /// How many subqueries it is in.
    queries: usize,
}

impl Visitor for Finder {
    type Break = Halt;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Halt> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Halt> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Halt> {
        match expr {
            Expr::Function(function) if self.queries == 0 && (self.wanted)(function) => {
                ControlFlow::Break(Halt::Found)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Looks at a SELECT as a whole.
///
/// # Errors
/// [`Error::Sql`] for an aggregate in WHERE, OVER together with GROUP BY, and WHERE
/// without FROM.
pub(super) fn check(select: &Select) -> Result<()> {
    if let Some(condition) = &select.selection {
        if has_aggregate(condition) {
            return Err(Error::Sql(format!(
                "WHERE {condition}: there is nothing to aggregate yet in WHERE; use HAVING, or \
                 compare with (SELECT …)"
            )));
        }
        if select.from.is_empty() {
            return Err(Error::Sql(format!("WHERE {condition} needs a table: add FROM")));
        }
    }
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let over = |function: &Function| function.over.is_some();
    if grouped && (has(&select.projection, over) || has(&select.having, over)) {
        return Err(Error::Sql(format!("OVER together with GROUP BY: {}", FIRST.trim_start())));
    }
    Ok(())
}

const FIRST: &str = " group and count in WITH … AS (…) first, then use OVER on its rows";

/// Looks at a function.
///
/// # Errors
/// [`Error::Sql`] for one that Polars does not compute as SQL has it.
pub(super) fn check_function(function: &Function) -> Result<()> {
    let Some(over) = &function.over else { return check_aggregate(function) };
    let said = match function.to_string() {
        long if long.chars().count() > 100 => format!("{} … OVER …", function.name),
        short => short,
    };
    let refuse = |advice: &str| Err(Error::Sql(format!("{said}: {advice}")));
    if has_aggregate(&function.args) || has_aggregate(over) {
        return refuse(&format!("an aggregate inside of OVER:{FIRST}"));
    }
    let WindowType::WindowSpec(spec) = over else {
        return refuse("there is no such WINDOW; write it out, as OVER (PARTITION BY …)");
    };
    if spec.window_name.is_some() {
        return refuse("a window cannot be made of another one; write it out");
    }
    let name = name(function);
    let runs = RUNNING.contains(&name.as_str()) && !is_distinct(function);
    if name == "last_value" {
        return refuse("use FIRST_VALUE, and order the other way round");
    }
    if !runs && !WHOLE.contains(&name.as_str()) && name != "count" {
        return refuse(
            "this function cannot be computed with OVER; compute it with GROUP BY in WITH, and \
             join it",
        );
    }
    if !runs && !spec.order_by.is_empty() {
        return refuse(
            "this function is computed over whole partitions only: leave ORDER BY out of OVER",
        );
    }
    match spec.order_by.is_empty() && spec.window_frame.is_some() {
        true => refuse("ROWS in OVER goes with ORDER BY only"),
        false => Ok(()),
    }
}

/// Looks at an aggregate without OVER. Polars computes that of a constant once, not for
/// each row: `SUM(1)` is 1. Between the brackets it ignores all but ORDER BY and LIMIT.
fn check_aggregate(function: &Function) -> Result<()> {
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    if !function.within_group.is_empty() {
        return Err(Error::Sql(format!(
            "{function}: WITHIN GROUP is not supported; order between the brackets, as in \
             LISTAGG(x, ',' ORDER BY y), and write QUANTILE_CONT(x, 0.5) for a percentile"
        )));
    }
    use FunctionArgumentClause as Clause;
    let ignored = |clause: &&Clause| !matches!(clause, Clause::OrderBy(_) | Clause::Limit(_));
    if let Some(clause) = list.clauses.iter().find(ignored) {
        return Err(Error::Sql(format!(
            "{function}: {clause} is not supported; leave values out by FILTER (WHERE …)"
        )));
    }
    let counts = ["sum", "total", "count", "string_agg", "array_agg"];
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)), ..] = list.args.as_slice() else {
        return Ok(());
    };
    let name = name(function);
    let counted = matches!(argument, Expr::Value(_)) && name == "count";
    if !counts.contains(&name.as_str()) || counted || has_column(argument) {
        return Ok(());
    }
    Err(Error::Sql(format!("{function}: there is no column in it; use COUNT(*) to count rows")))
}

fn has_column(expr: &Expr) -> bool {
    visit::any_expression(expr, &mut |expr| {
        matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Wildcard(_))
    })
}

fn is_distinct(function: &Function) -> bool {
    match &function.args {
        FunctionArguments::List(list) => {
            list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        }
        _ => false,
    }
}
