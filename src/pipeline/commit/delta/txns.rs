//! Watermarks as transactions of the table's log.
//!
//! A `txn` action is a name and a number; the latest of each name survives in
//! every checkpoint. A source takes three:
//!
//! | name | number |
//! |---|---|
//! | `pinclean/<table>/<topic>/<directory>/<partition>` | start offset of the last committed object; −1 if none is any more |
//! | `pinclean.end/<table>/…` | the offset after its last record |
//! | `pinclean.last/<table>/…` | its size in bytes × 4 + how its name ended |
//!
//! A directory may be empty and may hold slashes; a topic and a partition hold
//! none, so that a name is taken apart from both ends.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::Transaction;
use crate::key::{Extension, Source, Topic};
use crate::pipeline::discover::{LastObject, Watermark, Watermarks};

const START: &str = "pinclean";
const END: &str = "pinclean.end";
const LAST: &str = "pinclean.last";

/// No object of the source is in the table.
const NONE: i64 = -1;

/// The application that counts, in a table's log, the commits which have rejects.
pub fn rejects_app(table: &str) -> String {
    format!("pinclean.rejects/{table}")
}

/// The application that counts, in the log of a quarantine, those of them which
/// it has taken over. `id` is that of the table of rows: one that was begun again
/// counts anew, and its quarantine may be older.
pub fn settled_app(table: &str, id: &str) -> String {
    format!("pinclean.rejects/{table}/{id}")
}

/// The watermarks that the transactions of a table's log say.
pub fn watermarks(table: &str, txns: &BTreeMap<String, i64>) -> Watermarks {
    let prefix = format!("{START}/{table}/");
    let own = txns.range(prefix.clone()..).take_while(|(app, _)| app.starts_with(&prefix));
    own.filter_map(|(app, &start)| {
        let name = app.strip_prefix(&prefix)?;
        let start = u64::try_from(start).ok()?;
        let number = |of: &str| txns.get(&format!("{of}/{table}/{name}")).copied();
        let end = number(END).and_then(|end| u64::try_from(end).ok()).unwrap_or(start + 1);
        let last = number(LAST).and_then(unpack);
        Some((source(name)?, Watermark { start, end, last }))
    })
    .collect()
}

/// The transactions that say how far a run got.
pub fn transactions(table: &str, reached: &Watermarks) -> Vec<Transaction> {
    let of = |(source, watermark): (&Source, &Watermark)| {
        let name = name(source);
        let number = |of: &str, n: i64| Transaction::new(format!("{of}/{table}/{name}"), n);
        [
            number(START, signed(watermark.start)),
            number(END, signed(watermark.end)),
            number(LAST, watermark.last.map_or(NONE, pack)),
        ]
    };
    reached.iter().flat_map(of).collect()
}

/// The transactions that say of sources that nothing of them is in the table.
pub fn forgotten<'a>(table: &str, sources: impl Iterator<Item = &'a Source>) -> Vec<Transaction> {
    sources.map(|source| Transaction::new(start_app(table, source), NONE)).collect()
}

/// The names of what must not have moved for sources to be committed. The last
/// object may be written anew under its name: then only its size tells that
/// another run has read it.
pub fn fence<'a>(table: &str, sources: impl Iterator<Item = &'a Source>) -> BTreeSet<String> {
    sources
        .flat_map(|source| [start_app(table, source), format!("{LAST}/{table}/{}", name(source))])
        .collect()
}

fn start_app(table: &str, source: &Source) -> String {
    format!("{START}/{table}/{}", name(source))
}

fn name(source: &Source) -> String {
    format!("{}/{}/{}", source.topic, source.directory, source.partition)
}

fn source(name: &str) -> Option<Source> {
    let (topic, rest) = name.split_once('/')?;
    let (directory, partition) = rest.rsplit_once('/')?;
    Some(Source {
        topic: Topic::parse(topic)?,
        directory: directory.into(),
        partition: partition.parse().ok()?,
    })
}

/// Kafka's offsets are signed, and names of greater ones are not read.
fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn pack(last: LastObject) -> i64 {
    let ending = match last.extension {
        Extension::Json => 0,
        Extension::JsonGz => 1,
    };
    signed(last.size.saturating_mul(4).saturating_add(ending))
}

fn unpack(n: i64) -> Option<LastObject> {
    let n = u64::try_from(n).ok()?;
    let extension = match n % 4 {
        0 => Extension::Json,
        1 => Extension::JsonGz,
        _ => return None,
    };
    Some(LastObject { size: n / 4, extension })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_back(reached: &Watermarks) -> Watermarks {
        let txns = transactions("pin", reached);
        watermarks("pin", &txns.into_iter().map(|txn| (txn.app_id, txn.version)).collect())
    }

    fn source(directory: &str, partition: u32) -> Source {
        Source { topic: Topic::parse("a.pin").unwrap(), directory: directory.into(), partition }
    }

    proptest! {
        #[test]
        fn watermarks_survive_the_log(
            sources in prop::collection::btree_map(
                ("[a-z=/0-9 ]{0,20}", any::<u32>()),
                (0..i64::MAX as u64 - 9, 0..9_u64, prop::option::of((0..1_u64 << 50, any::<bool>()))),
                0..8,
            )
        ) {
            let reached: Watermarks = sources
                .into_iter()
                .map(|((directory, partition), (start, more, last))| {
                    let extension = |gz| if gz { Extension::JsonGz } else { Extension::Json };
                    let last = last.map(|(size, gz)| LastObject { size, extension: extension(gz) });
                    (source(&directory, partition), Watermark { start, end: start + more, last })
                })
                .collect();
            prop_assert_eq!(read_back(&reached), reached);
        }
    }

    #[test]
    fn another_tables_transactions_are_not_ours() {
        let watermark = Watermark { start: 7, end: 9, last: None };
        let reached = Watermarks::from([(source("partition=0", 0), watermark)]);
        let mut txns: BTreeMap<String, i64> =
            transactions("pin2", &reached).into_iter().map(|t| (t.app_id, t.version)).collect();
        txns.insert("pinclean/pin".to_owned(), 3);
        txns.insert("pinclean/pin/x".to_owned(), 3);
        txns.insert("spark-job".to_owned(), 3);
        assert!(watermarks("pin", &txns).is_empty());
    }

    #[test]
    fn a_source_that_was_forgotten_has_no_watermark() {
        let there = source("partition=0", 0);
        let txns = forgotten("pin", [&there].into_iter());
        let txns = txns.into_iter().map(|t| (t.app_id, t.version)).collect();
        assert!(watermarks("pin", &txns).is_empty());
    }
}
