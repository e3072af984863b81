//! Raw values → one column a slot.

use polars::prelude::*;
use polars_buffer::Buffer;

use super::cells::{Cells, Value};
use crate::arrow_bridge::TextColumn;
use crate::code::Code;
use crate::spec::{RESCUED, Spec, Unknown, Wire};
use crate::value;

/// Values in messages are cut after so many characters.
const SHOWN: usize = 80;

/// A record of the documented shape has about so many bytes; only a hint for
/// how much room to make.
const BYTES_A_ROW: usize = 256;

/// The columns of one batch under way.
pub struct Columns {
    slots: Vec<Builder>,
    rescued: Option<TextColumn>,
    height: usize,
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
        Columns {
            slots: spec.slots.iter().map(|slot| builder(slot.wire)).collect(),
            rescued: (spec.unknown == Unknown::Keep).then(|| TextColumn::new(bytes, rows)),
            height: 0,
        }
    }

    /// Appends one record as a row. A value that is not what its slot wants
    /// becomes null and is reported to `fault`.
    pub fn push(&mut self, cells: &Cells, text: &str, fault: &mut OnFault<'_>) {
        for (slot, builder) in self.slots.iter_mut().enumerate() {
            match cells.value(slot, text) {
                None => builder.push_null(),
                Some(value) => {
                    if let Err(code) = builder.push(value) {
                        builder.push_null();
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

    /// The finished frame: a column a slot, named by its index.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let name = |slot: usize| PlSmallStr::from_string(slot.to_string());
        let slots = self.slots.into_iter().enumerate();
        let columns = slots.map(|(slot, builder)| builder.finish().with_name(name(slot)));
        let rescued = self.rescued.map(|builder| builder.finish(RESCUED.into()).into_column());
        DataFrame::new(self.height, columns.chain(rescued).collect())
    }
}

impl Builder {
    /// Appends a value, or nothing if it is wrong.
    #[inline]
    fn push(&mut self, value: Value<'_>) -> Result<(), Code> {
        match self {
            Builder::Text(builder) => push_text(builder, value)?,
            Builder::Array(builder) if value.json.starts_with('[') => builder.push(value.json),
            Builder::Array(_) => return Err(Code::Type),
            Builder::Int(builder) => builder.append_value(number(value, value::int)?),
            Builder::Float(builder) => builder.append_value(number(value, value::float)?),
            Builder::Bool(builder) => builder.append_value(number(value, value::boolean)?),
        }
        Ok(())
    }

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

/// A number or boolean as it stands, or a string that is one.
#[inline]
fn number<T>(value: Value<'_>, read: impl Fn(&str) -> Result<T, Code>) -> Result<T, Code> {
    if value.json.starts_with('"') {
        return read(&value::unescape(value.json).ok_or(Code::InvalidEscape)?);
    }
    read(value.json)
}

/// A value for a message: its first characters.
fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
