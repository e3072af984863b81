//! Texts that are null in a slot of numbers or bools.

use super::cells::Value;

/// A text that is null in its slot, and how often it was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NulledText {
    /// The slot.
    pub slot: usize,
    /// Which of the slot's null texts it is.
    pub rule: usize,
    /// In how many rows.
    pub count: u64,
}

/// The texts that are null in one slot, and how often each was met.
pub struct NullTexts {
    texts: Vec<String>,
    counts: Vec<u64>,
    /// Whether one of the texts may stand in a record without quotes, as `-1`.
    may_be_bare: bool,
}

impl NullTexts {
    /// The null texts of a slot.
    pub fn new(texts: &[String]) -> NullTexts {
        let is_bare = |text: &String| {
            text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | 't' | 'f'))
        };
        NullTexts {
            texts: texts.to_vec(),
            counts: vec![0; texts.len()],
            may_be_bare: texts.iter().any(is_bare),
        }
    }

    /// Returns whether a string's text is null, and counts it if so.
    #[inline]
    pub fn take(&mut self, text: &str) -> bool {
        match self.texts.iter().position(|null| null == text) {
            Some(rule) => {
                self.counts[rule] += 1;
                true
            }
            None => false,
        }
    }

    /// The same for a value that stands without quotes.
    #[inline]
    pub fn take_bare(&mut self, value: Value<'_>) -> bool {
        self.may_be_bare && self.take(value.json)
    }

    /// How often each text was met, by the number of its rule.
    pub fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }
}
