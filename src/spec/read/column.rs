//! One `[[column]]` → a checked [`Column`].

use toml::Spanned;

use super::check::{Check, text};
use super::raw::RawColumn;
use crate::near::hint;
use crate::spec::{Column, OnError, Range, RangeBound, Scalar, Type};
use crate::value;

const SOURCES: [&str; 5] = ["field", "array", "concat", "constant", "sql"];
const TEXT_RULES: [&str; 8] = [
    "trim",
    "null_values",
    "null_patterns",
    "strip_prefix",
    "strip_suffix",
    "replace",
    "suffixes",
    "formats",
];
const VALUE_RULES: [&str; 4] = ["required", "range", "allowed", "on_error"];

impl Check<'_> {
    pub(super) fn column(&mut self, index: usize) -> Option<Column> {
        let raw = &self.raw.columns[index];
        let ty = self.scope.columns[index].ty;
        let kind = self.source_kind(raw);
        if let Some(kind) = kind {
            self.keys_without_effect(raw, kind, ty);
        }
        let source = kind.and_then(|kind| self.source(index, kind, ty));
        let range = self.range(raw, ty);
        let allowed = self.allowed(raw, ty);
        let on_error = self.on_error(raw);
        Some(Column {
            name: raw.name.as_ref()?.get_ref().clone(),
            ty: ty?,
            comment: text(&raw.comment),
            source: source?,
            required: raw.required,
            range,
            allowed,
            on_error,
            hidden: raw.hidden,
        })
    }

    /// Which of the source keys is there; just one may be.
    fn source_kind(&mut self, raw: &RawColumn) -> Option<&'static str> {
        let mut there: Vec<_> = SOURCES
            .iter()
            .filter_map(|source| raw.keys.get(*source).map(|span| (span.start, *source)))
            .collect();
        there.sort_unstable();
        for (_, second) in there.iter().skip(1) {
            let first = there[0].1;
            let message = format!("a column has one source, and this one has `{first}` already");
            self.problem(&raw.keys[*second], message);
        }
        let kind = there.first().map(|(_, kind)| *kind);
        if kind.is_none() {
            let all = SOURCES.map(|source| format!("`{source}`")).join(", ");
            self.problem(&raw.span, format!("a column needs a source, one of {all}"));
        }
        kind
    }

    /// Reports keys that would be parsed and ignored.
    fn keys_without_effect(&mut self, raw: &RawColumn, kind: &'static str, ty: Option<Type>) {
        for (key, span) in &raw.keys {
            let key = key.as_str();
            let text_rule = TEXT_RULES.contains(&key);
            let message = match kind {
                "constant" if text_rule || VALUE_RULES.contains(&key) => {
                    format!("`{key}` has no effect on a constant")
                }
                "sql" if text_rule => format!("`{key}` has no effect on `sql`: write it in SQL"),
                "field" if text_rule && key != "formats" && matches!(ty, Some(Type::List(_))) => {
                    format!("`{key}` has no effect on a list that is read from one field")
                }
                _ if key == "separator" && kind != "concat" => {
                    "`separator` has no effect without `concat`".to_owned()
                }
                _ => match effect(key, ty) {
                    Some(types) => {
                        format!("`{key}` has no effect on {}: it is for {types}", name(ty))
                    }
                    None => continue,
                },
            };
            self.problem(span, message);
        }
    }

    fn range(&mut self, raw: &RawColumn, ty: Option<Type>) -> Option<Range> {
        let range = raw.range.as_ref()?;
        let value =
            |bound: &Option<Spanned<RangeBound>>| bound.as_ref().map(|bound| *bound.get_ref());
        let (min, max) = (value(&range.min), value(&range.max));
        if [min, max].into_iter().flatten().any(|bound| !bound.double().is_finite()) {
            self.problem(&range.span, "a bound must be finite; leave it out for none");
        } else if min.is_none() && max.is_none() {
            self.problem(&range.span, "`range` has neither `min` nor `max`");
        } else if let (Some(min), Some(max)) = (min, max)
            && min.is_above(max)
        {
            self.problem(&range.span, format!("`min` {min} is more than `max` {max}"));
        }
        for bound in [&range.min, &range.max].into_iter().flatten() {
            self.bound_of_floats(bound, ty);
        }
        // A range of another type is reported as without effect.
        is_number(ty?).then_some(Range { min, max })
    }

    /// Reports a bound of a float column that no double holds.
    fn bound_of_floats(&mut self, bound: &Spanned<RangeBound>, ty: Option<Type>) {
        if let RangeBound::Integer(integer) = *bound.get_ref()
            && ty == Some(Type::Scalar(Scalar::Float64))
            && value::float(&integer.to_string()).is_err()
        {
            self.problem(&bound.span(), format!("{integer} does not fit float64"));
        }
    }

    fn allowed(&mut self, raw: &RawColumn, ty: Option<Type>) -> Vec<String> {
        let Some(Type::Scalar(scalar)) = ty else { return Vec::new() };
        let mut allowed = Vec::new();
        for value in &raw.allowed {
            match value.get_ref().text(scalar) {
                Some(text) => allowed.push(text),
                None => self.problem(&value.span(), format!("this is no value of type {scalar}")),
            }
        }
        allowed
    }

    fn on_error(&mut self, raw: &RawColumn) -> OnError {
        let Some(value) = &raw.on_error else { return OnError::default() };
        let on_error = match value.get_ref().as_str() {
            "quarantine" => OnError::Quarantine,
            "null" => OnError::Null,
            "fail" => OnError::Fail,
            other => {
                let hint = hint(other, ["quarantine", "null", "fail"]);
                self.problem(&value.span(), format!("unknown value `{other}`{hint}"));
                OnError::default()
            }
        };
        if on_error == OnError::Null && raw.required {
            self.problem(&value.span(), "a required column cannot become null");
        }
        on_error
    }

    /// Reports empty names and, for `field`, names that stand twice.
    pub(super) fn field_names(&mut self, key: &str, names: &[Spanned<String>]) {
        for (index, name) in names.iter().enumerate() {
            if name.get_ref().is_empty() {
                self.problem(&name.span(), "a field's name cannot be empty");
            } else if key == "field" && names[..index].iter().any(|n| n.get_ref() == name.get_ref())
            {
                self.problem(&name.span(), format!("`{}` is listed already", name.get_ref()));
            }
        }
    }
}

/// The types that a key is for, if it has no effect on this one.
fn effect(key: &str, ty: Option<Type>) -> Option<&'static str> {
    let ty = ty?;
    let (fits, types) = match key {
        "range" => (is_number(ty), "int32, int64 and float64"),
        "allowed" => {
            let Type::Scalar(scalar) = ty else { return Some("string, int32 and int64") };
            let exact = matches!(scalar, Scalar::String | Scalar::Int32 | Scalar::Int64);
            (exact, "string, int32 and int64")
        }
        "suffixes" => (is_number(Type::Scalar(ty.scalar())), "int32, int64 and float64"),
        "formats" => {
            (matches!(ty.scalar(), Scalar::Timestamp | Scalar::Date), "timestamp and date")
        }
        _ => return None,
    };
    (!fits).then_some(types)
}

fn is_number(ty: Type) -> bool {
    matches!(ty, Type::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Float64))
}

fn name(ty: Option<Type>) -> String {
    ty.map(|ty| ty.to_string()).unwrap_or_default()
}
