//! A column's SQL expression: what it names, and whether it can be computed.

use polars::prelude::{
    Column, DataFrame, DataType, DataTypeExpr, Expr, IntoColumn, IntoLazy, NamedFrom, PlSmallStr,
    PolarsResult, Series,
};
use polars::sql::sql_expr;

use super::check::Check;
use super::found::Span;
use super::slots::SlotReading;
use crate::near::near;
use crate::spec::kernel::dtype;
use crate::spec::{Scalar, Source, Type, Wire};

impl Check<'_> {
    pub(super) fn sql(&mut self, index: usize) -> Option<Source> {
        let sql = self.raw.columns[index].sql.as_ref()?;
        let span = sql.span();
        if operators(sql.get_ref()) > OPERATORS {
            let message = format!(
                "this has more than {OPERATORS} operators; compute parts of it in hidden columns"
            );
            self.problem(&span, message);
            return None;
        }
        let expr = match sql_expr(sql.get_ref()) {
            Ok(expr) => expr,
            Err(error) => {
                self.problem(&span, format!("this is no SQL expression: {}", brief(&error)));
                return None;
            }
        };
        if let Some(message) = refusal(&expr) {
            self.problem(&span, message);
            return None;
        }
        let names = names(&expr);
        if names.is_empty() {
            self.problem(&span, "this names neither a column nor a field; use `constant`");
            return None;
        }
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for name in names {
            match self.scope.position(&name) {
                Some(other) => {
                    self.sql_column(index, other, &span);
                    columns.push(name);
                }
                None if self.scope.fields.contains(&name) => {
                    let reading = SlotReading::of(Wire::Text);
                    fields.push((self.slots.get(&[&name], &reading), name));
                }
                None => {
                    self.unknown_name(&name, &span);
                    return None;
                }
            }
        }
        let result = self.trial(&expr, &columns, &fields, &span);
        self.castable(index, result, &span);
        Some(Source::Sql { sql: sql.get_ref().clone(), fields, columns })
    }

    /// An expression may use columns that are there before it.
    fn sql_column(&mut self, index: usize, other: usize, span: &Span) {
        let column = &self.scope.columns[other];
        if other == index {
            let message = format!(
                "this names its own column; read field `{}` into a hidden column, and name that",
                column.name
            );
            self.problem(span, message);
        } else if column.is_sql && other > index {
            let message =
                format!("`{}` is an `sql` column below this one; put it above", column.name);
            self.problem(span, message);
        }
    }

    fn unknown_name(&mut self, name: &str, span: &Span) {
        let columns = self.scope.columns.iter().map(|column| column.name.as_str());
        let known = columns.chain(self.scope.fields.iter().map(String::as_str));
        let help = match near(name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "list a field that only SQL reads in `fields`".to_owned(),
        };
        let message = format!("`{name}` is neither a column nor a field that is read; {help}");
        self.problem(span, message);
    }

    /// Lets Polars compute the expression over a null and an odd value of each
    /// column: types that do not fit show there, functions that make one value
    /// of many rows, and those that would stop a run at a value.
    fn trial(
        &mut self,
        expr: &Expr,
        columns: &[String],
        fields: &[(usize, String)],
        span: &Span,
    ) -> Option<DataType> {
        let mut rows = Vec::new();
        for name in columns {
            let ty = self.scope.position(name).and_then(|at| self.scope.columns[at].ty)?;
            rows.push(odd_values(name, ty));
        }
        for (_, name) in fields {
            rows.push(odd_values(name, Type::Scalar(Scalar::String)));
        }
        let frame = rows.into_iter().collect::<PolarsResult<Vec<_>>>();
        let frame = frame.and_then(|columns| DataFrame::new(TRIAL_ROWS, columns));
        if let Ok(frame) = &frame
            && expr.into_iter().any(|node| casts_text_to_time(node, frame))
        {
            self.problem(span, TEXT_TO_TIME);
            return None;
        }
        match frame.and_then(|frame| frame.lazy().select([expr.clone()]).collect()) {
            Err(error) => {
                let message = format!("this cannot be computed: {}", brief(&error));
                self.problem(span, message);
                None
            }
            Ok(result) if result.height() != TRIAL_ROWS => {
                self.problem(span, MANY_ROWS);
                None
            }
            Ok(result) => result.columns().first().map(|column| column.dtype().clone()),
        }
    }

    /// Whether what the expression gives can be the column's type.
    fn castable(&mut self, index: usize, result: Option<DataType>, span: &Span) {
        let (Some(result), Some(ty)) = (result, self.scope.columns[index].ty) else { return };
        if !becomes(&result, ty.scalar()) {
            self.problem(span, format!("this gives {result}, which becomes no {ty}"));
        }
    }
}

/// The parser limits how deep brackets and functions nest, but not how many
/// operators follow each other; Polars goes down a level for each.
const OPERATORS: usize = 100;

/// How many signs and words outside of quotes join a term to what stands
/// before it.
fn operators(sql: &str) -> usize {
    let sql = unquoted(sql);
    let is_sign = |c: char| "+-*/%<>=|&^~#@!:[".contains(c);
    let words = ["and", "or", "xor", "is", "like", "ilike", "between", "at", "collate"];
    let joins = |word: &&str| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    // Several signs in a row, such as `||`, are one operator.
    let signs = sql.split(|c| !is_sign(c)).filter(|run| !run.is_empty()).count();
    signs + sql.split(|c| !in_word(c)).filter(joins).count()
}

/// An expression without what it quotes; all of it if a quote has no end.
fn unquoted(sql: &str) -> String {
    let mut open = None;
    let mut bare = String::new();
    for c in sql.chars() {
        match open {
            Some(quote) if quote == c => open = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"' | '`') => open = Some(c),
            None => bare.push(c),
        }
    }
    if open.is_some() { sql.to_owned() } else { bare }
}

/// More than one, so that one value of all rows is seen.
const TRIAL_ROWS: usize = 2;

/// A null, and a value that a careless expression does not expect.
fn odd_values(name: &str, ty: Type) -> PolarsResult<Column> {
    let name = PlSmallStr::from_str(name);
    let values = match ty.scalar() {
        Scalar::String => Series::new(name, [None, Some("a")]),
        Scalar::Int32 => Series::new(name, [None, Some(i64::from(i32::MAX))]),
        Scalar::Int64 => Series::new(name, [None, Some(i64::MAX)]),
        Scalar::Float64 => Series::new(name, [None, Some(1e300)]),
        Scalar::Bool => Series::new(name, [None, Some(true)]),
        Scalar::Timestamp | Scalar::Date => Series::new(name, [None, Some(20_000_i64)]),
    };
    values.cast(&data_type(ty)).map(Series::into_column)
}

const MANY_ROWS: &str = "this looks at more than one row; each row is cleaned alone";

/// Returns whether a node casts a text to a time. Polars guesses the spelling, and
/// takes `24-03-15` for the year 24.
fn casts_text_to_time(node: &Expr, frame: &DataFrame) -> bool {
    let Expr::Cast { expr: inner, .. } = node else { return false };
    let given = |expr: &Expr| {
        let result = frame.clone().lazy().select([expr.clone()]).collect().ok()?;
        result.columns().first().map(|column| column.dtype().clone())
    };
    given(inner) == Some(DataType::String) && given(node).is_some_and(|to| to.is_temporal())
}

const TEXT_TO_TIME: &str = "a cast guesses how a text spells a time; read the field into a \
    hidden column of type date or timestamp, with `formats`, and name that";

/// The names in an expression, each once, in order.
fn names(expr: &Expr) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in expr.clone().meta().root_names() {
        if !names.iter().any(|known| *known == name.as_str()) {
            names.push(name.to_string());
        }
    }
    names
}

/// Why an expression is refused: it names what is not there, or does not give one value
/// for each row from that row alone; rows come in batches, so that any other would depend on their size.
fn refusal(expr: &Expr) -> Option<&'static str> {
    expr.into_iter().find_map(|node| match node {
        Expr::Selector(_) => Some("this may stand for several columns; name one"),
        // Polars is built without these types.
        Expr::Cast { dtype: DataTypeExpr::Literal(DataType::UInt8 | DataType::UInt16), .. } => {
            Some("there are no types of 8 or 16 bits without a sign here; use INTEGER")
        }
        Expr::Len | Expr::Over { .. } | Expr::SubPlan(..) => Some(MANY_ROWS),
        // The list of an IN is built by such nodes too, from literals.
        Expr::Agg(_)
        | Expr::Sort { .. }
        | Expr::SortBy { .. }
        | Expr::Filter { .. }
        | Expr::Gather { .. }
        | Expr::Slice { .. }
        | Expr::Explode { .. }
            if !names(node).is_empty() =>
        {
            Some(MANY_ROWS)
        }
        _ => None,
    })
}

/// Whether what an expression gives can be a value of the type: Polars has no
/// cast for the others, or one that loses something.
fn becomes(given: &DataType, scalar: Scalar) -> bool {
    let number = given.is_primitive_numeric();
    match scalar {
        _ if *given == DataType::Null => true,
        Scalar::Int32 | Scalar::Int64 | Scalar::Float64 => {
            number || matches!(given, DataType::String | DataType::Boolean)
        }
        Scalar::String => number || !given.is_nested(),
        Scalar::Bool => *given == DataType::Boolean,
        Scalar::Timestamp => matches!(given, DataType::Datetime(..) | DataType::Date),
        Scalar::Date => *given == DataType::Date,
    }
}

/// The type of a column as an expression sees it: integers have 64 bits there.
fn data_type(ty: Type) -> DataType {
    let wide = |scalar| if scalar == Scalar::Int32 { Scalar::Int64 } else { scalar };
    dtype(match ty {
        Type::Scalar(scalar) => Type::Scalar(wide(scalar)),
        Type::List(scalar) => Type::List(wide(scalar)),
    })
}

/// The first line of what Polars says, without the syntax trees that it prints.
fn brief(error: &polars::error::PolarsError) -> String {
    let error = error.to_string();
    let line = error.lines().next().unwrap_or_default().trim();
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_counted_outside_of_quotes() {
        let cases = [
            ("a", 0),
            ("upper(a)", 0),
            ("a + b", 1),
            ("a || '+ and \"-' || \"b*'c\"", 2),
            ("a IS NULL AND NOT b or android = 'x'", 4),
            ("case when a > 1 then 'a' end", 1),
            ("'a + b", 1),
        ];
        for (sql, expected) in cases {
            assert_eq!(operators(sql), expected, "{sql}");
        }
    }
}
