//! How much of a table's fields a text holds.

use std::collections::BTreeSet;

use memchr::memmem;

use super::super::fields::{Field, Fields};
use super::super::record;
use super::super::wrapper::Wrapper;
use super::{inner_records, text_inside};

/// Counts the fields of a table in a text.
#[derive(Clone, Copy)]
pub struct Score<'f> {
    /// The table's fields.
    pub fields: &'f Fields,
}

impl Score<'_> {
    /// Returns how many known fields there are in what a wrapper holds, opened down
    /// to `left` layers.
    pub fn inside(self, wrapper: Wrapper, value: &[u8], left: usize) -> usize {
        let records = inner_records(wrapper, value).into_iter();
        records.map(|record| self.of(record, left)).max().unwrap_or(0)
    }

    fn of(self, text: &[u8], left: usize) -> usize {
        match text.first() {
            Some(b'{') => self.of_object(text, left),
            Some(b'"') => match (text_inside(text), left.checked_sub(1)) {
                (Some(inner), Some(left)) => self.of(&inner, left),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// Counts the fields of an object, or those of the best record that it wraps.
    fn of_object(self, text: &[u8], left: usize) -> usize {
        let (mut known, mut inside, mut before, mut is_deletion) = (BTreeSet::new(), 0, 0, false);
        let is_sound = record::visit(text, |name, value| {
            match (self.fields.meaning(name), left.checked_sub(1)) {
                (Some(Field::Known(number)), _) => _ = known.insert(number),
                (Some(Field::Wrapper(_, Wrapper::Before)), Some(left)) => {
                    before = self.inside(Wrapper::Before, value, left).max(before);
                }
                (Some(Field::Wrapper(_, wrapper)), Some(left)) => {
                    is_deletion |= wrapper == Wrapper::After && value == b"null";
                    inside = self.inside(wrapper, value, left).max(inside);
                }
                _ => {}
            }
        });
        if !is_sound {
            return self.mentioned(text);
        }
        // What was deleted counts, so that the deletion is found and rejected.
        let deleted = if is_deletion { before } else { 0 };
        known.len().max(inside).max(deleted)
    }

    /// Counts the fields whose names are in a text that is not sound. So a record
    /// that was cut off is rejected, and its envelope is not taken for a record.
    fn mentioned(self, text: &[u8]) -> usize {
        let is_name = |name: &&str| {
            let quoted = format!("\"{name}\"");
            memmem::find_iter(text, &quoted)
                .any(|at| record::trim(&text[at + quoted.len()..]).first() == Some(&b':'))
        };
        self.fields.known_names().filter(is_name).count()
    }
}
