//! Field names → slots, guessed from the records before.

use std::collections::{BTreeMap, HashMap};

use super::wrapper::Wrapper;
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
    /// Where the values of known fields go, field by field.
    targets: Vec<Target>,
    /// Of each known field, where its targets are.
    known: Vec<(usize, usize)>,
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
    token: Token,
    field: Field,
    /// The name that followed it last; [`START`] if none did.
    next: NameId,
}

/// How a writer puts a name: in quotes, with a colon.
struct Token {
    /// The first bytes, in the order of a text, and which of them count.
    word: u128,
    mask: u128,
    /// All bytes. Empty if it takes escapes: then it is found nowhere.
    bytes: Vec<u8>,
}

impl Token {
    fn new(name: &str) -> Token {
        let escaped = name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f));
        let bytes = if escaped { Vec::new() } else { format!("\"{name}\":").into_bytes() };
        let mut word = [0; WORD];
        let mut mask = [0; WORD];
        for ((word, mask), byte) in word.iter_mut().zip(&mut mask).zip(&bytes) {
            (*word, *mask) = (*byte, u8::MAX);
        }
        Token { word: u128::from_ne_bytes(word), mask: u128::from_ne_bytes(mask), bytes }
    }

    /// Where it ends in a text, if the text has it at `at`.
    #[inline]
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let found = match rest.first_chunk() {
            Some(word) if (u128::from_ne_bytes(*word) ^ self.word) & self.mask != 0 => false,
            Some(_) if self.bytes.len() <= WORD => !self.bytes.is_empty(),
            _ => !self.bytes.is_empty() && rest.starts_with(&self.bytes),
        };
        found.then_some(at + self.bytes.len())
    }
}

/// Bytes of a name that are compared in one step.
const WORD: usize = size_of::<u128>();

impl Name {
    fn new(name: &str, field: Field) -> Name {
        Name { name: name.to_owned(), token: Token::new(name), field, next: START }
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
    /// The same, with a name that envelopes have.
    Wrapper(usize, Wrapper),
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
        let mut fields = Fields {
            // The name before the first one is expected nowhere.
            names: vec![Name::new("\0", Field::Ignored)],
            by_name: HashMap::new(),
            targets: Vec::new(),
            known: Vec::new(),
            unknown: Vec::new(),
            keep_unknown: spec.unknown == Unknown::Keep,
            slots: spec.slots.len(),
        };
        let mut targets: Vec<Vec<Target>> = Vec::new();
        for (slot, names) in spec.slots.iter().map(|slot| &slot.names).enumerate() {
            for (rank, name) in names.iter().enumerate() {
                let next = Field::Known(targets.len());
                let id = fields.add(name, next);
                let field = fields.names[id].field;
                if field == next {
                    targets.push(Vec::new());
                }
                if let Field::Known(known) = field {
                    targets[known].push(Target { slot, rank: rank as u32 });
                }
            }
        }
        for mut targets in targets {
            let start = fields.targets.len();
            fields.targets.append(&mut targets);
            fields.known.push((start, fields.targets.len()));
        }
        for name in &spec.ignore {
            fields.add(name, Field::Ignored);
        }
        // Last: a name that is read or ignored is no wrapper.
        for wrapper in Wrapper::ALL {
            fields.add_unknown(wrapper.name(), |counter| Field::Wrapper(counter, wrapper));
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

    /// The number of a name that is not read, with a counter of its own if it is new.
    fn add_unknown(&mut self, name: &str, field: impl FnOnce(usize) -> Field) -> NameId {
        let next = field(self.unknown.len());
        let id = self.add(name, next);
        if self.names[id].field == next {
            self.unknown.push((name.to_owned(), 0));
        }
        id
    }

    /// What a name means that may not have been met.
    pub fn meaning(&self, name: &str) -> Option<Field> {
        self.by_name.get(name).map(|id| self.field(*id))
    }

    /// The names of the fields that are read.
    pub fn known_names(&self) -> impl Iterator<Item = &str> {
        let is_known = |name: &&Name| matches!(name.field, Field::Known(_));
        self.names.iter().filter(is_known).map(|name| name.name.as_str())
    }

    /// How many fields are read.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Where a known field's value goes.
    #[inline]
    pub fn targets(&self, known: usize) -> &[Target] {
        let (start, end) = self.known[known];
        &self.targets[start..end]
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
        Some((next, self.names[next].token.end(text, at)?))
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
        let most = UNKNOWN_NAMES + Wrapper::ALL.len();
        let apart = self.unknown.len() < most && name.len() <= NAME_BYTES;
        let name = if apart { name } else { OTHER_NAMES };
        self.add_unknown(name, Field::Unknown)
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
