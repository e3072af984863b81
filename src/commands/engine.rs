//! The tables that are asked, and what happens where Polars gives up.

use std::panic::PanicHookInfo;

use tokio::runtime::Runtime;

use crate::query::Catalog;
use crate::settings::Snapshot;
use crate::store::Session;
use crate::{Error, Result, logging};

/// The tables to ask. From then on a panic ends the process with words,
/// and what Polars warns of is logged.
///
/// # Errors
/// Those of [`Catalog::open`].
pub(super) fn open(snapshot: &Snapshot, session: &Session, runtime: &Runtime) -> Result<Catalog> {
    explain_panics();
    polars::error::set_warning_function(|warning, _| tracing::debug!("polars: {warning}"));
    runtime.block_on(Catalog::open(&snapshot.url, snapshot.as_of, session))
}

/// Lets a panic end the process as an error does. Over some SQL, such as
/// `INTERVAL '1 fortnight'`, Polars panics where it should refuse; with `panic = "abort"`
/// nothing could catch that.
fn explain_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let error = explained(panic);
        logging::failure(&error);
        std::process::exit(error.exit_code().into());
    }));
}

fn explained(panic: &PanicHookInfo<'_>) -> Error {
    let message = panic.payload_as_str().unwrap_or("no reason given");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    of(message, &place)
}

/// Our own code does not panic; the standard library does on behalf of others.
fn of(message: &str, place: &str) -> Error {
    let line = message.lines().next().unwrap_or_default();
    if place.contains("polars") || place.contains("sqlparser") {
        return Error::Sql(format!(
            "the SQL engine cannot do this and gave up ({line}): ask in another way"
        ));
    }
    Error::Internal { stage: "query", message: format!("{line} ({place})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_engine_is_a_mistake_in_the_sql_and_any_other_is_ours() {
        let of_polars = of("no entry\nmore", "/x/polars-sql-0.55.2/src/context.rs:1:2");
        assert_eq!(of_polars.exit_code(), 2);
        assert!(of_polars.to_string().contains("gave up (no entry)"), "{of_polars}");
        let other = of("bad", "src/query.rs:1:2");
        assert_eq!(other.exit_code(), 1);
        assert!(other.to_string().contains("bad (src/query.rs:1:2)"), "{other}");
    }
}
