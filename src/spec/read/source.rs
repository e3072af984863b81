//! Where a column's values come from → a checked [`Source`].

use toml::Spanned;

use super::check::{Check, text};
use super::raw::RawColumn;
use super::slots::SlotReading;
use crate::spec::{Scalar, Source, TextRules, Type, Wire};

impl Check<'_> {
    /// The source of a column by the source key that it has.
    pub(super) fn source(
        &mut self,
        index: usize,
        kind: &'static str,
        ty: Option<Type>,
    ) -> Option<Source> {
        let raw = &self.raw.columns[index];
        let span = &raw.keys[kind];
        if let Some(Type::List(scalar)) = ty
            && !matches!(kind, "field" | "array")
        {
            let message = format!("`{kind}` gives no list<{scalar}>: use `array` or `field`");
            self.problem(span, message);
        }
        match kind {
            "field" => self.field(raw, ty),
            "array" => self.array(raw, ty),
            "concat" => self.concat(raw, ty),
            "constant" => self.constant(raw, ty),
            _ => self.sql(index),
        }
    }

    fn field(&mut self, raw: &RawColumn, ty: Option<Type>) -> Option<Source> {
        self.field_names("field", &raw.field);
        let rules = self.text_rules(raw, ty);
        let reading = match ty? {
            Type::Scalar(scalar) => SlotReading::new(scalar, &rules, raw.allowed.is_empty()),
            Type::List(_) => SlotReading::of(Wire::Array),
        };
        let names: Vec<_> = raw.field.iter().map(|name| name.get_ref().as_str()).collect();
        Some(Source::Field { slot: self.slots.get(&names, &reading), rules })
    }

    fn array(&mut self, raw: &RawColumn, ty: Option<Type>) -> Option<Source> {
        self.field_names("array", &raw.array);
        if let Some(Type::Scalar(scalar)) = ty {
            let message = format!("`array` gives a list: the type must be list<{scalar}>");
            self.problem(&raw.keys["array"], message);
        }
        let rules = self.text_rules(raw, ty);
        let reading = SlotReading::new(ty?.scalar(), &rules, true);
        Some(Source::Array { slots: self.one_slot_each(&raw.array, &reading), rules })
    }

    fn concat(&mut self, raw: &RawColumn, ty: Option<Type>) -> Option<Source> {
        self.field_names("concat", &raw.concat);
        if let Some(Type::Scalar(scalar)) = ty
            && scalar != Scalar::String
        {
            let message = format!("`concat` gives a string, not {scalar}");
            self.problem(&raw.keys["concat"], message);
        }
        let rules: TextRules = self.text_rules(raw, ty);
        let slots = self.one_slot_each(&raw.concat, &SlotReading::of(Wire::Text));
        Some(Source::Concat { slots, separator: text(&raw.separator), rules })
    }

    fn constant(&mut self, raw: &RawColumn, ty: Option<Type>) -> Option<Source> {
        let constant = raw.constant.as_ref()?;
        // A constant of a list type was reported already.
        let Type::Scalar(scalar) = ty? else { return None };
        let value = constant.get_ref().text(scalar);
        if value.is_none() {
            self.problem(&constant.span(), format!("this is no value of type {scalar}"));
        }
        value.map(Source::Constant)
    }

    fn one_slot_each(&mut self, names: &[Spanned<String>], reading: &SlotReading) -> Vec<usize> {
        names.iter().map(|name| self.slots.get(&[name.get_ref()], reading)).collect()
    }
}
