//! The JSON fields that are read, each once for each way of reading.

use crate::spec::{Scalar, Slot, TextRules, Wire};

/// The slots of a spec while its columns are checked.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// The number of the slot that reads these names this way.
    pub(super) fn get(&mut self, names: &[&str], reading: &SlotReading) -> usize {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let SlotReading { wire, nulls } = reading.clone();
        let slot = Slot { names, wire, nulls };
        self.0.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.0.push(slot);
            self.0.len() - 1
        })
    }

    pub(super) fn into_inner(self) -> Vec<Slot> {
        self.0
    }
}

/// How a slot reads its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotReading {
    wire: Wire,
    /// The texts that the decoder makes null.
    nulls: Vec<String>,
}

impl SlotReading {
    /// A reading without texts that mean null.
    pub(super) fn of(wire: Wire) -> SlotReading {
        SlotReading { wire, nulls: Vec::new() }
    }

    /// Returns how a value of the type is read: straight, unless its text matters
    /// for more than being null.
    pub(super) fn new(scalar: Scalar, rules: &TextRules, is_any_allowed: bool) -> SlotReading {
        let wire = match scalar {
            Scalar::Int32 | Scalar::Int64 => Wire::Int,
            Scalar::Float64 => Wire::Float,
            Scalar::Bool => Wire::Bool,
            Scalar::String | Scalar::Timestamp | Scalar::Date => return Self::of(Wire::Text),
        };
        match is_any_allowed && rules.only_null_values() {
            true => SlotReading { wire, nulls: rules.null_values.clone() },
            false => Self::of(Wire::Text),
        }
    }
}
