//! Raw values → one column a slot.

use polars::prelude::*;
use polars_buffer::Buffer;

use super::cells::{Cells, Value};
use super::null_texts::{NullTexts, NulledText};
use crate::arrow_bridge::TextColumn;
use crate::code::Code;
use crate::spec::{RESCUED, Slot, Spec, Unknown, Wire};
use crate::value;

/// Values in messages are cut after so many characters.
const SHOWN: usize = 80;

/// A record of the documented shape has about so many bytes; only a hint for
/// how much room to make.
const BYTES_A_ROW: usize = 256;

/// The columns of one batch under way.
pub struct Columns {
    slots: Vec<SlotColumn>,
    rescued: Option<TextColumn>,
    height: usize,
}

/// The column of one slot, and the texts that are null in it.
struct SlotColumn {
    builder: Builder,
    nulls: NullTexts,
}

enum Builder {
    Text(TextColumn),
    Array(TextColumn),
    Int(PrimitiveChunkedBuilder<Int64Type>),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Bool(BooleanChunkedBuilder),
}

/// Takes a fault: slot, code, and the value as it was.
pub type OnFault<'a> = dyn FnMut(usize, Code, String) + 'a;

impl Columns {
    /// Empty columns for records that lie in `bytes`; their texts stay there.
    pub fn new(spec: &Spec, bytes: &Buffer<u8>) -> Columns {
        let rows = bytes.len() / BYTES_A_ROW + 1;
        let builder = |wire: Wire| match wire {
            Wire::Text => Builder::Text(TextColumn::new(bytes, rows)),
            Wire::Array => Builder::Array(TextColumn::new(bytes, rows)),
            Wire::Int => Builder::Int(PrimitiveChunkedBuilder::new(PlSmallStr::EMPTY, rows)),
            Wire::Float => Builder::Float(PrimitiveChunkedBuilder::new(PlSmallStr::EMPTY, rows)),
            Wire::Bool => Builder::Bool(BooleanChunkedBuilder::new(PlSmallStr::EMPTY, rows)),
        };
        let column = |slot: &Slot| SlotColumn {
            builder: builder(slot.wire),
            nulls: NullTexts::new(&slot.nulls),
        };
        Columns {
            slots: spec.slots.iter().map(column).collect(),
            rescued: (spec.unknown == Unknown::Keep).then(|| TextColumn::new(bytes, rows)),
            height: 0,
        }
    }

    /// Appends one record as a row. A value that is not what its slot wants
    /// becomes null and is reported to `fault`.
    pub fn push(&mut self, cells: &Cells, text: &str, fault: &mut OnFault<'_>) {
        for (slot, column) in self.slots.iter_mut().enumerate() {
            match cells.value(slot, text) {
                None => column.builder.push_null(),
                Some(value) => {
                    if let Err(code) = column.push(value) {
                        column.builder.push_null();
                        fault(slot, code, shorten(value.json));
                    }
                }
            }
        }
        if let Some(rescued) = &mut self.rescued {
            match cells.unknown(text) {
                Some(unknown) => rescued.push(&unknown),
                None => rescued.push_null(),
            }
        }
        self.height += 1;
    }

    /// How often each text was met that is null in its slot.
    pub fn nulled(&self) -> Vec<NulledText> {
        let of_slot = |(slot, column): (usize, &SlotColumn)| {
            let counts = column.nulls.counts();
            counts.map(|(rule, count)| NulledText { slot, rule, count }).collect::<Vec<_>>()
        };
        self.slots.iter().enumerate().flat_map(of_slot).collect()
    }

    /// The finished frame: a column a slot, named by its index.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let name = |slot: usize| PlSmallStr::from_string(slot.to_string());
        let slots = self.slots.into_iter().enumerate();
        let columns = slots.map(|(slot, column)| column.builder.finish().with_name(name(slot)));
        let rescued = self.rescued.map(|builder| builder.finish(RESCUED.into()).into_column());
        DataFrame::new(self.height, columns.chain(rescued).collect())
    }
}

impl SlotColumn {
    /// Appends a value, or nothing if it is wrong.
    #[inline]
    fn push(&mut self, value: Value<'_>) -> Result<(), Code> {
        let nulls = &mut self.nulls;
        match &mut self.builder {
            Builder::Text(builder) => push_text(builder, value)?,
            Builder::Array(builder) if value.json.starts_with('[') => builder.push(value.json),
            Builder::Array(_) => return Err(Code::Type),
            Builder::Int(builder) => builder.append_option(number(value, nulls, value::int)?),
            Builder::Float(builder) => builder.append_option(number(value, nulls, value::float)?),
            Builder::Bool(builder) => builder.append_option(number(value, nulls, value::boolean)?),
        }
        Ok(())
    }
}

impl Builder {
    fn push_null(&mut self) {
        match self {
            Builder::Text(builder) | Builder::Array(builder) => builder.push_null(),
            Builder::Int(builder) => builder.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Bool(builder) => builder.append_null(),
        }
    }

    fn finish(self) -> Column {
        match self {
            Builder::Text(builder) | Builder::Array(builder) => {
                builder.finish(PlSmallStr::EMPTY).into_column()
            }
            Builder::Int(builder) => builder.finish().into_column(),
            Builder::Float(builder) => builder.finish().into_column(),
            Builder::Bool(builder) => builder.finish().into_column(),
        }
    }
}

#[inline]
fn push_text(builder: &mut TextColumn, value: Value<'_>) -> Result<(), Code> {
    match value.json.as_bytes() {
        [b'"', ..] => match inner(value) {
            Some(text) => builder.push(text),
            None => builder.push(&value::unescape(value.json).ok_or(Code::InvalidEscape)?),
        },
        [b'{' | b'[', ..] => return Err(Code::Type),
        _ => builder.push(value.json),
    }
    Ok(())
}

/// The text of a string that is known to have no escape.
#[inline]
fn inner(value: Value<'_>) -> Option<&str> {
    value.plain.then(|| value.json.get(1..value.json.len().checked_sub(1)?)).flatten()
}

/// Reads a number or boolean as it stands, or a string that is one; `None` if it
/// is a text that is null.
#[inline]
fn number<T>(
    value: Value<'_>,
    nulls: &mut NullTexts,
    read: impl Fn(&str) -> Result<T, Code>,
) -> Result<Option<T>, Code> {
    if !value.json.starts_with('"') {
        return if nulls.take_bare(value) { Ok(None) } else { read(value.json).map(Some) };
    }
    let text = value::unescape(value.json).ok_or(Code::InvalidEscape)?;
    if nulls.take(&text) { Ok(None) } else { read(&text).map(Some) }
}

/// A value for a message: its first characters.
fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
