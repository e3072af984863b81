//! What an `sql` expression gives → values of the column's type.

use std::sync::Arc;

use polars::prelude::*;

use crate::code::Code;
use crate::spec::kernel::{Kernel, dtype};
use crate::spec::note::Note;
use crate::spec::{Scalar, TextRules, Type};
use crate::value;

/// The values of an `sql` column, of what its expression gives. A text that
/// becomes a number is read as the text of a field is; the engine's own cast
/// would take others, and round.
#[derive(Clone)]
pub(super) struct SqlValues {
    kernel: Arc<Kernel>,
    ty: Type,
}

impl SqlValues {
    /// The values of a column of this type.
    pub(super) fn new(ty: Type) -> SqlValues {
        SqlValues { kernel: Arc::new(Kernel::new(&TextRules::default(), ty)), ty }
    }

    /// The codes of values that the type does not take.
    pub(super) fn codes(&self) -> &'static [Code] {
        match self.ty.scalar() {
            Scalar::Int32 | Scalar::Int64 => &[Code::Type, Code::Overflow],
            Scalar::Float64 => &[Code::NotFinite, Code::Type, Code::Overflow],
            _ => &[Code::Type],
        }
    }

    /// The values; null where there is none, or a wrong one.
    pub(super) fn values(&self, raw: Expr) -> Expr {
        let (this, to) = (self.clone(), dtype(self.ty));
        let field = to.clone();
        raw.map(
            move |column| match this.reads_text(&column) {
                true => {
                    Ok(this.kernel.run(column.str()?)?.0.with_name(column.name().clone()).into())
                }
                false => column.cast(&to),
            },
            move |_, given| Ok(Field::new(given.name().clone(), field.clone())),
        )
    }

    /// Where what the expression gives is wrong in this way.
    pub(super) fn wrong(&self, raw: Expr, code: Code) -> Expr {
        let this = self.clone();
        raw.map(
            move |column| {
                let wrong = this.mask(&column, code)?;
                Ok(wrong.with_name(column.name().clone()).into_column())
            },
            |_, given| Ok(Field::new(given.name().clone(), DataType::Boolean)),
        )
    }

    /// Whether texts are to become numbers.
    fn reads_text(&self, column: &Column) -> bool {
        let is_number = matches!(self.ty.scalar(), Scalar::Int32 | Scalar::Int64 | Scalar::Float64);
        is_number && *column.dtype() == DataType::String
    }

    fn mask(&self, raw: &Column, code: Code) -> PolarsResult<BooleanChunked> {
        if self.reads_text(raw) {
            let (_, notes) = self.kernel.run(raw.str()?)?;
            let is_code = |bits: &u32| Note::from_bits(*bits).code() == Some(code);
            return Ok(notes.iter().map(is_code).collect());
        }
        let value = raw.cast(&dtype(self.ty))?;
        let lost = value.is_null() & raw.is_not_null();
        match (self.ty.scalar(), code) {
            (_, Code::Type) if matches!(self.ty.scalar(), Scalar::Int32 | Scalar::Int64) => {
                Ok(lost | cut(raw, &value)?)
            }
            (_, Code::Type) => Ok(lost),
            (Scalar::Float64, Code::NotFinite) => {
                Ok(value.f64()?.iter().map(|value| value.is_some_and(|v| !v.is_finite())).collect())
            }
            (Scalar::Float64, Code::Overflow) => rounded(raw),
            _ => Ok(BooleanChunked::full(PlSmallStr::EMPTY, false, raw.len())),
        }
    }
}

/// Where a cast to integers cut a fraction off.
fn cut(raw: &Column, value: &Column) -> PolarsResult<BooleanChunked> {
    if !raw.dtype().is_float() {
        return Ok(BooleanChunked::full(PlSmallStr::EMPTY, false, raw.len()));
    }
    let (raw, value) = (raw.cast(&DataType::Float64)?, value.cast(&DataType::Float64)?);
    let pairs = raw.f64()?.iter().zip(value.f64()?.iter());
    Ok(pairs.map(|pair| matches!(pair, (Some(raw), Some(value)) if raw != value)).collect())
}

/// Where an integer loses digits as a double.
fn rounded(raw: &Column) -> PolarsResult<BooleanChunked> {
    if !raw.dtype().is_integer() {
        return Ok(BooleanChunked::full(PlSmallStr::EMPTY, false, raw.len()));
    }
    let wide = raw.cast(&DataType::Int64)?;
    let loses = |integer: i64| value::float(&integer.to_string()).is_err();
    Ok(wide.i64()?.iter().map(|value| value.is_some_and(loses)).collect())
}
