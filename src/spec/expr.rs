//! Transforms → Polars expressions. The one place where a rule becomes one.

mod sql;

use std::sync::Arc;

use polars::prelude::*;
use polars::sql::sql_expr;
use sql::SqlValues;

use super::kernel::{Kernel, dtype};
use super::list::side_by_side;
use super::{
    Column, OnError, RESCUED, RangeBound, Scalar, Slot, Source, Spec, TextRules, Type, Unknown,
    Wire,
};
use crate::code::Code;
use crate::value;

/// The cleaning of one table, as expressions over the frame of its slots.
#[derive(Clone)]
pub struct Cleaning {
    /// Text rules, each giving a struct of a value and a note.
    kernels: Vec<Expr>,
    /// The columns that are not `sql`.
    plain: Stage,
    /// The `sql` columns, each by itself: a later one may name an earlier.
    sql: Vec<Stage>,
    /// Masks of nulls in required columns.
    required: Vec<Expr>,
    /// Names of the written columns.
    pub output: Vec<PlSmallStr>,
    /// Where the notes are, and whose they are.
    pub notes: Vec<NoteColumn>,
    /// Where the masks are, and whose they are, in the order of their weight.
    pub masks: Vec<MaskColumn>,
}

/// Columns, from their values to what is left of them: what comes after sees
/// no value that its column does not take.
#[derive(Clone, Default)]
struct Stage {
    /// What `sql` expressions give, before it has the column's type.
    raw: Vec<Expr>,
    /// The values.
    values: Vec<Expr>,
    /// Masks of wrong values.
    checks: Vec<Expr>,
    /// Wrong values that become null.
    nulled: Vec<Expr>,
}

impl Stage {
    fn plan(&self, frame: LazyFrame) -> LazyFrame {
        let steps = [&self.raw, &self.values, &self.checks, &self.nulled];
        steps.into_iter().fold(frame, |frame, step| frame.with_columns_seq(step))
    }
}

/// A column of notes.
#[derive(Debug, Clone)]
pub struct NoteColumn {
    /// The struct column that holds it, as the field `note`.
    pub name: PlSmallStr,
    /// The spec's column.
    pub column: usize,
    /// The slot that holds the text.
    pub slot: usize,
}

/// A column that is true where a value is wrong.
#[derive(Debug, Clone)]
pub struct MaskColumn {
    /// Its name.
    pub name: PlSmallStr,
    /// The spec's column.
    pub column: usize,
    /// What is wrong there.
    pub code: Code,
    /// The frame's column that shows the value.
    pub shown: PlSmallStr,
}

/// The field of a kernel's struct that holds the value.
pub const VALUE: &str = "value";
/// The field of a kernel's struct that holds the note.
pub const NOTE: &str = "note";

impl Cleaning {
    /// The expressions of a spec.
    ///
    /// # Errors
    /// If an `sql` expression does not parse, which the spec's check rules out.
    pub fn new(spec: &Spec) -> PolarsResult<Cleaning> {
        let mut cleaning = Cleaning {
            kernels: Vec::new(),
            plain: Stage::default(),
            sql: Vec::new(),
            required: Vec::new(),
            output: Vec::new(),
            notes: Vec::new(),
            masks: Vec::new(),
        };
        for (index, column) in spec.columns.iter().enumerate() {
            let mut stage = match column.source {
                Source::Sql { .. } => Stage::default(),
                _ => std::mem::take(&mut cleaning.plain),
            };
            cleaning.column(&mut stage, spec, index)?;
            cleaning.check(&mut stage, index, column);
            match column.source {
                Source::Sql { .. } => cleaning.sql.push(stage),
                _ => cleaning.plain = stage,
            }
            if !column.hidden {
                cleaning.output.push(column.name.as_str().into());
            }
        }
        if spec.unknown == Unknown::Keep {
            cleaning.output.push(RESCUED.into());
        }
        Ok(cleaning)
    }

    /// The lazy frame that cleans a frame of slots: every column of the spec,
    /// and the notes and masks beside them. It runs on the thread that collects
    /// it: each core has a worker, and the others would only wait for a pool.
    pub fn plan(&self, slots: LazyFrame) -> LazyFrame {
        let kernels = slots.with_columns_seq(&self.kernels);
        let stages = std::iter::once(&self.plain).chain(&self.sql);
        stages.fold(kernels, |frame, stage| stage.plan(frame)).with_columns_seq(&self.required)
    }

    fn column(&mut self, stage: &mut Stage, spec: &Spec, index: usize) -> PolarsResult<()> {
        let column = &spec.columns[index];
        let name = column.name.as_str();
        match &column.source {
            Source::Field { slot, rules } => {
                let value = self.part(stage, spec, index, *slot, rules, column.ty);
                stage.values.push(value.alias(name));
            }
            Source::Array { slots, rules } => {
                let element = Type::Scalar(column.ty.scalar());
                let parts: Vec<Expr> = slots
                    .iter()
                    .map(|slot| self.part(stage, spec, index, *slot, rules, element))
                    .collect();
                stage.values.push(array(&parts, element).alias(name));
            }
            Source::Concat { slots, separator, rules } => {
                let text = Type::Scalar(Scalar::String);
                let parts: Vec<Expr> = slots
                    .iter()
                    .map(|slot| self.part(stage, spec, index, *slot, rules, text))
                    .collect();
                stage.values.push(concat_str(parts, separator, false).alias(name));
            }
            Source::Constant(text) => {
                stage.values.push(constant(text, column.ty).alias(name));
            }
            Source::Sql { sql, fields, .. } => {
                let expr = sql_expr(sql)?.map_expr(|expr| bound(expr, spec, fields));
                let value = self.sql(stage, index, column.ty, expr.alias(sql_name(index)));
                stage.values.push(value.alias(name));
            }
        }
        Ok(())
    }

    /// One slot through the rules, to a value of type `ty`.
    fn part(
        &mut self,
        stage: &mut Stage,
        spec: &Spec,
        column: usize,
        slot: usize,
        rules: &TextRules,
        ty: Type,
    ) -> Expr {
        let source = col(slot_name(slot));
        match (spec.slots[slot].wire, ty) {
            (Wire::Text, Type::Scalar(Scalar::String)) if rules.is_plain() => source,
            (Wire::Text | Wire::Array, _) => {
                let name = PlSmallStr::from_string(format!("{column}.{slot}"));
                // A list may read one field twice.
                if self.notes.iter().all(|known| known.name != name) {
                    self.kernels.push(run(Kernel::new(rules, ty), source).alias(name.clone()));
                    self.notes.push(NoteColumn { name: name.clone(), column, slot });
                }
                col(name).struct_().field_by_name(VALUE)
            }
            (Wire::Int, Type::Scalar(Scalar::Int32)) => {
                let narrow = source.clone().cast(DataType::Int32);
                let lost = narrow.clone().is_null().and(source.is_not_null());
                self.mask(stage, column, Code::Overflow, slot_name(slot), lost);
                narrow
            }
            (Wire::Int | Wire::Float | Wire::Bool, _) => source,
        }
    }

    /// An expression's result, and where it is not a value of the column's type.
    fn sql(&mut self, stage: &mut Stage, index: usize, ty: Type, result: Expr) -> Expr {
        stage.raw.push(result);
        let values = SqlValues::new(ty);
        for code in values.codes() {
            let wrong = values.wrong(col(sql_name(index)), *code);
            self.mask(stage, index, *code, sql_name(index), wrong);
        }
        values.values(col(sql_name(index)))
    }

    /// What a column says of its values once they are there.
    fn check(&mut self, stage: &mut Stage, index: usize, column: &Column) {
        let name = PlSmallStr::from_str(&column.name);
        if let Some(range) = column.range {
            let low = range.min.map(|min| below(&name, min, column.ty.scalar()));
            let high = range.max.map(|max| above(&name, max, column.ty.scalar()));
            for outside in [low, high].into_iter().flatten() {
                self.mask(stage, index, Code::Range, name.clone(), outside);
            }
        }
        let allowed = column
            .allowed
            .iter()
            .map(|text| col(name.clone()).eq(constant(text, column.ty)))
            .reduce(Expr::or);
        if let Some(allowed) = allowed {
            self.mask(stage, index, Code::NotAllowed, name.clone(), allowed.not());
        }
        if column.on_error == OnError::Null {
            self.null_the_wrong(stage, index, &name);
        }
        if column.required {
            let mask = mask_name(index, self.masks.len());
            self.required.push(col(name.clone()).is_null().alias(mask.clone()));
            self.masks.push(MaskColumn {
                name: mask,
                column: index,
                code: Code::Required,
                shown: name,
            });
        }
    }

    fn null_the_wrong(&self, stage: &mut Stage, index: usize, name: &PlSmallStr) {
        let of_column = self.masks.iter().filter(|mask| mask.column == index);
        if let Some(wrong) = of_column.map(|mask| col(mask.name.clone())).reduce(Expr::or) {
            let kept = when(wrong).then(lit(NULL)).otherwise(col(name.clone()));
            stage.nulled.push(kept.alias(name.clone()));
        }
    }

    fn mask(
        &mut self,
        stage: &mut Stage,
        column: usize,
        code: Code,
        shown: PlSmallStr,
        wrong: Expr,
    ) {
        let name = mask_name(column, self.masks.len());
        stage.checks.push(wrong.fill_null(lit(false)).alias(name.clone()));
        self.masks.push(MaskColumn { name, column, code, shown });
    }
}

/// The frame's column of a slot.
pub fn slot_name(slot: usize) -> PlSmallStr {
    PlSmallStr::from_string(slot.to_string())
}

/// What an `sql` expression gives. Names of columns never begin with a digit.
fn sql_name(column: usize) -> PlSmallStr {
    PlSmallStr::from_string(format!("{column}.sql"))
}

/// A name in an `sql` expression → what it stands for: the slot of a field, or
/// a column. Sums and products of 32 bits would wrap around without a word, so
/// that these columns come with 64.
fn bound(expr: Expr, spec: &Spec, fields: &[(usize, String)]) -> Expr {
    let Expr::Column(name) = &expr else { return expr };
    if let Some((slot, _)) = fields.iter().find(|(_, field)| field == name.as_str()) {
        return col(slot_name(*slot));
    }
    let column = spec.columns.iter().find(|column| column.name == name.as_str());
    match column.map(|column| column.ty) {
        Some(Type::Scalar(Scalar::Int32)) => expr.cast(DataType::Int64),
        _ => expr,
    }
}

fn mask_name(column: usize, mask: usize) -> PlSmallStr {
    PlSmallStr::from_string(format!("{column}.wrong.{mask}"))
}

/// Where a number is below a bound. Integers are compared as integers: as doubles
/// they would lose digits past 2^53.
fn below(name: &PlSmallStr, bound: RangeBound, scalar: Scalar) -> Expr {
    match (scalar, bound.integer_above()) {
        (Scalar::Float64, _) => col(name.clone()).lt(lit(bound.double())),
        (_, Some(least)) => col(name.clone()).lt(lit(least)),
        (_, None) => col(name.clone()).is_not_null(),
    }
}

/// Where a number is above a bound.
fn above(name: &PlSmallStr, bound: RangeBound, scalar: Scalar) -> Expr {
    match (scalar, bound.integer_below()) {
        (Scalar::Float64, _) => col(name.clone()).gt(lit(bound.double())),
        (_, Some(greatest)) => col(name.clone()).gt(lit(greatest)),
        (_, None) => col(name.clone()).is_not_null(),
    }
}

/// A value of the given type from its text, the same in every row.
fn constant(text: &str, ty: Type) -> Expr {
    let literal = match ty.scalar() {
        Scalar::Int32 | Scalar::Int64 => value::int(text).ok().map(lit),
        Scalar::Float64 => value::float(text).ok().map(lit),
        Scalar::Bool => value::boolean(text).ok().map(lit),
        Scalar::String => Some(lit(text)),
        Scalar::Timestamp | Scalar::Date => {
            let rules =
                TextRules { formats: super::time::defaults(ty.scalar()), ..TextRules::default() };
            return run(Kernel::new(&rules, ty), lit(text)).struct_().field_by_name(VALUE);
        }
    };
    literal.unwrap_or_else(|| lit(NULL)).cast(dtype(ty))
}

/// Parts side by side, as a list of elements of the given type.
fn array(parts: &[Expr], element: Type) -> Expr {
    let ty = DataType::List(Box::new(dtype(element)));
    map_multiple(
        |columns| side_by_side(columns),
        parts,
        move |_, fields| {
            let name = fields.first().map_or(PlSmallStr::EMPTY, |field| field.name().clone());
            Ok(Field::new(name, ty.clone()))
        },
    )
}

/// An expression that runs a kernel.
fn run(kernel: Kernel, texts: Expr) -> Expr {
    let kernel = Arc::new(kernel);
    let fields =
        vec![Field::new(VALUE.into(), kernel.dtype()), Field::new(NOTE.into(), DataType::UInt32)];
    texts.map(
        move |column| {
            let texts = column.str()?;
            let (values, notes) = kernel.run(texts)?;
            let values = values.with_name(VALUE.into());
            let notes = Series::new(NOTE.into(), notes);
            let both = StructChunked::from_series(
                column.name().clone(),
                texts.len(),
                [values, notes].iter(),
            )?;
            Ok(both.into_column())
        },
        move |_, field| Ok(Field::new(field.name().clone(), DataType::Struct(fields.clone()))),
    )
}

/// The slots that `spec` reads, each with the columns that read it.
pub fn readers(spec: &Spec) -> Vec<Vec<usize>> {
    let of_slot = |(slot, _): (usize, &Slot)| {
        let reads = |column: &&(usize, &Column)| column.1.source.slots().contains(&slot);
        let columns: Vec<(usize, &Column)> = spec.columns.iter().enumerate().collect();
        columns.iter().filter(reads).map(|(index, _)| *index).collect()
    };
    spec.slots.iter().enumerate().map(of_slot).collect()
}
