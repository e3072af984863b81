//! Field names → slots, guessed from the records before.

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
    names: Vec<Name>,
    by_name: HashMap<String, NameId>,
    /// Where each known field's value goes.
    targets: Vec<Vec<Target>>,
    unknown: Vec<(String, u64)>,
    /// Whether unknown fields are kept.
    pub keep_unknown: bool,
    /// How many slots there are.
    pub slots: usize,
}

/// A name that was met, by its number.
pub type NameId = usize;

/// What comes before the first name of a record.
pub const START: NameId = 0;

/// A name that was met, or is known.
struct Name {
    name: String,
    /// How a writer puts it: in quotes, with a colon. Empty if that takes escapes.
    token: Vec<u8>,
    field: Field,
    /// The name that followed it last; [`START`] if none did.
    next: NameId,
}

impl Name {
    fn new(name: &str, field: Field) -> Name {
        let escaped = name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f));
        let token = if escaped { String::new() } else { format!("\"{name}\":") };
        Name { name: name.to_owned(), token: token.into_bytes(), field, next: START }
    }
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
        let start = Name { token: Vec::new(), ..Name::new("", Field::Ignored) };
        let mut fields = Fields {
            names: vec![start],
            by_name: HashMap::new(),
            targets: Vec::new(),
            unknown: Vec::new(),
            keep_unknown: spec.unknown == Unknown::Keep,
            slots: spec.slots.len(),
        };
        for (slot, names) in spec.slots.iter().map(|slot| &slot.names).enumerate() {
            for (rank, name) in names.iter().enumerate() {
                let next = Field::Known(fields.targets.len());
                let id = fields.add(name, next);
                let field = fields.names[id].field;
                if field == next {
                    fields.targets.push(Vec::new());
                }
                if let Field::Known(known) = field {
                    fields.targets[known].push(Target { slot, rank: rank as u32 });
                }
            }
        }
        for name in &spec.ignore {
            fields.add(name, Field::Ignored);
        }
        fields
    }

    /// The number of a name, which is added if it is new.
    fn add(&mut self, name: &str, field: Field) -> NameId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.names.len();
        self.names.push(Name::new(name, field));
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// How many fields are read.
    pub fn known(&self) -> usize {
        self.targets.len()
    }

    /// Where a known field's value goes.
    pub fn targets(&self, known: usize) -> &[Target] {
        &self.targets[known]
    }

    /// What a name means.
    #[inline]
    pub fn field(&self, id: NameId) -> Field {
        self.names[id].field
    }

    /// The name that is likely to follow a name, if `text` has it at `at`, and
    /// where it ends there: behind the colon.
    #[inline]
    pub fn expected(&self, before: NameId, text: &[u8], at: usize) -> Option<(NameId, usize)> {
        let next = self.names[before].next;
        let token = &self.names[next].token;
        let found = !token.is_empty() && text.get(at..)?.starts_with(token);
        found.then(|| (next, at + token.len()))
    }

    /// The number of the name that follows another one in a record.
    pub fn find(&mut self, before: NameId, name: &str) -> NameId {
        let guess = self.names[before].next;
        if guess != START && self.names[guess].name == name {
            return guess;
        }
        let id = self.look_up(name);
        self.names[before].next = id;
        id
    }

    fn look_up(&mut self, name: &str) -> NameId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let apart = self.unknown.len() < UNKNOWN_NAMES && name.len() <= NAME_BYTES;
        let name = if apart { name } else { OTHER_NAMES };
        let next = Field::Unknown(self.unknown.len());
        let id = self.add(name, next);
        if self.names[id].field == next {
            self.unknown.push((name.to_owned(), 0));
        }
        id
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
