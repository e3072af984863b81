//! Walks over a parsed statement.
//!
//! sqlparser makes the code of a whole walk anew for each type of visitor, a megabyte
//! each. Here every visitor goes behind one reference, so that there is one walk that
//! reads and one that edits.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, ValueWithSpan, Visit, VisitMut,
    Visitor, VisitorMut,
};

use crate::{Error, Result};

/// Why a walk ends early.
pub(super) enum Halt {
    /// What was looked for is found.
    Found,
    /// The statement is refused.
    Refused(Error),
}

/// Goes on after a check that passed.
pub(super) fn go_on_if(checked: Result<()>) -> ControlFlow<Halt> {
    match checked {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(Halt::Refused(error)),
    }
}

/// Shows a visitor everything in `node`; returns whether it found what it looks for.
///
/// # Errors
/// What the visitor refuses.
pub(super) fn read(node: &impl Visit, visitor: &mut dyn Visitor<Break = Halt>) -> Result<bool> {
    ended(node.visit(&mut Reader(visitor)))
}

/// Lets a visitor change everything in `node`.
///
/// # Errors
/// What the visitor refuses.
pub(super) fn edit(
    node: &mut impl VisitMut,
    visitor: &mut dyn VisitorMut<Break = Halt>,
) -> Result<()> {
    ended(node.visit(&mut Editor(visitor))).map(|_| ())
}

fn ended(flow: ControlFlow<Halt>) -> Result<bool> {
    match flow {
        ControlFlow::Continue(()) => Ok(false),
        ControlFlow::Break(Halt::Found) => Ok(true),
        ControlFlow::Break(Halt::Refused(error)) => Err(error),
    }
}

/// Whether `wanted` is true of an expression in `node`, the outer ones first.
pub(super) fn any_expression(node: &impl Visit, wanted: &mut dyn FnMut(&Expr) -> bool) -> bool {
    // The search itself refuses nothing.
    read(node, &mut Search(wanted)).unwrap_or(false)
}

/// Changes each expression in `node`, the inner ones first.
pub(super) fn each_expression(node: &mut impl VisitMut, change: &mut dyn FnMut(&mut Expr)) {
    _ = node.visit(&mut Editor(&mut Change(change)));
}

struct Search<'a>(&'a mut dyn FnMut(&Expr) -> bool);

impl Visitor for Search<'_> {
    type Break = Halt;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Halt> {
        match (self.0)(expr) {
            true => ControlFlow::Break(Halt::Found),
            false => ControlFlow::Continue(()),
        }
    }
}

struct Change<'a>(&'a mut dyn FnMut(&mut Expr));

impl VisitorMut for Change<'_> {
    type Break = Halt;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Halt> {
        (self.0)(expr);
        ControlFlow::Continue(())
    }
}

struct Reader<'a>(&'a mut dyn Visitor<Break = Halt>);

struct Editor<'a>(&'a mut dyn VisitorMut<Break = Halt>);

/// Hands every hook on: one that is missing here would never be called.
macro_rules! hand_on {
    ($($hook:ident($($node:tt)+);)+) => {
        $(fn $hook(&mut self, node: $($node)+) -> ControlFlow<Halt> {
            self.0.$hook(node)
        })+
    };
}

impl Visitor for Reader<'_> {
    type Break = Halt;

    hand_on! {
        pre_visit_query(&Query);
        post_visit_query(&Query);
        pre_visit_select(&Select);
        post_visit_select(&Select);
        pre_visit_relation(&ObjectName);
        post_visit_relation(&ObjectName);
        pre_visit_table_factor(&TableFactor);
        post_visit_table_factor(&TableFactor);
        pre_visit_expr(&Expr);
        post_visit_expr(&Expr);
        pre_visit_statement(&Statement);
        post_visit_statement(&Statement);
        pre_visit_value(&ValueWithSpan);
        post_visit_value(&ValueWithSpan);
    }
}

impl VisitorMut for Editor<'_> {
    type Break = Halt;

    hand_on! {
        pre_visit_query(&mut Query);
        post_visit_query(&mut Query);
        pre_visit_select(&mut Select);
        post_visit_select(&mut Select);
        pre_visit_relation(&mut ObjectName);
        post_visit_relation(&mut ObjectName);
        pre_visit_table_factor(&mut TableFactor);
        post_visit_table_factor(&mut TableFactor);
        pre_visit_expr(&mut Expr);
        post_visit_expr(&mut Expr);
        pre_visit_statement(&mut Statement);
        post_visit_statement(&mut Statement);
        pre_visit_value(&mut ValueWithSpan);
        post_visit_value(&mut ValueWithSpan);
    }
}
