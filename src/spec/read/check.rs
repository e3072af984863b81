//! The mirror of a transforms file → a checked [`Spec`].

use globset::Glob;
use toml::Spanned;

use super::found::{Found, Span};
use super::raw::RawSpec;
use super::scope::{Scope, read_fields};
use super::slots::Slots;
use crate::near::hint;
use crate::spec::{Column, Source, Spec, TopicGlob, Unknown, is_table_name};

/// A file under checking.
pub(super) struct Check<'a> {
    pub(super) raw: &'a RawSpec,
    pub(super) scope: Scope,
    pub(super) slots: Slots,
    pub(super) found: &'a mut Found,
}

impl<'a> Check<'a> {
    /// Checks a file. `hash`, `file` and the lines of examples are left to the
    /// caller, who has the text: an example's line is its byte until then.
    ///
    /// The spec counts only if no problem was found.
    pub(super) fn spec(raw: &'a RawSpec, found: &'a mut Found) -> Option<Spec> {
        let scope = Scope::of(raw, found);
        let mut check = Check { raw, scope, slots: Slots::default(), found };
        check.version();
        check.field_lists();
        let table = check.table();
        let topics = check.topics();
        let unknown = check.unknown();
        let columns = (0..raw.columns.len()).map(|index| check.column(index)).collect::<Vec<_>>();
        let examples = raw.examples.iter().map(|raw| check.example(raw)).collect::<Vec<_>>();
        check.some_column_is_written();
        check.fields_are_used(&columns);
        let partition_by = check.partition_by();
        let unique_by = check.unique_by();
        Some(Spec {
            table: table?,
            description: text(&raw.description),
            topics,
            columns: columns.into_iter().collect::<Option<_>>()?,
            unknown,
            ignore: raw.ignore.iter().map(|field| field.get_ref().clone()).collect(),
            partition_by,
            unique_by,
            slots: check.slots.into_inner(),
            examples: examples.into_iter().collect::<Option<_>>()?,
            hash: String::new(),
            file: String::new(),
        })
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, span: &Span, message: impl Into<String>) {
        self.found.add(span, message);
    }

    fn version(&mut self) {
        if let Some(version) = &self.raw.version
            && *version.get_ref() != 1
        {
            let message = format!("version {} is not known; this is version 1", version.get_ref());
            self.problem(&version.span(), message);
        }
    }

    fn table(&mut self) -> Option<String> {
        let table = self.raw.table.as_ref()?;
        let name = table.get_ref();
        if !is_table_name(name) {
            let message =
                format!("`{name}` is no table name: use a-z, 0-9, `_` and `-`, and begin with a-z");
            self.problem(&table.span(), message);
        }
        Some(name.clone())
    }

    fn topics(&mut self) -> Vec<TopicGlob> {
        self.raw.topics.iter().filter_map(|pattern| self.topic(pattern)).collect()
    }

    fn topic(&mut self, pattern: &Spanned<String>) -> Option<TopicGlob> {
        match Glob::new(pattern.get_ref()) {
            Ok(glob) => Some(TopicGlob {
                pattern: pattern.get_ref().clone(),
                matcher: glob.compile_matcher(),
            }),
            Err(error) => {
                let message = format!("`{}` is no glob: {}", pattern.get_ref(), error.kind());
                self.problem(&pattern.span(), message);
                None
            }
        }
    }

    fn unknown(&mut self) -> Unknown {
        let Some(value) = &self.raw.unknown else { return Unknown::Count };
        match value.get_ref().as_str() {
            "count" => Unknown::Count,
            "keep" => Unknown::Keep,
            other => {
                let hint = hint(other, ["count", "keep"]);
                self.problem(&value.span(), format!("unknown value `{other}`{hint}"));
                Unknown::Count
            }
        }
    }

    /// `ignore` and `fields` against the fields that columns read.
    fn field_lists(&mut self) {
        for list in [&self.raw.ignore, &self.raw.fields] {
            for (index, field) in list.iter().enumerate() {
                let name = field.get_ref();
                let read =
                    self.raw.columns.iter().flat_map(read_fields).any(|f| f.get_ref() == name);
                if list[..index].iter().any(|above| above.get_ref() == name) {
                    self.problem(&field.span(), format!("`{name}` is listed already"));
                } else if read {
                    self.problem(
                        &field.span(),
                        format!("a column reads `{name}`: leave it out here"),
                    );
                }
            }
        }
        for field in &self.raw.ignore {
            if self.raw.fields.iter().any(|other| other.get_ref() == field.get_ref()) {
                let message = format!("`{}` is in `fields` too", field.get_ref());
                self.problem(&field.span(), message);
            }
        }
    }

    /// Hidden columns and listed fields are there for `sql` columns only.
    fn fields_are_used(&mut self, columns: &[Option<Column>]) {
        // A column with a problem may be the one that names them.
        let Some(columns) = columns.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else {
            return;
        };
        let used = |name: &str| {
            columns.iter().any(|column| match &column.source {
                Source::Sql { fields, columns, .. } => {
                    columns.iter().any(|c| c == name) || fields.iter().any(|(_, f)| f == name)
                }
                _ => false,
            })
        };
        for raw in self.raw.columns.iter().filter(|raw| raw.hidden) {
            if !raw.name.as_ref().is_some_and(|name| used(name.get_ref())) {
                self.found.add(&raw.keys["hidden"], "no `sql` names this hidden column");
            }
        }
        for field in self.raw.fields.iter().filter(|field| !used(field.get_ref())) {
            self.found.add(&field.span(), format!("no `sql` names `{}`", field.get_ref()));
        }
    }

    fn some_column_is_written(&mut self) {
        if let Some(first) = self.raw.columns.first()
            && self.scope.columns.iter().all(|column| column.hidden)
        {
            self.problem(&first.span, "every column is hidden, so none is written");
        }
    }
}

/// The text, or none.
pub(super) fn text(value: &Option<Spanned<String>>) -> String {
    value.as_ref().map(|value| value.get_ref().clone()).unwrap_or_default()
}
