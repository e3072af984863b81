//! What happened to one text on its way to a value, in 32 bits.

use super::TextRules;
use crate::code::Code;

/// The lower half says how it ended: 0 for a value, then the null rules from 1
/// on, and from `0xF000` on the reject codes. The upper half has one bit for
/// each [`Step`] that changed the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Note(u32);

const FAULTS: u32 = 0xF000;
const END: u32 = 0xFFFF;

/// How many null rules a column may have.
pub const NULL_RULES: usize = FAULTS as usize - 1;

/// A rule that changes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// White space was removed.
    Trim,
    /// A prefix was removed.
    StripPrefix,
    /// A suffix was removed.
    StripSuffix,
    /// A pattern was replaced.
    Replace,
    /// A number's suffix was multiplied out.
    Expand,
}

impl Step {
    /// Every step, in the order in which they are done.
    pub const ALL: [Step; 5] =
        [Step::Trim, Step::StripPrefix, Step::StripSuffix, Step::Replace, Step::Expand];

    /// The rule's name in transforms and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Trim => "trim",
            Step::StripPrefix => "strip_prefix",
            Step::StripSuffix => "strip_suffix",
            Step::Replace => "replace",
            Step::Expand => "suffixes",
        }
    }

    fn bit(self) -> u32 {
        1 << (16 + self as u32)
    }
}

impl Note {
    /// A note from its bits.
    pub fn from_bits(bits: u32) -> Note {
        Note(bits)
    }

    /// The bits; 0 if nothing happened.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Notes that a step changed the text.
    pub fn did(&mut self, step: Step) {
        self.0 |= step.bit();
    }

    /// Notes a step if it made the text shorter, and returns the new text.
    pub fn changed<'t>(&mut self, step: Step, before: &'t str, after: &'t str) -> &'t str {
        if after.len() != before.len() {
            self.did(step);
        }
        after
    }

    /// Notes that a null rule matched.
    pub fn nulled(&mut self, rule: usize) {
        self.0 = (self.0 & !END) | (rule.min(NULL_RULES - 1) as u32 + 1);
    }

    /// Notes that the text was wrong.
    pub fn fault(&mut self, code: Code) {
        self.0 = (self.0 & !END) | (FAULTS + code as u32);
    }

    /// Adds what another note says; a fault wins over a null rule.
    pub fn merge(&mut self, other: Note) {
        let end = (self.0 & END).max(other.0 & END);
        self.0 = ((self.0 | other.0) & !END) | end;
    }

    /// The null rule that matched.
    pub fn null_rule(self) -> Option<usize> {
        (1..FAULTS).contains(&(self.0 & END)).then(|| (self.0 & END) as usize - 1)
    }

    /// What was wrong.
    pub fn code(self) -> Option<Code> {
        Code::ALL.get((self.0 & END).checked_sub(FAULTS)? as usize).copied()
    }

    /// The steps that changed the text.
    pub fn steps(self) -> impl Iterator<Item = Step> {
        Step::ALL.into_iter().filter(move |step| self.0 & step.bit() != 0)
    }
}

/// What the report calls a null rule.
pub fn null_label(rules: &TextRules, rule: usize) -> String {
    let exact = rules.null_values.get(rule).map(|text| format!("null_values {text:?}"));
    exact.unwrap_or_else(|| {
        let pattern = rules.null_patterns.get(rule - rules.null_values.len());
        format!("null_patterns {:?}", pattern.map_or("", |p| p.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_gives_back_what_it_was_told() {
        let mut note = Note::default();
        assert_eq!((note.bits(), note.null_rule(), note.code()), (0, None, None));
        note.did(Step::Trim);
        note.did(Step::Expand);
        note.nulled(7);
        assert_eq!(note.null_rule(), Some(7));
        assert_eq!(note.code(), None);
        note.fault(Code::Required);
        assert_eq!(note.null_rule(), None);
        assert_eq!(note.code(), Some(Code::Required));
        assert_eq!(note.steps().collect::<Vec<_>>(), [Step::Trim, Step::Expand]);
    }

    #[test]
    fn a_fault_wins_over_a_null_when_notes_are_merged() {
        let (mut nulled, mut faulty) = (Note::default(), Note::default());
        nulled.nulled(3);
        nulled.did(Step::Trim);
        faulty.fault(Code::Type);
        nulled.merge(faulty);
        assert_eq!(nulled.code(), Some(Code::Type));
        assert_eq!(nulled.steps().count(), 1);
    }
}
