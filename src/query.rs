//! Questions in SQL to the tables: Polars computes, over the live files of the
//! tables that the SQL names. Nothing is ever written.
//!
//! ```text
//! SQL ─▶ statement ─▶ view (a table's log, one version) ─▶ scan (its files) ─▶ Polars ─▶ frame
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{
    Column, DataFrame, LazyFrame, NamedFrom, PolarsError, ScanArgsAnonymous, Series,
};
use polars::sql::SQLContext;
use tokio::runtime::Handle;

use self::mistake::mistake;
use self::scan::{Failed, Scan};
use self::statement::{Names, Statement};
use self::view::View;
use crate::near::near;
use crate::store::{Output, Session, Store};
use crate::{Error, Result};

mod as_of;
mod joins;
mod lists;
mod mistake;
mod order;
mod rewrite;
mod scan;
mod statement;
mod using;
mod view;
mod visit;
mod widths;
mod windows;

pub use as_of::AsOf;

/// Bytes of stack for Polars, which goes down several levels for each operator.
/// Only what is used of it takes memory.
const STACK: usize = 256 << 20;

/// The tables below a place, as SQL sees them: `pin`, and `quarantine_pin` for
/// what was rejected. A table is opened when the first question names it, and
/// stays at that version for the questions after it.
pub struct Catalog {
    output: Output,
    as_of: Option<AsOf>,
    runtime: Handle,
    opened: Mutex<BTreeMap<String, Arc<View>>>,
}

impl Catalog {
    /// The tables below a folder or an `s3://` URL. To be called on a runtime of
    /// several threads, which does the reading later on.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub async fn open(url: &str, as_of: Option<AsOf>, session: &Session) -> Result<Catalog> {
        let store = Store::open(url, session).await?;
        Ok(Catalog::over(Output::new(&store), as_of))
    }

    /// As [`open`](Self::open), below an output that is open already.
    pub fn over(output: Output, as_of: Option<AsOf>) -> Catalog {
        Catalog { output, as_of, runtime: Handle::current(), opened: Mutex::default() }
    }

    /// Answers one statement. Blocks: not to be called on a thread of the runtime.
    ///
    /// # Errors
    /// [`Error::Sql`] for a mistake in it; [`Error::Usage`] for a version that a
    /// table has not, or no longer; those of reading logs and files.
    pub fn answer(&self, sql: &str) -> Result<DataFrame> {
        let answer = || self.answer_here(sql);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK);
            let answered = thread.spawn_scoped(scope, answer).map_err(|e| e.to_string());
            answered.and_then(|thread| thread.join().map_err(|_| "the engine gave up".to_owned()))
        })
        .unwrap_or_else(|message| Err(Error::Internal { stage: "query", message }))
    }

    fn answer_here(&self, sql: &str) -> Result<DataFrame> {
        match statement::parse(sql)? {
            Statement::Query(names, sql) => self.query(&sql, &names),
            Statement::ShowTables => {
                let names = self.runtime.block_on(view::names(&self.output))?;
                frame(vec![Series::new("name".into(), names)])
            }
            Statement::Describe(name) => self.describe(&name),
        }
    }

    fn query(&self, sql: &str, names: &Names) -> Result<DataFrame> {
        let views = names.tables.iter().map(|name| self.view(name));
        let views = views.collect::<Result<Vec<_>>>()?;
        if names.defined.is_empty() {
            mistake::excluded(&names.excluded, &views)?;
        }
        let failed = Failed::default();
        let wrong = |error: &PolarsError| {
            let cause = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
            cause.unwrap_or_else(|| mistake(error, &views))
        };
        let mut context = SQLContext::new();
        for view in &views {
            let scan = Scan {
                view: Arc::clone(view),
                runtime: self.runtime.clone(),
                failed: Arc::clone(&failed),
            };
            let frame = LazyFrame::anonymous_scan(Arc::new(scan), ScanArgsAnonymous::default());
            context.register(&view.name, frame.map_err(|e| wrong(&e))?);
        }
        context.execute(sql).and_then(LazyFrame::collect).map_err(|e| wrong(&e))
    }

    fn describe(&self, name: &str) -> Result<DataFrame> {
        let view = self.view(name)?;
        let names = view.schema.fields().iter().map(|field| field.name().as_str());
        let types = view.schema.fields().iter().map(|field| view::spelt_type(field.data_type()));
        frame(vec![
            Series::new("column".into(), names.collect::<Vec<_>>()),
            Series::new("type".into(), types.collect::<Vec<_>>()),
        ])
    }

    /// A view by name, opened at most once.
    fn view(&self, name: &str) -> Result<Arc<View>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = opened.get(name) {
            return Ok(Arc::clone(view));
        }
        match self.runtime.block_on(view::open(&self.output, name, self.as_of))? {
            Some(view) => {
                let view = Arc::new(view);
                opened.insert(name.to_owned(), Arc::clone(&view));
                Ok(view)
            }
            None => Err(self.missing(name)?),
        }
    }

    /// Says of a table that is not there which ones are.
    fn missing(&self, name: &str) -> Result<Error> {
        let there = self.runtime.block_on(view::names(&self.output))?;
        let place = &self.output.url;
        if there.is_empty() {
            return Ok(Error::Usage(format!(
                "there are no tables of pinclean in {place}: name the --out of `pinclean run` \
                 with --tables"
            )));
        }
        let meant = near(name, there.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        let there = there.join(", ");
        Ok(Error::Sql(format!("there is no table {name} in {place}{meant}\nthere are {there}")))
    }
}

fn frame(columns: Vec<Series>) -> Result<DataFrame> {
    let columns = columns.into_iter().map(Column::from).collect();
    DataFrame::new_infer_height(columns)
        .map_err(|e| Error::Internal { stage: "query", message: e.to_string() })
}

#[cfg(test)]
mod tests;
