//! Where a reader tries the commands out: a clone, the programs, the buckets.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::markdown::{Document, repository};
use crate::command::{PINCLEAN, isolated};
use crate::s3::{ACCESS_KEY, BucketOptions, SECRET_KEY, Server};

/// What MinIO's recipe says, and what stands for it here.
const MINIO: [&str; 3] = ["http://localhost:9000", "KEY_ID=minio ", "ACCESS_KEY=minio123"];

/// A scratch folder with the fixtures and transforms of the repository, the
/// programs `pinclean` and `cargo`, and the buckets that the documents name.
pub struct World {
    scratch: TempDir,
    pub server: Server,
}

impl World {
    pub fn new() -> World {
        let world = World { scratch: tempfile::tempdir().unwrap(), server: Server::start() };
        for folder in ["fixtures/bucket", "transforms"] {
            copy(&repository().join(folder), &world.folder().join(folder));
        }
        world.program(
            "pinclean",
            &format!(
                "PINCLEAN_REPORT=\"{}/$$.json\" exec \"{PINCLEAN}\" \"$@\"",
                world.made("reports").display()
            ),
        );
        world.program("cargo", CARGO);
        let profile =
            format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        let config = format!("[default]\n{profile}[profile analytics]\n{profile}");
        fs::write(world.outside("config"), config).unwrap();
        for (bucket, wanted) in wanted_buckets() {
            world.server.create_bucket_with(&bucket, wanted.options);
            if wanted.is_source {
                world.server.load_folder(&bucket, &repository().join("fixtures/bucket"));
            }
        }
        world
    }

    /// Where the commands are run.
    pub fn folder(&self) -> PathBuf {
        self.made("clone")
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn made(&self, name: &str) -> PathBuf {
        let folder = self.outside(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn program(&self, name: &str, script: &str) {
        let file = self.made("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script as a reader would who pastes it into a shell.
    pub fn shell(&self, script: &str) -> Output {
        let here = [
            self.server.endpoint(),
            format!("KEY_ID={ACCESS_KEY} "),
            format!("ACCESS_KEY={SECRET_KEY}"),
        ];
        let script = MINIO
            .iter()
            .zip(&here)
            .fold(script.to_owned(), |script, (there, here)| script.replace(there, here));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = isolated("sh", &self.folder());
        shell.args(["-e", "-c", &script]);
        shell.env("PATH", format!("{}:{path}", self.made("bin").display()));
        shell.env("AWS_CONFIG_FILE", self.outside("config"));
        shell.env("AWS_SHARED_CREDENTIALS_FILE", self.outside("none"));
        if !script.contains("--endpoint-url") {
            shell.env("AWS_ENDPOINT_URL", self.server.endpoint());
        }
        shell.output().unwrap()
    }

    /// The reports of the runs since the last call.
    pub fn reports(&self) -> Vec<Value> {
        let entries = fs::read_dir(self.made("reports")).unwrap();
        let read = |entry: std::io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            let report = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            fs::remove_file(&path).unwrap();
            report
        };
        entries.map(read).collect()
    }
}

const CARGO: &str = r#"case "$*" in
"test") echo "these are the tests" ;;
"run --release -- "*) shift 3; exec pinclean "$@" ;;
*) echo "cargo $*: nobody knows what this does" >&2; exit 99 ;;
esac"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

struct Wanted {
    options: BucketOptions,
    is_source: bool,
}

/// The buckets that the README names, each as its recipe says that it is.
fn wanted_buckets() -> BTreeMap<String, Wanted> {
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    for block in Document::read("README.md").blocks() {
        for line in block.text.lines().filter(|_| block.language != "text") {
            let words: Vec<&str> = line.split([' ', '"', '=']).collect();
            let after = |flag: &str| {
                let at = words.iter().position(|word| *word == flag)?;
                words.get(at + 1).copied()
            };
            let source = after("--bucket").or_else(|| bucket_of(after("--source")?));
            let in_url = words.iter().filter_map(|word| bucket_of(word));
            for bucket in in_url.chain(source) {
                let bucket_is_new = !wanted.contains_key(bucket);
                let entry = wanted.entry(bucket.to_owned()).or_insert_with(|| Wanted {
                    options: BucketOptions::default(),
                    is_source: false,
                });
                if source == Some(bucket) || line.starts_with("source") {
                    let options = BucketOptions {
                        region: after("--region").unwrap_or("us-east-1").to_owned(),
                        public: line.contains("--no-sign-request"),
                        requester_pays: line.contains("--request-payer"),
                    };
                    let same = format!("{options:?}") == format!("{:?}", entry.options);
                    assert!(bucket_is_new || same, "{bucket} is not what it was: {line}");
                    *entry = Wanted { options, is_source: true };
                }
            }
        }
    }
    wanted
}

fn bucket_of(url: &str) -> Option<&str> {
    url.strip_prefix("s3://")?.split('/').next()
}
