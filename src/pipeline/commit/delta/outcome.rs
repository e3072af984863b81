//! What a run's commit adds to a table and removes from it.

use std::collections::BTreeSet;

use super::unique::as_live;
use super::widen::Widened;
use super::{DeltaTable, add, internal, same_rows};
use crate::Result;
use crate::delta::{Action, LiveFile, State};
use crate::pipeline::commit::{Draft, Mode};
use crate::pipeline::write::DataFile;
use crate::rewrite::{take_away, take_away_paths};

/// The files of a commit. All new ones are published, and no log lists them.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Files to be added.
    pub(super) files: Vec<DataFile>,
    /// Files that leave the table, with rows that gave way.
    pub(super) removes: Vec<LiveFile>,
    /// Files whose types widen, before and after.
    pub(super) widened: Widened,
    /// Files that are not to be added: nobody will list them.
    pub(super) unlisted: Vec<DataFile>,
    /// Rows that lost, of the run and of the table.
    pub(super) replaced: u64,
    /// Rows of the files that leave the table.
    pub(super) rows_removed: u64,
}

impl Outcome {
    /// The files of a run, and nothing else.
    pub(super) fn adding(files: Vec<DataFile>) -> Outcome {
        Outcome { files, ..Outcome::default() }
    }

    /// Whether rows of the table gave way.
    pub(super) fn merges(&self) -> bool {
        self.rows_removed > 0
    }

    /// Proves that no row was lost but those that are counted as replaced.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) if the sum does not hold.
    pub(super) fn check(&self, run: &[DataFile]) -> Result<()> {
        let rows = |files: &[DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
        let (before, after) = (rows(run) + self.rows_removed, rows(&self.files) + self.replaced);
        if before == after {
            return Ok(());
        }
        Err(internal(format!(
            "{before} rows of the run and of the files that it replaces became {after}, {} of \
             them replaced",
            self.replaced
        )))
    }

    /// The actions on files.
    pub(super) fn actions(&self) -> Vec<Action> {
        let Widened { old, new, .. } = &self.widened;
        let mut actions = match self.merges() {
            false => same_rows(old, new),
            true => {
                let removes = old.iter().map(|file| file.remove(true).into());
                removes.chain(new.iter().map(|file| add(file).into())).collect()
            }
        };
        actions.extend(self.removes.iter().map(|file| file.remove(true).into()));
        actions.extend(self.files.iter().map(|file| add(file).into()));
        actions
    }

    /// Takes what gives way from the files that were only just widened: no
    /// version has listed them.
    fn narrow_widened(&mut self) {
        let gone: BTreeSet<String> = self.removes.drain(..).map(|file| file.path).collect();
        let new = std::mem::take(&mut self.widened.new);
        let (gone, stay) = new.into_iter().partition(|file| gone.contains(&file.path));
        self.widened.new = stay;
        self.unlisted.extend::<Vec<_>>(gone);
    }
}

impl DeltaTable {
    /// What a run adds and removes: its files, unless types widen or the table
    /// has one row for each key.
    ///
    /// # Errors
    /// Those of widening, and of reading and writing files. No file is left, not
    /// even those of the run: nothing was attempted that could list them.
    pub(super) async fn outcome(&self, base: Option<&State>, draft: &Draft) -> Result<Outcome> {
        let mut all = Outcome::adding(draft.files.clone());
        let result = async {
            all.widened = self.widen(base, draft).await?;
            self.settle_keys(base, draft, &mut all).await
        };
        match result.await {
            Ok(()) => Ok(all),
            Err(error) => {
                self.take_away(draft, &all).await;
                Err(error)
            }
        }
    }

    async fn settle_keys(
        &self,
        base: Option<&State>,
        draft: &Draft,
        all: &mut Outcome,
    ) -> Result<()> {
        let Some(rule) = self.one_per_key.as_ref().filter(|_| !draft.files.is_empty()) else {
            return Ok(());
        };
        let live = match (base, draft.mode) {
            (Some(_), Mode::Append) if all.widened.any => {
                all.widened.new.iter().map(as_live).collect()
            }
            (Some(state), Mode::Append) => self.logs.rows.files(state).await?,
            _ => Vec::new(),
        };
        let name = format!("unique-{}", draft.run_id);
        let outcome = rule.apply(&self.logs.rows, live, draft.files.clone(), &name).await?;
        *all = Outcome { widened: std::mem::take(&mut all.widened), ..outcome };
        all.check(&draft.files)?;
        if all.widened.any {
            all.narrow_widened();
        }
        Ok(())
    }

    /// Removes the files of a run that is not committed: no log lists them.
    pub(super) async fn take_away(&self, draft: &Draft, outcome: &Outcome) {
        for files in [&outcome.files, &outcome.unlisted, &outcome.widened.new] {
            take_away(&self.logs.rows, files).await;
        }
        take_away(&self.logs.rejects, &draft.rejects).await;
        take_away_paths(&self.logs.rejects, draft.resolved.as_deref()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, rows: u64) -> DataFile {
        let (partition, stats) = (Vec::new(), String::new());
        DataFile { path: path.into(), rows, bytes: 1, partition, stats }
    }

    #[test]
    fn rows_that_were_lost_on_the_way_are_found() {
        let sound = |rows, replaced, rows_removed| {
            let files = vec![file("new", rows)];
            let outcome = Outcome { files, replaced, rows_removed, ..Outcome::default() };
            outcome.check(&[file("run", 6)]).is_ok()
        };
        assert!(sound(6, 0, 0) && sound(5, 3, 2));
        assert!(!sound(4, 3, 2) && !sound(6, 3, 2) && !sound(5, 0, 0));
    }

    #[test]
    fn a_file_that_is_widened_and_gives_way_is_added_once_without_its_losers() {
        let [old, kept, lost, rest] = ["old", "kept", "lost", "rest"].map(|path| file(path, 2));
        let mut outcome = Outcome {
            files: vec![rest],
            removes: vec![as_live(&lost)],
            widened: Widened { any: true, old: vec![as_live(&old)], new: vec![kept, lost] },
            rows_removed: 2,
            ..Outcome::default()
        };
        outcome.narrow_widened();
        let paths = outcome.actions().into_iter().map(|action| match action {
            Action::Add(add) => (add.path, add.data_change),
            Action::Remove(remove) => (format!("-{}", remove.path), remove.data_change),
            other => panic!("{other:?}"),
        });
        let expected = ["-old", "kept", "rest"].map(|path| (path.to_owned(), true));
        assert_eq!(paths.collect::<Vec<_>>(), expected);
        assert_eq!(outcome.unlisted[0].path, "lost");
    }
}
