//! Raw values → one column a slot.

use polars::prelude::*;

use super::record::Cells;
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
    rescued: Option<StringChunkedBuilder>,
    height: usize,
}

enum Builder {
    Text(StringChunkedBuilder),
    Array(StringChunkedBuilder),
    Int(PrimitiveChunkedBuilder<Int64Type>),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Bool(BooleanChunkedBuilder),
}

/// Takes a fault: slot, code, and the value as it was.
pub type OnFault<'a> = dyn FnMut(usize, Code, String) + 'a;

impl Columns {
    /// Empty columns for about `bytes` of records.
    pub fn new(spec: &Spec, bytes: usize) -> Columns {
        let rows = bytes / BYTES_A_ROW + 1;
        let builder = |(index, wire): (usize, Wire)| {
            let name = PlSmallStr::from_string(index.to_string());
            match wire {
                Wire::Text => Builder::Text(StringChunkedBuilder::new(name, rows)),
                Wire::Array => Builder::Array(StringChunkedBuilder::new(name, rows)),
                Wire::Int => Builder::Int(PrimitiveChunkedBuilder::new(name, rows)),
                Wire::Float => Builder::Float(PrimitiveChunkedBuilder::new(name, rows)),
                Wire::Bool => Builder::Bool(BooleanChunkedBuilder::new(name, rows)),
            }
        };
        Columns {
            slots: spec.slots.iter().map(|slot| slot.wire).enumerate().map(builder).collect(),
            rescued: (spec.unknown == Unknown::Keep)
                .then(|| StringChunkedBuilder::new(RESCUED.into(), rows)),
            height: 0,
        }
    }

    /// Appends one record as a row. A value that is not what its slot wants
    /// becomes null and is reported to `fault`.
    pub fn push(&mut self, cells: &Cells, text: &[u8], fault: &mut OnFault<'_>) {
        for (slot, builder) in self.slots.iter_mut().enumerate() {
            let json = cells.value(slot, text);
            if let Err(code) = builder.push(json) {
                fault(slot, code, shorten(json.unwrap_or_default()));
            }
        }
        if let Some(rescued) = &mut self.rescued {
            rescued.append_option(cells.unknown(text));
        }
        self.height += 1;
    }

    /// The finished frame.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let columns = self.slots.into_iter().map(Builder::finish);
        let rescued = self.rescued.map(|builder| builder.finish().into_column());
        DataFrame::new(self.height, columns.chain(rescued).collect())
    }
}

impl Builder {
    fn push(&mut self, json: Option<&str>) -> Result<(), Code> {
        let Some(json) = json else {
            self.push_null();
            return Ok(());
        };
        let pushed = match self {
            Builder::Text(builder) => push_text(builder, json),
            Builder::Array(builder) if json.starts_with('[') => {
                builder.append_value(json);
                Ok(())
            }
            Builder::Array(_) => Err(Code::Type),
            Builder::Int(builder) => number(json, value::int).map(|v| builder.append_value(v)),
            Builder::Float(builder) => number(json, value::float).map(|v| builder.append_value(v)),
            Builder::Bool(builder) => number(json, value::boolean).map(|v| builder.append_value(v)),
        };
        if pushed.is_err() {
            self.push_null();
        }
        pushed
    }

    fn push_null(&mut self) {
        match self {
            Builder::Text(builder) | Builder::Array(builder) => builder.append_null(),
            Builder::Int(builder) => builder.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Bool(builder) => builder.append_null(),
        }
    }

    fn finish(self) -> Column {
        match self {
            Builder::Text(builder) | Builder::Array(builder) => builder.finish().into_column(),
            Builder::Int(builder) => builder.finish().into_column(),
            Builder::Float(builder) => builder.finish().into_column(),
            Builder::Bool(builder) => builder.finish().into_column(),
        }
    }
}

fn push_text(builder: &mut StringChunkedBuilder, json: &str) -> Result<(), Code> {
    match json.as_bytes().first() {
        Some(b'"') => builder.append_value(value::unescape(json).ok_or(Code::InvalidEscape)?),
        Some(b'{' | b'[') => return Err(Code::Type),
        _ => builder.append_value(json),
    }
    Ok(())
}

/// A number or boolean as it stands, or a string that is one.
fn number<T>(json: &str, read: fn(&str) -> Result<T, Code>) -> Result<T, Code> {
    if json.starts_with('"') {
        return read(&value::unescape(json).ok_or(Code::InvalidEscape)?);
    }
    read(json)
}

/// A value for a message: its first characters.
fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
