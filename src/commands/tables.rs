//! Finished Delta tables, found below the place that they were written to.

use crate::delta::State;
use crate::pipeline::commit::{Holds, TableLogs};
use crate::settings::Tables;
use crate::store::{Output, Session, Store};
use crate::{Error, Result};

/// A table, as it was when the command began.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its logs.
    pub logs: TableLogs,
    /// The latest version of its rows. The quarantine may lag behind it until
    /// [`TableLogs::settle`].
    pub state: State,
}

/// Opens the tables that a command was told to work on, in the order of their
/// names. At least one.
///
/// # Errors
/// Those of the store; [`Error::Usage`] if there is no such table, or none at
/// all; [`Error::BadTable`] or [`Error::TableFeatures`] for what is none of ours.
pub async fn open(tables: &Tables, session: &Session) -> Result<Vec<Finished>> {
    let store = Store::open(&tables.url, session).await?;
    find(&Output::new(&store), &tables.names).await
}

/// As [`open`], below an output that is open already: the tables of these names,
/// or all if there are none.
///
/// # Errors
/// As [`open`].
pub async fn find(output: &Output, names: &[String]) -> Result<Vec<Finished>> {
    match names {
        [] => all(output).await,
        names => named(output, names).await,
    }
}

async fn all(output: &Output) -> Result<Vec<Finished>> {
    let (mut finished, mut plain) = (Vec::new(), Vec::new());
    for (logs, holds) in TableLogs::look_into(output, TableLogs::folders(output).await?).await? {
        match holds {
            Ok(Holds::Table(state)) => finished.push(Finished { logs, state }),
            Ok(Holds::Manifests) => plain.push(logs.name().to_owned()),
            Ok(Holds::Stranger(problem)) => {
                tracing::debug!("{} is passed over: {problem}", logs.rows().place());
            }
            Ok(Holds::Nothing) => {}
            // A stranger's table may be of any kind; one of ours may have become it.
            Err(error @ Error::TableFeatures { .. }) => {
                tracing::warn!("passed over: {error}");
            }
            Err(error) => return Err(error),
        }
    }
    let place = &output.url;
    match (finished.is_empty(), plain.is_empty()) {
        (false, true) => {}
        (false, false) => tracing::warn!(
            "{} in {place}: tables of --format parquet are passed over, only Delta tables can be \
             worked on",
            plain.join(", ")
        ),
        (true, false) => return Err(Error::Usage(plain_parquet(&plain.join(", "), place))),
        (true, true) => {
            return Err(Error::Usage(format!(
                "there are no Delta tables of pinclean in {place}: name the --out of `pinclean \
                 run` with --tables"
            )));
        }
    }
    Ok(finished)
}

async fn named(output: &Output, names: &[String]) -> Result<Vec<Finished>> {
    let mut names = names.to_vec();
    names.sort_unstable();
    let mut finished = Vec::new();
    for (logs, holds) in TableLogs::look_into(output, names).await? {
        match holds? {
            Holds::Table(state) => finished.push(Finished { logs, state }),
            Holds::Manifests => {
                return Err(Error::Usage(plain_parquet(logs.name(), &output.url)));
            }
            Holds::Stranger(problem) => {
                let place = logs.rows().place();
                return Err(Error::BadTable { place, problem: format!("{problem}; leave it out") });
            }
            Holds::Nothing => return Err(missing(output, logs.name()).await?),
        }
    }
    Ok(finished)
}

/// Says of a table that is not there which ones are.
async fn missing(output: &Output, name: &str) -> Result<Error> {
    let found = TableLogs::look_into(output, TableLogs::folders(output).await?).await?;
    let ours = found.iter().filter(|(_, holds)| matches!(holds, Ok(Holds::Table(_))));
    let ours: Vec<&str> = ours.map(|(logs, _)| logs.name()).collect();
    let there = match ours.is_empty() {
        true => "there is none; name the --out of `pinclean run` with --tables".to_owned(),
        false => format!("there are {}", ours.join(", ")),
    };
    Ok(Error::Usage(format!("TABLE: there is no table {name} in {}: {there}", output.url)))
}

fn plain_parquet(names: &str, place: &str) -> String {
    format!(
        "{names} in {place}: plain Parquet has no log to work on; `pinclean run` with --format \
         delta and another --out writes Delta tables"
    )
}

#[cfg(test)]
mod tests;
