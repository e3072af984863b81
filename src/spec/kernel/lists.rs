//! JSON arrays → lists.

use polars::prelude::*;
use polars_arrow::array::{MutablePlString, Utf8ViewArray};
use polars_arrow::bitmap::BitmapBuilder;
use sonic_rs::to_array_iter;

use super::Kernel;
use crate::code::Code;
use crate::spec::Scalar;
use crate::spec::list::list;
use crate::spec::note::Note;
use crate::value;

/// One array: whether there is one, and how many of its elements were read.
struct Row {
    array: Result<Option<()>, Code>,
    count: usize,
}

impl Kernel {
    /// A row's note sums up those of its elements.
    pub(super) fn lists(
        &self,
        arrays: &Utf8ViewArray,
        scalar: Scalar,
    ) -> PolarsResult<(Series, Vec<u32>)> {
        let mut elements = MutablePlString::with_capacity(arrays.len());
        let mut rows = Vec::with_capacity(arrays.len());
        for array in arrays.iter() {
            let before = elements.len();
            let array = array.map(|array| flatten(array, &mut elements)).transpose();
            rows.push(Row { array, count: elements.len() - before });
        }
        let (flat, flat_notes) = self.scalars(&elements.into(), scalar)?;
        let mut kept = vec![true; flat.len()];
        let mut notes = Vec::with_capacity(rows.len());
        let mut lengths = Vec::with_capacity(rows.len());
        let mut validity = BitmapBuilder::with_capacity(rows.len());
        let mut start = 0;
        for Row { array, count } in rows {
            let range = start..start + count;
            start = range.end;
            let mut note = Note::default();
            match array {
                Ok(_) => flat_notes[range.clone()]
                    .iter()
                    .for_each(|bits| note.merge(Note::from_bits(*bits))),
                Err(code) => note.fault(code),
            }
            let right = note.code().is_none();
            if !right {
                kept[range].fill(false);
            }
            lengths.push(if right { count } else { 0 });
            validity.push(right && array == Ok(Some(())));
            notes.push(note.bits());
        }
        let flat = match kept.contains(&false) {
            true => flat.filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &kept))?,
            false => flat,
        };
        Ok((list(&flat, lengths.into_iter(), validity.into_opt_validity())?, notes))
    }
}

/// Appends the elements of a JSON array, as text; null for null.
fn flatten(array: &str, elements: &mut MutablePlString) -> Result<(), Code> {
    for element in to_array_iter(array) {
        let element = element.map_err(|_| Code::Type)?;
        let json = element.as_raw_str().trim_ascii();
        match json.as_bytes().first() {
            Some(b'n') => elements.push_null(),
            Some(b'"') => {
                elements.push_value(value::unescape(json).ok_or(Code::InvalidEscape)?);
            }
            Some(b'{' | b'[') | None => return Err(Code::Type),
            Some(_) => elements.push_value(json),
        }
    }
    Ok(())
}
