//! A table by the model, version by version, against what is found of it.

use crate::act::Act;
use crate::found::{Commit, Found};
use crate::oracle::Table;
use crate::sink::Bucket;

/// What may have changed tables since they were last looked at.
pub struct Attempt<'a> {
    pub act: Act,
    /// The objects that it could see.
    pub bucket: &'a Bucket,
    /// Tables that it committed to by its own words, where it has told.
    pub committed: Option<u64>,
    /// Whether all of it was done, with nothing in its way.
    pub whole: bool,
    /// The most objects of a shard.
    pub shard: usize,
}

/// What a table was and is.
pub struct Past {
    name: &'static str,
    now: Table,
    /// The rows of each version.
    versions: Vec<Vec<String>>,
    /// The rejects after each commit of rows that changes them.
    quarantines: Vec<Vec<String>>,
    /// How many of these the quarantine has taken over.
    settled: usize,
    /// Versions before this one may have lost files.
    kept_from: usize,
}

impl Past {
    pub fn new(name: &'static str) -> Past {
        Past {
            name,
            now: Table::default(),
            versions: Vec::new(),
            quarantines: vec![Vec::new()],
            settled: 0,
            kept_from: 0,
        }
    }

    pub fn is_begun(&self) -> bool {
        !self.versions.is_empty()
    }

    /// Whether a run would find something new.
    pub fn is_behind(&self, bucket: &Bucket) -> bool {
        self.now.after(bucket, self.name, (false, usize::MAX)).is_some()
    }

    /// An older version that must still be readable, and its rows.
    pub fn earlier(&self, nth: impl FnOnce(u64) -> u64) -> Option<(usize, &[String])> {
        let kept = self.versions.get(self.kept_from..).filter(|kept| !kept.is_empty())?;
        let version = self.kept_from + nth(kept.len() as u64) as usize;
        Some((version, &self.versions[version]))
    }

    /// Takes the commits that are new, and compares. True if there is one with
    /// rows of a run.
    pub fn follow(&mut self, found: &Found, attempt: &Attempt<'_>) -> Result<bool, String> {
        let name = self.name;
        let new = found.commits.get(self.versions.len()..);
        let new = new.ok_or_else(|| format!("{name}: commits are gone"))?;
        if attempt.act == Act::Vacuum {
            self.kept_from = found.commits.len().saturating_sub(1);
        }
        let mut written = false;
        for commit in new {
            match (commit, attempt.act) {
                (Commit::Write, Act::Run { overwrites, .. }) if !written => {
                    let next = self.now.after(attempt.bucket, name, (overwrites, attempt.shard));
                    self.now = next.ok_or_else(|| format!("{name}: a commit of nothing"))?;
                    let rejects = self.now.rejects();
                    if self.quarantines.last() != Some(&rejects) {
                        self.quarantines.push(rejects);
                    }
                    written = true;
                }
                (Commit::Replay, Act::Replay) if !written => {
                    let next = self.now.replayed();
                    self.now = next.ok_or_else(|| format!("{name}: a replay of nothing"))?;
                    self.quarantines.push(self.now.rejects());
                    written = true;
                }
                (Commit::Optimize, Act::Optimize { .. } | Act::Run { packs: true, .. }) => {}
                (Commit::Vacuum, Act::Vacuum) => {}
                (commit, act) => return Err(format!("{name}: {commit:?} by {act}: {new:?}")),
            }
            self.versions.push(self.now.rows());
        }
        same(&format!("the rows of {name}"), &found.rows, &self.now.rows())?;
        self.follow_quarantine(found, attempt.whole && attempt.act.settles())?;
        if attempt.whole && attempt.act == Act::Replay && self.now.replayed().is_some() {
            return Err(format!("{name}: the replay left something out"));
        }
        let is_packed = attempt.whole && matches!(attempt.act, Act::Optimize { .. });
        if is_packed && (found.files > 1 || found.reject_files > 1) {
            let (rows, rejects) = (found.files, found.reject_files);
            return Err(format!("{name}: {rows} files and {rejects} of rejects are not packed"));
        }
        Ok(written)
    }

    /// The quarantine may lag behind, but it goes on in the order of the commits.
    fn follow_quarantine(&mut self, found: &Found, must_settle: bool) -> Result<(), String> {
        let first = match must_settle || !found.may_lag {
            true => self.quarantines.len() - 1,
            false => self.settled,
        };
        match self.quarantines[first..].iter().rposition(|rejects| *rejects == found.rejects) {
            Some(at) => self.settled = first + at,
            None => {
                let last = &self.quarantines[self.quarantines.len() - 1];
                same(&format!("the rejects of {}", self.name), &found.rejects, last)?;
            }
        }
        Ok(())
    }
}

/// Compares sorted texts.
pub fn same(what: &str, found: &[String], expected: &[String]) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {}", difference(found, expected))),
    }
}

/// The first rows that one of two sorted lists has more often.
fn difference(found: &[String], expected: &[String]) -> String {
    let count = |rows: &[String], row: &String| rows.iter().filter(|other| *other == row).count();
    let differs = |row: &&String| count(found, row) != count(expected, row);
    let rows: Vec<_> = found.iter().chain(expected).filter(differs).take(6).collect();
    let told = rows
        .iter()
        .map(|row| format!("\n  {} of {}: {row}", count(found, row), count(expected, row)));
    format!("found {}, expected {}{}", found.len(), expected.len(), told.collect::<String>())
}
