//! Which expressions Polars computes in fewer than 64 bits.
//!
//! Polars 0.55 counts in 32 bits without a sign, and takes the parts of a time in 8
//! and 16 bits: `COUNT(*) - 10` is 4294967291 where five rows are, and
//! `EXTRACT(MONTH FROM t) * 100` wraps; so does the sum of a `CASE … THEN 1000000 END`
//! of many rows. In SQL these are BIGINT.

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, DateTimeField, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, UnaryOperator, Value,
};

use super::windows;

/// The expression as a BIGINT.
pub(super) fn bigint(expr: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

/// Polars makes a column of 32 bits of a number that is written down.
pub(super) fn widen(expr: &mut Expr) {
    if is_number(expr) {
        let number = std::mem::replace(expr, Expr::value(Value::Null));
        *expr = bigint(number);
    }
}

/// Whether it is a whole number, or computed of such.
fn is_number(expr: &Expr) -> bool {
    use BinaryOperator as Op;
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        },
        Expr::Nested(expr)
        | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_number(expr),
        Expr::BinaryOp { left, op: Op::Plus | Op::Minus | Op::Multiply | Op::Modulo, right } => {
            is_number(left) && is_number(right)
        }
        _ => false,
    }
}

/// Whether a function counts in fewer than 64 bits.
pub(super) fn is_narrow(function: &Function) -> bool {
    const COUNTING: [&str; 13] = [
        "array_length",
        "bit_count",
        "bit_length",
        "bitcount",
        "char_length",
        "character_length",
        "count",
        "dense_rank",
        "length",
        "octet_length",
        "rank",
        "row_number",
        "strpos",
    ];
    let name = windows::name(function);
    match (name.as_str(), first_argument(function)) {
        // Of conditions: it counts those that hold.
        ("sum" | "total", Some(expr)) => is_condition(expr),
        ("date_part", Some(Expr::Value(part))) => {
            let part = part.value.clone().into_string().unwrap_or_default();
            is_whole(&DateTimeField::Custom(Ident::new(part)))
        }
        (name, _) => COUNTING.contains(&name),
    }
}

fn first_argument(function: &Function) -> Option<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.first()? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn is_condition(expr: &Expr) -> bool {
    use BinaryOperator as Op;
    match expr {
        Expr::Nested(expr) => is_condition(expr),
        Expr::BinaryOp { op, .. } => matches!(
            op,
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::And | Op::Or | Op::Xor
        ),
        Expr::UnaryOp { op: UnaryOperator::Not, .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. } => true,
        _ => false,
    }
}

/// Whether a part of a time is a whole number: Polars gives those of a second, and
/// the epoch, with fractions.
pub(super) fn is_whole(field: &DateTimeField) -> bool {
    let name = field.to_string().to_lowercase();
    let broken = ["epoch", "milli", "micro", "nano", "time", "date"];
    !broken.iter().any(|start| name.starts_with(start)) && !["ms", "us", "ns"].contains(&&*name)
}

/// Whether a type has whole numbers of fewer than 64 bits.
pub(super) fn is_small(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::TinyInt(_)
            | DataType::SmallInt(_)
            | DataType::Int(_)
            | DataType::Integer(_)
            | DataType::Int2(_)
            | DataType::Int4(_)
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt32
    )
}

/// Whether a type is a whole number of 8 or 16 bits without a sign: Polars is built
/// without these.
pub(super) fn is_not_built_in(ty: &DataType) -> bool {
    match ty {
        DataType::UTinyInt
        | DataType::TinyIntUnsigned(_)
        | DataType::USmallInt
        | DataType::SmallIntUnsigned(_)
        | DataType::Int2Unsigned(_)
        | DataType::UInt16 => true,
        DataType::Custom(name, _) => {
            let name = name.to_string().to_lowercase();
            ["uint1", "utinyint", "uint2", "usmallint"].contains(&name.as_str())
        }
        _ => false,
    }
}

/// In a list of literals, Polars takes no other expressions.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) => true,
        Expr::UnaryOp { expr, .. } => is_literal(expr),
        _ => false,
    }
}
