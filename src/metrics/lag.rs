//! How far tables are behind their source. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::pipeline::discover::{Discovered, Latest, Total};

/// How far one table was behind its source when the run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Objects that were listed, and that neither this run nor one before it committed;
    /// `None` if that is not known.
    pub objects: Option<u64>,
    /// How much later the newest object was written than the newest that was
    /// committed; 0 if all are. `None` if either is not known.
    pub seconds: Option<i64>,
    /// When the newest object was written, new or not.
    pub newest: Option<DateTime<Utc>>,
}

/// The lag of each table that has a topic, when a run ended that had listed all.
///
/// `tables` are their names, in the order of their specs; `committed` says which of
/// them the run has committed. A run that `rebuilds` and failed lists what the table
/// holds and what it lacks alike: of its tables only the newest object is known.
pub fn lag(
    discovered: &Discovered,
    tables: &[&str],
    rebuilds: bool,
    committed: impl Fn(&str) -> bool,
) -> BTreeMap<String, Lag> {
    let mut found: BTreeMap<&str, (Total, Latest)> = BTreeMap::new();
    for topic in discovered.topics.values() {
        if let Some(table) = tables.get(topic.table) {
            let (new, latest) = found.entry(table).or_default();
            *new += topic.new;
            *latest += topic.latest;
        }
    }
    let of = |(table, (new, latest)): (&str, (Total, Latest))| {
        let (objects, seconds) = match new.objects {
            0 => (Some(0), Some(0)),
            _ if committed(table) => (Some(0), Some(0)),
            _ if rebuilds => (None, None),
            objects => (Some(objects), behind(latest)),
        };
        (table.to_owned(), Lag { objects, seconds, newest: latest.listed })
    };
    found.into_iter().map(of).collect()
}

/// In whole seconds, and never less than none: a clock may have been set back.
fn behind(latest: Latest) -> Option<i64> {
    Some((latest.listed? - latest.committed?).num_seconds().max(0))
}
