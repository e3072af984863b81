//! What a transform asks of the format of its table.

use crate::error::{Error, Result};
use crate::settings::Format;
use crate::spec::Spec;

/// Whether the format can do what every transform asks for: told before
/// anything is read.
///
/// # Errors
/// [`Error::Usage`] naming the first file that asks for more.
pub fn check_format(specs: &[Spec], format: Format) -> Result<()> {
    match format {
        Format::Delta => Ok(()),
        Format::Parquet => specs.iter().try_for_each(fits_parquet),
    }
}

/// Plain Parquet has no log that holds the values of partitions, or that could
/// replace rows in one step.
fn fits_parquet(spec: &Spec) -> Result<()> {
    let keys = [("partition_by", &spec.partition_by), ("unique_by", &spec.unique_by)];
    match keys.into_iter().find(|(_, columns)| !columns.is_empty()) {
        None => Ok(()),
        Some((key, _)) => Err(Error::Usage(format!(
            "{}: `{key}` needs a Delta table: use --format delta, or leave out `{key}`",
            spec.file
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse;

    #[test]
    fn plain_parquet_takes_no_key_that_needs_a_log() {
        for (keys, expected) in [
            ("", None),
            ("partition_by = ['a']", Some("`partition_by` needs a Delta table")),
            ("unique_by = ['a']", Some("`unique_by` needs a Delta table")),
        ] {
            let columns = ["a", "b"].map(|name| {
                format!("[[column]]\nname = '{name}'\ntype = 'string'\nfield = '{name}'\n")
            });
            let head = "version = 1\ntable = 't'\ntopics = ['t']";
            let text = format!("{head}\n{keys}\n{}", columns.concat());
            let checked = check_format(&[parse("mine/t.toml", &text).unwrap()], Format::Parquet);
            match (checked, expected) {
                (Ok(()), None) => {}
                (Err(error), Some(expected)) => {
                    assert_eq!(error.exit_code(), 2);
                    let text = error.to_string();
                    assert!(text.contains("mine/t.toml") && text.contains(expected), "{text}");
                }
                (checked, _) => panic!("{keys}: {checked:?}"),
            }
        }
    }
}
