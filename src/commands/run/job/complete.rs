//! Whether all that was listed was read: counted at both ends of the engine.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::key::Source;
use crate::pipeline::discover::{Discovered, Total};
use crate::pipeline::work::Done;

/// Compares, source by source, what was listed with what was worked.
///
/// # Errors
/// [`Error::Internal`] with the first source that differs.
pub fn check_complete(discovered: &Discovered, done: &[Done]) -> Result<()> {
    let mut worked: BTreeMap<&Source, Total> = BTreeMap::new();
    for shard in done {
        let (objects, bytes) = (shard.counts.objects, shard.listed_bytes);
        *worked.entry(&shard.source).or_default() += Total { objects, bytes };
    }
    compare(discovered.sources.iter().map(|(source, total)| (source, *total)), &worked)
}

fn compare<'a>(
    listed: impl Iterator<Item = (&'a Source, Total)>,
    worked: &BTreeMap<&Source, Total>,
) -> Result<()> {
    let listed: BTreeMap<&Source, Total> = listed.collect();
    let either = listed.keys().chain(worked.keys());
    let of =
        |totals: &BTreeMap<&Source, Total>, source| totals.get(source).copied().unwrap_or_default();
    let differs = either.map(|source| (*source, of(&listed, *source), of(worked, *source)));
    match differs.into_iter().find(|(_, listed, worked)| listed != worked) {
        None => Ok(()),
        Some((source, listed, worked)) => Err(Error::Internal {
            stage: "work",
            message: format!(
                "{} objects of {}/{} were listed, and {} were read",
                listed.objects, source.topic, source.directory, worked.objects
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Topic;

    fn source(partition: u32) -> Source {
        let topic = Topic::parse("t").unwrap();
        Source { topic, directory: format!("partition={partition}").into(), partition }
    }

    #[test]
    fn a_source_that_was_not_read_whole_fails_the_run() {
        let (a, b) = (source(0), source(1));
        let total = |objects, bytes| Total { objects, bytes };
        let listed = [(&a, total(2, 10)), (&b, total(1, 5))];
        let cases: &[(&[(&Source, Total)], bool)] = &[
            (&listed, true),
            (&[(&a, total(2, 10))], false),
            (&[(&a, total(1, 10)), (&b, total(1, 5))], false),
            (&[(&a, total(2, 9)), (&b, total(1, 5))], false),
            (&[], false),
        ];
        for (worked, sound) in cases {
            let compared = compare(listed.into_iter(), &worked.iter().copied().collect());
            assert_eq!(compared.is_ok(), *sound, "{worked:?}");
        }
        let unlisted = BTreeMap::from([(&a, total(1, 1))]);
        assert!(compare(std::iter::empty(), &unlisted).is_err());
    }
}
