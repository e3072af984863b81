//! The tables that a replay is about: each with its transform.

use crate::delta::State;
use crate::pipeline::commit::{DeltaTable, Holds};
use crate::spec::Spec;
use crate::store::Output;
use crate::{Error, Result};

/// A table, as it is, its quarantine brought up to date.
pub struct Table<'a> {
    /// Its transform.
    pub spec: &'a Spec,
    /// Its logs.
    pub log: DeltaTable,
    /// Its rows.
    pub state: State,
}

/// The tables of these names; all that there are and that have a transform, if
/// there are no names. At least one.
///
/// # Errors
/// [`Error::Usage`] for a name without a transform or without a table, for a
/// table of plain Parquet, and if there is none; those of [`DeltaTable::read`].
pub async fn find<'a>(
    output: &Output,
    specs: &'a [Spec],
    names: &[String],
) -> Result<Vec<Table<'a>>> {
    if let Some(name) = names.iter().find(|name| specs.iter().all(|spec| spec.table != **name)) {
        let known: Vec<&str> = specs.iter().map(|spec| spec.table.as_str()).collect();
        return Err(Error::Usage(format!(
            "TABLE: no transform is for {name}, only for {}: name their folder with --transforms",
            known.join(", ")
        )));
    }
    let mut tables = Vec::new();
    for spec in specs.iter().filter(|spec| names.is_empty() || names.contains(&spec.table)) {
        match open(output, spec).await? {
            Some(table) => tables.push(table),
            None if names.is_empty() => {}
            None => {
                let (name, place) = (&spec.table, &output.url);
                return Err(Error::Usage(format!(
                    "TABLE: there is no table {name} in {place}: name the --out of `pinclean run` \
                     with --tables"
                )));
            }
        }
    }
    if tables.is_empty() {
        return Err(Error::Usage(format!(
            "no transform is for a Delta table in {}: name the --out of `pinclean run` with \
             --tables, and the folder of its transforms with --transforms",
            output.url
        )));
    }
    Ok(tables)
}

async fn open<'a>(output: &Output, spec: &'a Spec) -> Result<Option<Table<'a>>> {
    let log = DeltaTable::new(output, spec)?;
    if let Holds::Manifests = log.logs().look().await? {
        return Err(Error::Usage(format!(
            "table {} in {} is plain Parquet, and only Delta tables can be replayed: `pinclean run` \
             with --mode overwrite cleans all objects again",
            spec.table, output.url
        )));
    }
    Ok(log.read().await?.map(|state| Table { spec, log, state }))
}
