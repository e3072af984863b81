//! Where a reader tries the commands out: a clone, the programs, the buckets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::markdown::{Document, repository};
use crate::command::{isolated, program};
use crate::s3::{ACCESS_KEY, BucketOptions, SECRET_KEY, Server};

/// What MinIO's recipe says, and what stands for it here.
const MINIO: [&str; 3] = ["http://localhost:9000", "KEY_ID=minio ", "ACCESS_KEY=minio123"];

/// A scratch folder with the fixtures, transforms and questions of the repository, the
/// program `pinclean`, stand-ins for what builds and installs it, and the buckets that the documents name.
pub struct World {
    scratch: TempDir,
    pub server: Server,
}

impl World {
    pub fn new() -> World {
        let world = World { scratch: tempfile::tempdir().unwrap(), server: Server::start() };
        for folder in ["fixtures/bucket", "transforms", "questions"] {
            copy(&repository().join(folder), &world.folder().join(folder));
        }
        world.program(
            "pinclean",
            &format!(
                "PINCLEAN_REPORT=\"{}/$$.json\" exec \"{}\" \"$@\"",
                world.made("reports").display(),
                program().display()
            ),
        );
        for (name, script) in [("cargo", CARGO), ("sudo", "exec \"$@\""), ("install", INSTALL)] {
            world.program(name, script);
        }
        let profile =
            format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        let config = format!("[default]\n{profile}[profile analytics]\n{profile}");
        fs::write(world.outside("config"), config).unwrap();
        for (bucket, options) in sources() {
            world.server.create_bucket_with(&bucket, options);
            world.server.load_folder(&bucket, &repository().join("fixtures/bucket"));
        }
        for bucket in outputs() {
            world.server.create_bucket(&bucket);
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

    pub fn program(&self, name: &str, script: &str) {
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
"run --release --locked -- "*) shift 4; exec pinclean "$@" ;;
"test --locked") echo "these are the tests" ;;
"install --path . --locked") echo "pinclean is installed" ;;
"build --locked --release") mkdir -p target/release && : > target/release/pinclean ;;
*) echo "cargo $*: nobody knows what this does" >&2; exit 99 ;;
esac"#;

/// Below the folder `installed`, in place of the root.
const INSTALL: &str = r#"
for last; do :; done
all=
while [ $# -gt 1 ]; do all="$all $1"; shift; done
mkdir -p "installed$(dirname "$last")" installed/usr/local/bin installed/etc/systemd/system
exec /usr/bin/install $all "installed$last"
"#;

pub fn copy(from: &Path, to: &Path) {
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

/// The lines of the README that a reader types or copies.
fn typed_lines() -> Vec<String> {
    let blocks = Document::read("README.md").blocks().into_iter();
    let typed = blocks.filter(|block| block.language != "text");
    typed.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The buckets that hold records, each as its recipe says that it is.
fn sources() -> BTreeMap<String, BucketOptions> {
    let source = Regex::new(r#"--bucket (\S+)|^source = "s3://([^/"]+)"#).unwrap();
    let region = Regex::new(r"--region (\S+)").unwrap();
    let mut sources: BTreeMap<String, BucketOptions> = BTreeMap::new();
    for line in typed_lines() {
        let Some(found) = source.captures(&line) else { continue };
        let bucket = found.get(1).or(found.get(2)).unwrap().as_str();
        let options = BucketOptions {
            region: region
                .captures(&line)
                .map_or("us-east-1", |r| r.get(1).unwrap().as_str())
                .into(),
            public: line.contains("--no-sign-request"),
            requester_pays: line.contains("--request-payer"),
            careless: false,
        };
        let told = format!("{options:?}");
        if let Some(before) = sources.insert(bucket.to_owned(), options) {
            assert_eq!(format!("{before:?}"), told, "{bucket} is not what it was: {line}");
        }
    }
    sources
}

/// The buckets that are only written to.
fn outputs() -> BTreeSet<String> {
    let url = Regex::new("s3://([a-z0-9.-]+)").unwrap();
    let lines = typed_lines();
    let named = lines.iter().flat_map(|line| url.captures_iter(line));
    let sources = sources();
    named.map(|url| url[1].to_owned()).filter(|bucket| !sources.contains_key(bucket)).collect()
}
