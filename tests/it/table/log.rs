//! The logs of tables, replayed from their first commit on.

use std::collections::BTreeMap;

use object_store::path::Path;
use serde_json::{Deserializer, Value};

use super::{Format, Place};

/// A file that a table consists of.
#[derive(Debug, Clone)]
pub struct Live {
    /// Below the output.
    pub path: String,
    /// The columns that are not in the file.
    pub partition: Vec<(String, Option<String>)>,
}

impl Place<'_> {
    /// The commits of a table, as texts: the first one first.
    pub fn commits(&self, table: &str) -> Vec<String> {
        let folders = Format::BOTH.map(|format| format.commits(table));
        folders.iter().flat_map(|folder| self.texts(folder)).collect()
    }

    fn texts(&self, folder: &str) -> Vec<String> {
        let mut paths = self.list(folder);
        paths.retain(|path| path.ends_with(".json"));
        paths.iter().map(|path| String::from_utf8(self.read(path).to_vec()).unwrap()).collect()
    }

    pub(super) fn live(&self, folder: &str) -> Vec<Live> {
        match self.is_delta(folder) {
            true => self.replay(folder).0,
            false => self.manifests(folder, "files", folder),
        }
    }

    pub(super) fn live_rejects(&self, table: &str) -> Vec<Live> {
        let folder = format!("_quarantine/{table}");
        match self.is_delta(&folder) {
            true => self.replay(&folder).0,
            false => self.manifests(table, "rejects", &folder),
        }
    }

    /// All files of a folder that its log speaks of, also of those that are no
    /// longer of the table.
    pub(super) fn known(&self, folder: &str) -> Vec<String> {
        if self.is_delta(folder) {
            return self.replay(folder).1;
        }
        let live = match folder.strip_prefix("_quarantine/") {
            Some(table) => self.live_rejects(table),
            None => self.live(folder),
        };
        live.into_iter().map(|file| file.path).collect()
    }

    fn is_delta(&self, folder: &str) -> bool {
        !self.list(&format!("{folder}/_delta_log/")).is_empty()
    }

    /// The files of a Delta table: those that are live, and the paths of all
    /// that were ever added.
    fn replay(&self, folder: &str) -> (Vec<Live>, Vec<String>) {
        let mut live: BTreeMap<String, Live> = BTreeMap::new();
        let mut added = Vec::new();
        for action in self.actions(folder) {
            let decoded = |of: &str| {
                let path = action[of]["path"].as_str().unwrap();
                format!("{folder}/{}", Path::from_url_path(path).unwrap())
            };
            if action["remove"].is_object() {
                let path = decoded("remove");
                assert!(live.remove(&path).is_some(), "{path} is removed and was not there");
            }
            if action["add"].is_object() {
                let path = decoded("add");
                let values = action["add"]["partitionValues"].as_object().unwrap();
                let value = |value: &Value| value.as_str().map(str::to_owned);
                let partition = values.iter().map(|(k, v)| (k.clone(), value(v))).collect();
                let file = Live { path: path.clone(), partition };
                assert!(live.insert(path.clone(), file).is_none(), "{path} is added twice");
                added.push(path);
            }
        }
        (live.into_values().collect(), added)
    }

    /// The actions of all commits, in their order. In a commit, files are
    /// removed before others are added.
    pub fn actions(&self, folder: &str) -> Vec<Value> {
        let mut paths = self.list(&format!("{folder}/_delta_log/"));
        paths.retain(|path| path.ends_with(".json"));
        let mut all = Vec::new();
        for (version, path) in paths.iter().enumerate() {
            let name = format!("{folder}/_delta_log/{version:020}.json");
            assert_eq!(*path, name, "a version is missing");
            let body = self.read(path);
            let actions = Deserializer::from_slice(&body).into_iter::<Value>();
            let mut actions: Vec<Value> = actions.map(Result::unwrap).collect();
            actions.sort_by_key(|action| action["add"].is_object());
            all.extend(actions);
        }
        all
    }

    /// What the manifests list, since the last full run.
    fn manifests(&self, table: &str, kind: &str, folder: &str) -> Vec<Live> {
        let mut paths = Vec::new();
        for manifest in self.texts(&Format::Parquet.commits(table)) {
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            if manifest["mode"] == "full" {
                paths.clear();
            }
            let files = manifest[kind].as_array().unwrap();
            paths.extend(files.iter().map(|f| format!("{folder}/{}", f["path"].as_str().unwrap())));
        }
        paths.sort_unstable();
        paths.into_iter().map(|path| Live { path, partition: Vec::new() }).collect()
    }
}
