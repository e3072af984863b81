//! Texts → texts: views into the same bytes, but for what was replaced.

use std::borrow::Cow;

use polars::prelude::PolarsResult;
use polars_arrow::array::{Array, BinaryViewArray, Utf8ViewArray, View};
use polars_arrow::bitmap::{BitmapBuilder, MutableBitmap};
use polars_arrow::datatypes::ArrowDataType;

use super::Kernel;
use crate::spec::note::Note;

impl Kernel {
    /// Takes each text through the rules: what is left of them, and the notes.
    pub(super) fn texts(&self, texts: &Utf8ViewArray) -> PolarsResult<(Utf8ViewArray, Vec<u32>)> {
        match self.only_nulls() {
            true => Ok(self.nulled(texts)),
            false => self.edited(texts),
        }
    }

    /// The texts without those that mean null. Only the bits that say so change.
    fn nulled(&self, texts: &Utf8ViewArray) -> (Utf8ViewArray, Vec<u32>) {
        let mut notes = vec![0; texts.len()];
        let mut validity = None;
        for (row, view) in texts.views().iter().enumerate() {
            if !self.nulls.may_match(view) {
                continue;
            }
            let Some(rule) = texts.get(row).and_then(|text| self.nulls.rule(text)) else {
                continue;
            };
            let mut note = Note::default();
            note.nulled(rule);
            notes[row] = note.bits();
            validity.get_or_insert_with(|| given(texts)).set(row, false);
        }
        match validity {
            Some(validity) => (texts.clone().with_validity(Some(validity.into())), notes),
            None => (texts.clone(), notes),
        }
    }

    fn edited(&self, texts: &Utf8ViewArray) -> PolarsResult<(Utf8ViewArray, Vec<u32>)> {
        let mut notes = Vec::with_capacity(texts.len());
        let mut views = Vec::with_capacity(texts.len());
        let mut validity = BitmapBuilder::with_capacity(texts.len());
        let mut buffers = texts.data_buffers().clone().to_vec();
        let mut replaced = Vec::new();
        for (view, text) in texts.views().iter().zip(texts.iter()) {
            let mut note = Note::default();
            let left = text.and_then(|text| {
                Some(match self.edit(text, &mut note)? {
                    Cow::Borrowed(part) => part_of(*view, text, part),
                    Cow::Owned(new) => {
                        View::new_with_buffers(new.as_bytes(), buffers.len() as u32, &mut replaced)
                    }
                })
            });
            notes.push(note.bits());
            views.push(left.unwrap_or_default());
            validity.push(left.is_some());
        }
        if notes.iter().all(|bits| *bits == 0) {
            return Ok((texts.clone(), notes));
        }
        buffers.extend(replaced.into_iter().map(Into::into));
        let validity = validity.into_opt_validity();
        let (views, buffers) = (views.into(), buffers.into());
        let bytes = BinaryViewArray::try_new(ArrowDataType::BinaryView, views, buffers, validity)?;
        Ok((bytes.to_utf8view()?, notes))
    }
}

/// Which of the texts are some, to be changed.
fn given(texts: &Utf8ViewArray) -> MutableBitmap {
    match texts.validity() {
        Some(validity) => validity.clone().make_mut(),
        None => MutableBitmap::from_len_set(texts.len()),
    }
}

/// The view of a part of a text. One of a text within the view is within it too:
/// its place in the buffers is not used.
fn part_of(view: View, text: &str, part: &str) -> View {
    if part.len() == text.len() {
        return view;
    }
    let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    View::new_from_bytes(part.as_bytes(), view.buffer_idx, view.offset.wrapping_add(start as u32))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::spec::{Replace, Scalar, TextRules, Type};

    const LONG: &str = "Local save in /data/travel";

    fn run(rules: TextRules, texts: &[Option<&str>]) -> (Utf8ViewArray, Utf8ViewArray) {
        let before = Utf8ViewArray::from_slice(texts);
        let kernel = Kernel::new(&rules, Type::Scalar(Scalar::String));
        let (after, notes) = kernel.texts(&before).unwrap();
        assert_eq!(notes.len(), after.len());
        (before, after)
    }

    fn all(array: &Utf8ViewArray) -> Vec<Option<&str>> {
        array.iter().collect()
    }

    fn replace(pattern: &str, with: &str) -> TextRules {
        let rule = Replace { pattern: Regex::new(pattern).unwrap(), with: with.to_owned() };
        TextRules { replace: vec![rule], ..TextRules::default() }
    }

    #[test]
    fn texts_that_no_rule_touches_are_the_same_views() {
        let strip = |text: &str| TextRules {
            strip_prefix: Some(text.to_owned()),
            null_values: vec!["none".to_owned()],
            ..TextRules::default()
        };
        let nulls = TextRules { null_values: vec!["none".to_owned()], ..TextRules::default() };
        for rules in [TextRules::default(), nulls, strip("saved"), replace("x", "y")] {
            let texts = [Some(LONG), None, Some(""), Some("a")];
            let (before, after) = run(rules, &texts);
            assert_eq!(all(&after), texts);
            assert_eq!(after.views().as_ptr(), before.views().as_ptr());
        }
    }

    #[test]
    fn a_null_text_keeps_its_view_and_loses_its_bit() {
        let null_values = vec![String::new(), LONG.to_owned()];
        let rules = TextRules { null_values, ..TextRules::default() };
        let (before, after) = run(rules, &[Some("a"), None, Some(""), Some(LONG), Some("b")]);
        assert_eq!(all(&after), [Some("a"), None, None, None, Some("b")]);
        assert_eq!(after.views().as_ptr(), before.views().as_ptr());
        assert_eq!(before.null_count(), 1);
    }

    #[test]
    fn parts_of_texts_are_views_into_the_same_bytes() {
        let long = "é and more than twelve bytes";
        let rules = TextRules {
            trim: true,
            strip_prefix: Some("Local ".to_owned()),
            strip_suffix: Some(" EUR".to_owned()),
            ..TextRules::default()
        };
        let padded = format!("  Local {long} EUR ");
        let cases = [
            (Some(padded.as_str()), Some(long)),
            (None, None),
            // Left is what fits into a view, and what was in one all the time.
            (Some("Local and longer EUR"), Some("and longer")),
            (Some(" Local é "), Some("é")),
            (Some("Local "), Some("Local")),
            (Some(long), Some(long)),
            (Some("      "), Some("")),
        ];
        let (before, after) = run(rules, &cases.map(|(text, _)| text));
        assert_eq!(all(&after), cases.map(|(_, left)| left));
        assert_eq!(after.data_buffers().len(), before.data_buffers().len());
        assert_eq!(after.data_buffers()[0].as_ptr(), before.data_buffers()[0].as_ptr());
    }

    #[test]
    fn only_what_is_replaced_has_new_bytes() {
        let long = "x".repeat(40);
        let texts = [Some(LONG), Some(long.as_str()), None, Some("x"), Some(long.as_str())];
        let (before, after) = run(replace("x", "éé"), &texts);
        let new = "éé".repeat(40);
        let expected = [Some(LONG), Some(new.as_str()), None, Some("éé"), Some(new.as_str())];
        assert_eq!(all(&after), expected);
        let kept = before.data_buffers().len();
        assert_eq!(after.data_buffers()[0].as_ptr(), before.data_buffers()[0].as_ptr());
        let added: usize = after.data_buffers()[kept..].iter().map(|buffer| buffer.len()).sum();
        assert_eq!(added, 2 * new.len());
    }

    #[test]
    fn a_slice_of_texts_is_edited_as_it_stands() {
        let rules = TextRules { strip_prefix: Some("Local ".to_owned()), ..TextRules::default() };
        let kernel = Kernel::new(&rules, Type::Scalar(Scalar::String));
        let texts = Utf8ViewArray::from_slice([Some("Local a"), None, Some(LONG), Some("b")]);
        let (after, notes) = kernel.texts(&texts.sliced(1, 2)).unwrap();
        assert_eq!(all(&after), [None, Some("save in /data/travel")]);
        assert_eq!(notes.len(), 2);
    }
}
