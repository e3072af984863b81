//! `partition_by` and `unique_by`: lists of columns that are written.

use toml::Spanned;

use super::check::Check;
use crate::near::hint;
use crate::spec::{Scalar, Type};

/// The types that the lists take.
const TYPES: &str = "int32, int64, string, bool, timestamp and date";

impl Check<'_> {
    pub(super) fn partition_by(&mut self) -> Vec<String> {
        let raw = self.raw;
        let names = self.key_columns("partition_by", &raw.partition_by);
        // The columns are not in the files, and a file without a column has no rows.
        let mut written = self.scope.written().into_iter();
        if let Some(first) = raw.partition_by.first()
            && written.all(|column| names.iter().any(|name| name == column))
        {
            let message = "every column is in `partition_by`: at least one must not be";
            self.problem(&first.span(), message);
        }
        names
    }

    pub(super) fn unique_by(&mut self) -> Vec<String> {
        let raw = self.raw;
        self.key_columns("unique_by", &raw.unique_by)
    }

    /// The names as listed, once every problem is reported.
    fn key_columns(&mut self, key: &str, names: &[Spanned<String>]) -> Vec<String> {
        for (index, name) in names.iter().enumerate() {
            let column = name.get_ref();
            if names[..index].iter().any(|above| above.get_ref() == column) {
                self.problem(&name.span(), format!("`{column}` is listed already"));
                continue;
            }
            let Some(position) = self.written_column(name) else { continue };
            if let Some(ty) = self.scope.columns[position].ty.filter(|ty| !is_exact(*ty)) {
                let message = format!("`{column}` is {ty}, and `{key}` takes {TYPES}");
                self.problem(&name.span(), message);
            }
        }
        names.iter().map(|name| name.get_ref().clone()).collect()
    }

    /// The position of a column that is written; reports any other name.
    pub(super) fn written_column(&mut self, name: &Spanned<String>) -> Option<usize> {
        let column = name.get_ref().as_str();
        match self.scope.position(column) {
            Some(position) if self.scope.columns[position].hidden => {
                self.problem(&name.span(), format!("column `{column}` is hidden"));
                None
            }
            Some(position) => Some(position),
            None => {
                let hint = hint(column, self.scope.written());
                self.problem(&name.span(), format!("there is no column `{column}`{hint}"));
                None
            }
        }
    }
}

/// Whether two values of the type are the same one or are not.
fn is_exact(ty: Type) -> bool {
    matches!(ty, Type::Scalar(scalar) if scalar != Scalar::Float64)
}
