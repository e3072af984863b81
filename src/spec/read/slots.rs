//! The JSON fields that are read, each once for each way of reading.

use crate::spec::{Scalar, Slot, Wire};

/// The slots of a spec while its columns are checked.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// The number of the slot that reads these names this way.
    pub(super) fn get(&mut self, names: &[&str], wire: Wire) -> usize {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let slot = Slot { names, wire };
        self.0.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.0.push(slot);
            self.0.len() - 1
        })
    }

    pub(super) fn into_inner(self) -> Vec<Slot> {
        self.0
    }
}

/// How a value of the type is read: straight, unless its text matters.
pub(super) fn wire(scalar: Scalar, plain: bool) -> Wire {
    match scalar {
        Scalar::Int32 | Scalar::Int64 if plain => Wire::Int,
        Scalar::Float64 if plain => Wire::Float,
        Scalar::Bool if plain => Wire::Bool,
        _ => Wire::Text,
    }
}
