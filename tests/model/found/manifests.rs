//! Plain Parquet: numbered manifests.

use object_store::ObjectStore;
use object_store::path::Path;
use serde_json::Value;

use super::{Commit, Found, Listed, REJECT, ROW, Reader, list};

impl Reader {
    /// The table as its manifests list it.
    pub(super) async fn parquet(
        &mut self,
        store: &dyn ObjectStore,
        table: &str,
    ) -> Result<Found, String> {
        let (mut files, mut rejects, mut commits) = (Vec::new(), Vec::new(), Vec::new());
        for meta in list(store, &format!("{table}/_pinclean")).await? {
            commits.push(Commit::Write);
            let number = commits.len();
            if meta.location.filename() != Some(&format!("{number:010}.json")) {
                return Err(format!("{} is not manifest {number}", meta.location));
            }
            let manifest = &self.json(store, meta).await?[0];
            if manifest["mode"] == "full" {
                files.clear();
                rejects.clear();
            }
            files.extend(listed(&manifest["files"], table));
            rejects.extend(listed(&manifest["rejects"], &format!("_quarantine/{table}")));
        }
        let folder = format!("_quarantine/{table}");
        Ok(Found {
            commits,
            rows: self.rows(store, table, &files, &ROW).await?,
            rejects: self.rows(store, &folder, &rejects, &REJECT).await?,
            files: files.len(),
            reject_files: rejects.len(),
            may_lag: false,
        })
    }
}

fn listed(files: &Value, folder: &str) -> Vec<Listed> {
    let names = files.as_array().into_iter().flatten().filter_map(|file| file["path"].as_str());
    let file = |name| Listed { path: Path::from(format!("{folder}/{name}")), told: None };
    names.map(file).collect()
}
