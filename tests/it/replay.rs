//! `pinclean replay` by its binary, over a folder and over S3.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Deserializer, Value};
use tempfile::TempDir;

use crate::command::{isolated, said};
use crate::s3::{ACCESS_KEY, SECRET_KEY, Server};

/// A place for topics, transforms and tables.
struct Site {
    home: TempDir,
    server: Option<Server>,
}

/// The topic's times as they ought to be, as they are too, and what is no time.
const LINES: &str = r#"{"n":1,"at":"2024-01-31T10:00:00"}
{"n":2,"at":"31.01.2024 11:00"}
{"records":[{"value":{"n":3,"at":"31.01.2024 12:00"}},{"value":{"n":4,"at":"soon"}}]}
"{\"n\":5,\n\"at\":\"31.01.2024 13:00\"}"
{"n":6,"at":"2024-01-31T14:00:00"
"#;

/// A transform that reads times in these formats.
fn transform(formats: &str) -> String {
    format!(
        "version = 1\ntable = \"geo\"\ntopics = [\"*.geo\"]\ncolumn = [\n\
         {{ name = \"n\", type = \"int32\", field = \"n\" }},\n\
         {{ name = \"at\", type = \"timestamp\", field = \"at\", formats = [{formats}] }},\n]\n"
    )
}

impl Site {
    fn all() -> [Site; 2] {
        let site = |server: Option<Server>| {
            let site = Site { home: tempfile::tempdir().unwrap(), server };
            let strict = "\"%Y-%m-%dT%H:%M:%S\"";
            site.write("strict/geo.toml", &transform(strict));
            site.write("mended/geo.toml", &transform(&format!("{strict}, \"%d.%m.%Y %H:%M\"")));
            for (partition, start) in [(0, 0), (1, 0), (1, 10)] {
                let name = format!("u.geo+{partition}+{start:010}.json");
                site.write(&format!("in/topics/u.geo/partition={partition}/{name}"), LINES);
            }
            site
        };
        let server = Server::start();
        server.create_bucket("lake");
        [site(None), site(Some(server))]
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.home.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn tables(&self, out: &str) -> String {
        match self.server {
            None => out.to_owned(),
            Some(_) => format!("s3://lake/{out}"),
        }
    }

    fn pinclean(&self, args: &[&str]) -> Command {
        let mut command = isolated(env!("CARGO_BIN_EXE_pinclean"), self.home.path());
        command.args(args);
        if let Some(server) = &self.server {
            command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
            command.env("AWS_ENDPOINT_URL", server.endpoint()).env("AWS_REGION", "us-east-1");
        }
        command
    }

    /// A run into `out`; its report.
    fn run(&self, out: &str, transforms: &str, more: &[&str]) -> Value {
        let out = self.tables(out);
        let args = ["run", "--source", "in", "--out", &out, "--transforms", transforms];
        self.reported(self.pinclean(&args).args(more))
    }

    fn replay(&self, out: &str, transforms: &str) -> Command {
        self.pinclean(&["replay", "--tables", &self.tables(out), "--transforms", transforms])
    }

    /// The report of a command that ends well.
    #[track_caller]
    fn reported(&self, command: &mut Command) -> Value {
        let output = command.args(["--report", "report.json"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let report = fs::read(self.home.path().join("report.json")).unwrap();
        serde_json::from_slice(&report).unwrap()
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        match &self.server {
            None => fs::read(self.home.path().join(path)).ok().map(Bytes::from),
            Some(server) => server.get("lake", path),
        }
    }

    /// The actions of a table's commits, in order.
    fn actions(&self, folder: &str) -> Vec<Value> {
        let entry = |version| self.read(&format!("{folder}/_delta_log/{version:020}.json"));
        let commits = (0..).map_while(entry);
        commits
            .flat_map(|text| {
                let actions = Deserializer::from_slice(&text).into_iter::<Value>();
                let mut actions: Vec<Value> = actions.map(Result::unwrap).collect();
                actions.sort_by_key(|action| action["add"].is_object());
                actions
            })
            .collect()
    }

    /// The rows of a table as its log says, each with its columns in order.
    fn rows(&self, folder: &str) -> Vec<Vec<(String, Field)>> {
        let mut live = BTreeSet::new();
        for action in self.actions(folder) {
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(live.remove(path), "{path}");
            }
            if let Some(path) = action["add"]["path"].as_str() {
                assert!(live.insert(path.to_owned()), "{path}");
            }
        }
        let mut rows = Vec::new();
        for path in live {
            let name = percent_decoded(&path);
            let bytes = self.read(&format!("{folder}/{name}")).unwrap();
            let file = SerializedFileReader::new(bytes).unwrap();
            let read = file.get_row_iter(None).unwrap();
            rows.extend(read.map(|row| row.unwrap().into_columns()));
        }
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    }

    /// The codes of the rejects that are open, and what resolved the others.
    fn quarantine(&self, out: &str) -> (Vec<String>, Vec<(i64, String)>) {
        let (mut open, mut resolved) = (Vec::new(), Vec::new());
        for row in self.rows(&format!("{out}/_quarantine/geo")) {
            let field = |name| row.iter().find(|(column, _)| column == name).map(|(_, f)| f);
            match (field("resolved_at"), field("resolved_by"), field("code")) {
                (Some(Field::Null), Some(Field::Null), Some(Field::Str(code))) => {
                    open.push(code.clone());
                }
                (Some(Field::TimestampMicros(at)), Some(Field::Str(by)), _) => {
                    resolved.push((*at, by.clone()));
                }
                _ => panic!("{row:?}"),
            }
        }
        open.sort_unstable();
        (open, resolved)
    }
}

/// `%2B` and the like, as a log spells them.
fn percent_decoded(path: &str) -> String {
    object_store::path::Path::from_url_path(path).unwrap().to_string()
}

#[test]
fn a_mended_transform_lands_what_it_can_read_once() {
    for site in Site::all() {
        let run = site.run("clean", "strict", &[]);
        assert_eq!(run["tables"]["geo"]["records_quarantined"], 15);
        site.run("fresh", "mended", &[]);

        let report = site.reported(site.replay("clean", "mended").arg("geo"));
        let geo = &report["tables"]["geo"];
        assert_eq!(
            (&report["operation"], &report["outcome"]),
            (&"replay".into(), &"committed".into())
        );
        let counts = ["rejects_open", "rejects_landed", "rejects_stayed", "records_written"];
        assert_eq!(counts.map(|name| geo[name].as_u64().unwrap()), [15, 9, 6, 9]);
        assert_eq!(geo["stayed"]["format"]["at"], 3);
        assert_eq!(site.rows("clean/geo"), site.rows("fresh/geo"));
        let (open, resolved) = site.quarantine("clean");
        assert_eq!(open, site.quarantine("fresh").0);
        assert_eq!((open.len(), resolved.len()), (6, 9));
        let run_id = report["run_id"].as_str().unwrap();
        assert!(resolved.iter().all(|(at, by)| by == run_id && *at > 1_700_000_000_000_000));
        assert!(site.read(&format!("clean/_runs/{run_id}.json")).is_some());
        let actions = site.actions("clean/geo");
        let operations: Vec<&Value> = actions
            .iter()
            .filter_map(|action| action.get("commitInfo"))
            .map(|info| &info["operation"])
            .collect();
        assert_eq!(operations, ["WRITE", "REPLAY"]);

        let before = site.rows("clean/_quarantine/geo");
        let again = site.reported(&mut site.replay("clean", "mended"));
        assert_eq!(again["outcome"], "nothing_new");
        assert_eq!(again["tables"]["geo"]["rejects_open"], 6);
        assert_eq!(site.rows("clean/geo"), site.rows("fresh/geo"));
        assert_eq!(site.rows("clean/_quarantine/geo"), before);
        assert_eq!(site.run("clean", "mended", &[])["outcome"], "nothing_new");
    }
}

#[test]
fn two_replays_at_once_land_a_record_once() {
    for site in Site::all() {
        site.run("clean", "strict", &[]);
        site.run("fresh", "mended", &[]);
        let both = [site.replay("clean", "mended"), site.replay("clean", "mended")];
        let started = both.map(|mut replay| replay.spawn().unwrap());
        let codes = started.map(|mut replay| replay.wait().unwrap().code().unwrap());
        assert!(codes.contains(&0) && codes.iter().all(|code| [0, 75].contains(code)), "{codes:?}");
        assert_eq!(site.rows("clean/geo"), site.rows("fresh/geo"));
        assert_eq!(site.quarantine("clean").1.len(), 9);
    }
}

#[test]
fn what_cannot_be_replayed_is_told() {
    let told = |output: Output, text: &str| {
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(text), "{text}: {}", said(&output));
    };
    for site in Site::all() {
        site.run("plain", "strict", &["--format", "parquet"]);
        site.run("clean", "strict", &[]);
        told(site.replay("plain", "mended").output().unwrap(), "plain Parquet");
        told(
            site.replay("clean", "mended").arg("pin").output().unwrap(),
            "no transform is for pin",
        );
        site.write("other/pin.toml", &transform("\"%Y-%m-%dT%H:%M:%S\"").replace("geo", "pin"));
        told(site.replay("clean", "other").output().unwrap(), "no transform is for a Delta table");
        told(site.replay("clean", "other").arg("pin").output().unwrap(), "there is no table pin");
    }
}
