//! `pinclean optimize`: small files, packed into larger ones.

use arrow::datatypes::DataType;

use super::ending;
use super::tables::{self, Finished};
use crate::delta::{Log, arrow_schema};
use crate::optimize::Optimizer;
use crate::pipeline::report::Packed;
use crate::settings::{Optimize, Ui};
use crate::signals::Stop;
use crate::store::{Output, Session, Store, blame_signal};
use crate::{Error, Result};

/// Packs the small files of tables into larger ones, in commits that change no
/// data: a commit for each table and each quarantine.
///
/// # Errors
/// [`Error::Usage`] for a table that is not there or has no such column to sort
/// by. [`Error::Ahead`] if another writer was first in one of them; the others
/// are packed all the same. Otherwise the first failure ends it, and what was
/// packed before stays so.
pub fn optimize(settings: &Optimize, ui: &Ui, run_id: &str) -> Result<()> {
    let runtime = super::runtime()?;
    let stop = Stop::listen(runtime.handle())?;
    let session = Session::new(settings.tables.s3.clone()).stopped_by(stop.clone());
    let optimizer = Optimizer {
        runtime: runtime.handle(),
        stop: &stop,
        id: run_id,
        target_size: settings.target_size,
        memory: settings.memory,
    };
    let optimized = runtime
        .block_on(Store::for_changing(&settings.tables.url, &session, settings.durability))
        .and_then(|store| below(&Output::new(&store), settings, &optimizer, ui));
    optimized.map_err(|error| blame_signal(error, &stop))
}

/// [`optimize`] below an output that is open already, whatever place the settings
/// name.
///
/// # Errors
/// As [`optimize`].
pub fn below(
    output: &Output,
    settings: &Optimize,
    optimizer: &Optimizer<'_>,
    ui: &Ui,
) -> Result<()> {
    let tables = optimizer.runtime.block_on(tables::find(output, &settings.tables.names))?;
    let packed = all(&tables, optimizer, settings.sort.as_deref(), ui);
    ending::gravest([packed, optimizer.runtime.block_on(output.finish())])
}

fn all(tables: &[Finished], optimizer: &Optimizer, sort: Option<&str>, ui: &Ui) -> Result<()> {
    if let Some(column) = sort {
        tables.iter().try_for_each(|table| check_sort(table, column))?;
    }
    let (mut ahead, mut shown) = (Ok(()), Ok(()));
    for Finished { logs, .. } in tables {
        let name = logs.name();
        // The quarantine has columns of its own: it keeps its order.
        let parts: [(&Log, String, _); 2] =
            [(logs.rows(), name.to_owned(), sort), (logs.rejects(), quarantine(name), None)];
        for (log, name, sort) in parts {
            match optimizer.pack(log, &name, sort, 0) {
                Ok(_) if ui.quiet => {}
                // The other tables are packed whether or not there is anyone to tell.
                Ok(packed) => {
                    shown = shown.and_then(|()| super::print(&line(&name, packed.as_ref())));
                }
                Err(error @ Error::Ahead { .. }) => {
                    tracing::warn!("{name} stays as it is: {error}");
                    ahead = Err(error);
                }
                Err(error) => return ending::gravest([Err(error), shown]),
            }
        }
    }
    ending::gravest([ahead, shown])
}

fn quarantine(table: &str) -> String {
    format!("_quarantine/{table}")
}

fn line(name: &str, packed: Option<&Packed>) -> String {
    match packed {
        None => format!("{name}: nothing to pack\n"),
        Some(packed) => format!(
            "{name}: {} files of {} bytes became {} of {} bytes\n",
            packed.files, packed.bytes, packed.into_files, packed.into_bytes
        ),
    }
}

/// Refuses to sort by what is no column of the files, or has no order.
fn check_sort(table: &Finished, column: &str) -> Result<()> {
    let Finished { logs, state } = table;
    let schema = arrow_schema(&state.schema());
    let field = schema.as_ref().and_then(|schema| schema.field_with_name(column).ok());
    let problem = match field.map(|field| field.data_type()) {
        None => "has no such column: name the TABLEs that do",
        Some(DataType::LargeList(_) | DataType::LargeBinary) => "has lists in it, with no order",
        _ if state.partition_columns().iter().any(|name| name == column) => {
            "is partitioned by it: each file has one value"
        }
        _ => return Ok(()),
    };
    let name = logs.name();
    Err(Error::Usage(format!("--sort {column}: table {name} {problem}")))
}
