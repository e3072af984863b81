//! Field names → slots, guessed from the order of the record before.

use std::collections::{BTreeMap, HashMap};

use crate::spec::{Spec, Unknown};

/// At most so many unknown names are counted apart; a record whose keys are
/// data would otherwise fill the report.
const UNKNOWN_NAMES: usize = 1_000;

/// Longer names are not counted apart: a name is no place for data.
const NAME_BYTES: usize = 256;

/// What the others are counted under.
const OTHER_NAMES: &str = "(other names)";

/// All that is known of field names.
pub struct Fields {
    by_name: HashMap<String, Field>,
    /// The names of the last record, in its order.
    order: Vec<(String, Field)>,
    /// Where each known field's value goes.
    targets: Vec<Vec<Target>>,
    unknown: Vec<(String, u64)>,
    /// Whether unknown fields are kept.
    pub keep_unknown: bool,
    /// How many slots there are.
    pub slots: usize,
}

/// What a field name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A field that is read, by its number.
    Known(usize),
    /// A field that the transform knows and does not read.
    Ignored,
    /// A field that the transform does not know, by its counter.
    Unknown(usize),
}

/// A slot that a field feeds, and the field's rank among the slot's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The slot.
    pub slot: usize,
    /// 0 for the first name.
    pub rank: u32,
}

impl Fields {
    /// The fields of a spec.
    pub fn new(spec: &Spec) -> Fields {
        let mut by_name = HashMap::new();
        let mut targets: Vec<Vec<Target>> = Vec::new();
        for (slot, names) in spec.slots.iter().map(|slot| &slot.names).enumerate() {
            for (rank, name) in names.iter().enumerate() {
                let next = Field::Known(targets.len());
                let field = *by_name.entry(name.clone()).or_insert(next);
                if field == next {
                    targets.push(Vec::new());
                }
                if let Field::Known(known) = field {
                    targets[known].push(Target { slot, rank: rank as u32 });
                }
            }
        }
        for name in &spec.ignore {
            by_name.entry(name.clone()).or_insert(Field::Ignored);
        }
        Fields {
            by_name,
            order: Vec::new(),
            targets,
            unknown: Vec::new(),
            keep_unknown: spec.unknown == Unknown::Keep,
            slots: spec.slots.len(),
        }
    }

    /// How many fields are read.
    pub fn known(&self) -> usize {
        self.targets.len()
    }

    /// Where a known field's value goes.
    pub fn targets(&self, known: usize) -> &[Target] {
        &self.targets[known]
    }

    /// What the name of a record's `position`-th field means.
    pub fn find(&mut self, position: usize, name: &str) -> Field {
        if let Some((guess, field)) = self.order.get(position)
            && guess == name
        {
            return *field;
        }
        let field = self.look_up(name);
        if name.len() > NAME_BYTES {
            return field;
        }
        let met = (name.to_owned(), field);
        if position < self.order.len() {
            self.order[position] = met;
        } else if position == self.order.len() && position < UNKNOWN_NAMES {
            self.order.push(met);
        }
        field
    }

    fn look_up(&mut self, name: &str) -> Field {
        if let Some(field) = self.by_name.get(name) {
            return *field;
        }
        let apart = self.unknown.len() < UNKNOWN_NAMES && name.len() <= NAME_BYTES;
        let name = if apart { name } else { OTHER_NAMES };
        if let Some(field) = self.by_name.get(name) {
            return *field;
        }
        let field = Field::Unknown(self.unknown.len());
        self.unknown.push((name.to_owned(), 0));
        self.by_name.insert(name.to_owned(), field);
        field
    }

    /// Counts an unknown field of a record that became a row.
    pub fn count_unknown(&mut self, counter: usize) {
        self.unknown[counter].1 += 1;
    }

    /// The counts of unknown fields since the last call.
    pub fn take_unknown(&mut self) -> BTreeMap<String, u64> {
        let seen = self.unknown.iter_mut().filter(|(_, count)| *count > 0);
        seen.map(|(name, count)| (name.clone(), std::mem::take(count))).collect()
    }
}
