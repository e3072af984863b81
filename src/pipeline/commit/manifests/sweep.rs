//! Removing files that no manifest lists: left-overs of attempts that crashed
//! or came second, and what a full run replaced.
//!
//! A file is removed only if all of this holds:
//! - its name is one that pinclean gives ([`FileName`]); foreign files stay;
//! - its first offset lies at or below the committed watermark of its source:
//!   later runs read past the watermark, so that no run that can still commit
//!   writes there;
//! - its generation is not above the manifest's number: a full run that can
//!   still commit builds a later number;
//! - no manifest since the last full one lists it.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, stream};
use object_store::path::Path;

use super::{Latest, ManifestLog, Mode};
use crate::Result;
use crate::pipeline::write::{DataFile, FileName, SourceHash};

/// Names of files in one folder.
type Names = HashSet<String>;

/// Files of a table, by name: of rows and of rejects.
#[derive(Default)]
struct Listed {
    files: Names,
    rejects: Names,
}

impl ManifestLog {
    /// [`sweep`](Self::sweep) after a commit, which stands whatever becomes of it.
    pub(super) async fn sweep_or_warn(&self, latest: &Latest) -> u64 {
        self.sweep(latest).await.unwrap_or_else(|error| {
            tracing::warn!(table = self.table, %error, "left-over files were not removed");
            0
        })
    }

    /// After another run was first: removes this run's files where that run's
    /// ranges cover them.
    pub(super) async fn sweep_latest(&self) {
        if let Ok(Some(latest)) = self.read_latest().await {
            self.sweep_or_warn(&latest).await;
        }
    }

    /// Removes what no manifest lists; the number of files removed.
    async fn sweep(&self, latest: &Latest) -> Result<u64> {
        let live = latest.manifest.live;
        let rows = Path::from(self.table.as_str());
        let rejects = Path::from_iter(["_quarantine", self.table.as_str()]);
        let (row_names, reject_names) =
            (self.settled(&rows, latest).await?, self.settled(&rejects, latest).await?);
        let complete = row_names.len() as u64 == live.files
            && reject_names.len() as u64 == live.rejects
            && latest.manifest.mode == Mode::Append;
        // The usual case: as many files as manifests list, none to look for.
        if complete {
            return Ok(0);
        }
        let Some(keep) = self.listed(latest.number).await? else { return Ok(0) };
        let replaced = match latest.manifest.mode {
            Mode::Full if latest.number > 1 => self.listed(latest.number - 1).await?,
            _ => None,
        };
        let replaced = replaced.unwrap_or_default();
        let old_rows = doomed(row_names, replaced.files, &keep.files);
        let old_rejects = doomed(reject_names, replaced.rejects, &keep.rejects);
        Ok(self.delete(&rows, old_rows).await? + self.delete(&rejects, old_rejects).await?)
    }

    /// The files of a folder that no run can still commit.
    async fn settled(&self, folder: &Path, latest: &Latest) -> Result<Names> {
        let watermarks: HashMap<SourceHash, u64> =
            latest.manifest.watermarks.iter().map(|(s, w)| (s.into(), w.start)).collect();
        let settled = |name: &FileName| {
            name.generation <= latest.number
                && watermarks.get(&name.source()).is_some_and(|start| name.first <= *start)
        };
        let listed = match self.output.objects.list_with_delimiter(Some(folder)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Names::new()),
            listed => listed.map_err(|e| self.output.list_error(folder, e))?,
        };
        let names = listed.objects.iter().filter_map(|meta| meta.location.filename());
        Ok(names
            .filter(|name| FileName::parse(name).is_some_and(|name| settled(&name)))
            .map(str::to_owned)
            .collect())
    }

    /// What the table holds by its manifests up to `number`; `None` if one of
    /// them is gone, as then nothing can be said.
    async fn listed(&self, number: u64) -> Result<Option<Listed>> {
        let mut listed = Listed::default();
        for number in (1..=number).rev() {
            let Some(manifest) = self.read(number).await? else { return Ok(None) };
            let names = |files: Vec<DataFile>| files.into_iter().map(|file| file.path);
            listed.files.extend(names(manifest.files));
            listed.rejects.extend(names(manifest.rejects));
            if manifest.mode == Mode::Full {
                break;
            }
        }
        Ok(Some(listed))
    }

    async fn delete(&self, folder: &Path, names: Vec<String>) -> Result<u64> {
        let paths: Vec<_> =
            names.iter().map(|name| Ok(folder.clone().join(name.as_str()))).collect();
        let mut answers = self.output.objects.delete_stream(stream::iter(paths).boxed());
        let mut removed = 0;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(_) => removed += 1,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(self.output.write_error(folder, e)),
            }
        }
        Ok(removed)
    }
}

/// What is to be removed, in order of names.
fn doomed(settled: Names, replaced: Names, keep: &Names) -> Vec<String> {
    let mut names: Vec<_> =
        settled.into_iter().chain(replaced).filter(|name| !keep.contains(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
