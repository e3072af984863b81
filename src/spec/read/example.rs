//! One `[[example]]` → a checked [`Example`].

use serde_json::Value;
use toml::Spanned;

use super::check::{Check, text};
use super::literal::Literal;
use super::raw::{RawExample, RawReject};
use crate::code::Code;
use crate::near::hint;
use crate::spec::{Example, Expect, RESCUED, Scalar, Type};

impl Check<'_> {
    pub(super) fn example(&mut self, raw: &RawExample) -> Option<Example> {
        let row = ["output", "nulls"].into_iter().find(|key| raw.keys.contains_key(*key));
        let reject = raw.keys.get("reject");
        let expect = match (row, reject) {
            (None, None) => {
                self.problem(&raw.span, "an example needs `output`, `nulls` or `reject`");
                None
            }
            (Some(row), Some(span)) => {
                self.problem(span, format!("an example has `{row}` or `reject`, not both"));
                None
            }
            (Some(_), None) => Some(Expect::Row(self.row(raw))),
            (None, Some(_)) => self.reject(raw.reject.as_ref()?),
        };
        Some(Example {
            name: text(&raw.name),
            input: text(&raw.input),
            expect: expect?,
            line: raw.span.start,
        })
    }

    /// The values expected, in the order of the columns.
    fn row(&mut self, raw: &RawExample) -> Vec<(String, Value)> {
        if raw.output.is_empty() && raw.nulls.is_empty() {
            self.problem(&raw.span, "the example names no column");
        }
        let outputs = raw.output.iter().map(|(name, value)| (name, Some(value)));
        let nulls = raw.nulls.iter().map(|name| (name, None));
        let mut row: Vec<(usize, String, Value)> = Vec::new();
        for (name, value) in outputs.chain(nulls) {
            let Some((position, value)) = self.expected(name, value) else { continue };
            if row.iter().any(|(known, ..)| *known == position) {
                let message = format!("`{}` is expected twice", name.get_ref());
                self.problem(&name.span(), message);
            }
            row.push((position, name.get_ref().clone(), value));
        }
        row.sort_by_key(|(position, ..)| *position);
        row.into_iter().map(|(_, name, value)| (name, value)).collect()
    }

    /// One expected value, and the position of its column.
    fn expected(
        &mut self,
        name: &Spanned<String>,
        value: Option<&Spanned<Literal>>,
    ) -> Option<(usize, Value)> {
        let (position, ty) = self.output_column(name)?;
        let Some(value) = value else { return Some((position, Value::Null)) };
        let json = value.get_ref().json(ty?);
        if json.is_none()
            && let Some(ty) = ty
        {
            self.problem(&value.span(), format!("this is no value of type {ty}"));
        }
        Some((position, json?))
    }

    /// The position and the type of a column that is written.
    fn output_column(&mut self, name: &Spanned<String>) -> Option<(usize, Option<Type>)> {
        let column = name.get_ref().as_str();
        let keeps = self.raw.unknown.as_ref().is_some_and(|unknown| unknown.get_ref() == "keep");
        if column == RESCUED && keeps {
            return Some((usize::MAX, Some(Type::Scalar(Scalar::String))));
        }
        let position = self.written_column(name)?;
        Some((position, self.scope.columns[position].ty))
    }

    fn reject(&mut self, raw: &RawReject) -> Option<Expect> {
        let code = raw.code.as_ref()?;
        let name = code.get_ref();
        if Code::parse(name).is_none() {
            let hint = hint(name, Code::ALL.map(Code::as_str));
            self.problem(&code.span(), format!("unknown reject code `{name}`{hint}"));
        }
        let column = raw.column.as_ref();
        if let Some(column) = column
            && self.scope.position(column.get_ref()).is_none()
        {
            let name = column.get_ref();
            let hint = hint(name, self.scope.columns.iter().map(|known| known.name.as_str()));
            self.problem(&column.span(), format!("there is no column `{name}`{hint}"));
        }
        let column = column.map(|column| column.get_ref().clone());
        Some(Expect::Reject { code: name.clone(), column })
    }
}
