//! The commands that work on finished tables, as a user starts them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{pinclean, said};
use crate::s3::{ACCESS_KEY, SECRET_KEY, Server};

/// Invented records, cleaned twice: the second time all tables were replaced.
struct World {
    folder: TempDir,
    /// Tables on a disk without one.
    server: Option<Server>,
}

fn worlds() -> [World; 2] {
    let server = Server::start();
    server.create_bucket("lake");
    [None, Some(server)].map(|server| {
        let world = World { folder: tempfile::tempdir().unwrap(), server };
        let emulate = ["emulate", "in", "--rows", "200", "--bad-rate", "0.2", "--partitions", "2"];
        world.done(&emulate);
        let url = world.url();
        for mode in ["append", "overwrite"] {
            world.done(&["run", "--source", "in", "--out", &url, "--mode", mode]);
        }
        world
    })
}

impl World {
    fn url(&self) -> String {
        match self.server {
            None => "clean".to_owned(),
            Some(_) => "s3://lake/clean".to_owned(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = pinclean(self.folder.path(), args);
        if let Some(server) = &self.server {
            command.env("AWS_ENDPOINT_URL", server.endpoint());
            command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
            command.env("AWS_REGION", "us-east-1");
        }
        command
    }

    fn ends(&self, args: &[&str], code: i32) -> Output {
        let output = self.command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        output
    }

    /// What a command printed that went well.
    fn done(&self, args: &[&str]) -> String {
        String::from_utf8(self.ends(args, 0).stdout).unwrap()
    }

    fn history(&self, args: &[&str]) -> Vec<Value> {
        let text = self.done(&[&["history", "--tables", &self.url(), "--json"], args].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The data files that are there, below the output.
    fn files(&self) -> Vec<String> {
        let mut files = match &self.server {
            None => below(&self.folder.path().join("clean")),
            Some(server) => server.keys("lake", "clean/"),
        };
        files.retain(|path| path.ends_with(".parquet"));
        files
    }
}

fn below(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => below(&path),
        false => vec![path.to_str().unwrap().to_owned()],
    });
    files.collect()
}

#[test]
fn the_history_tells_of_runs_and_of_how_far_they_got() {
    for world in worlds() {
        let versions = world.history(&["pin"]);
        assert_eq!(versions.len(), 2, "{versions:#?}");
        let (latest, first) = (&versions[0], &versions[1]);
        assert_eq!((&latest["mode"], &first["mode"]), (&"full".into(), &"append".into()));
        assert_eq!(latest["counts"], first["counts"]);
        assert_eq!(latest["files_removed"], first["files_added"]);
        let counts = ["read", "written", "quarantined", "duplicate"];
        let [read, rest @ ..] = counts.map(|count| first["counts"][count].as_u64().unwrap());
        assert_eq!((read, rest.iter().sum::<u64>()), (200, 200));
        assert_eq!(latest["watermarks"], first["reached"], "both read all");
        assert_eq!(latest["watermarks"].as_array().unwrap().len(), 2);

        assert_eq!(world.history(&["--limit", "1"]).len(), 3, "one of each table");
        let text = world.done(&["history", "geo", "pin", "--tables", &world.url()]);
        for id in [&latest["run_id"], &first["run_id"]] {
            assert_eq!(text.matches(id.as_str().unwrap()).count(), 2, "{text}");
        }
    }
}

#[test]
fn a_vacuum_deletes_what_was_replaced_and_nothing_that_is_read() {
    for world in worlds() {
        let url = world.url();
        let vacuum = |args: &[&str]| {
            world.done(&[&["vacuum", "--tables", &url, "--force", "--retain"], args].concat())
        };
        let before = world.files();
        assert_eq!(vacuum(&["1h"]).lines().count(), 7, "a heading, rows and rejects of 3 tables");
        let dry = vacuum(&["0s", "--dry-run"]);
        assert_eq!(world.files(), before);

        vacuum(&["0s"]);
        let after = world.files();
        let gone: Vec<&String> = before.iter().filter(|file| !after.contains(file)).collect();
        assert_eq!((after.len() * 2, gone.len() * 2), (before.len(), before.len()));
        for file in gone {
            let name = file.rsplit('/').next().unwrap();
            assert!(dry.lines().any(|line| line.ends_with(name)), "{name} is not in\n{dry}");
        }
        let latest = &world.history(&["pin"])[0];
        assert_eq!(latest["operation"], "VACUUM END");
        assert_eq!(latest["watermarks"].as_array().unwrap().len(), 2);
        let idle = world.done(&["run", "--source", "in", "--out", &url]);
        assert!(idle.contains("nothing new"), "{idle}");
    }
}

#[test]
fn a_table_that_is_not_there_is_told_with_those_that_are() {
    let [world, _] = worlds();
    for command in ["vacuum", "history"] {
        let output = world.ends(&[command, "pins", "--tables", "clean"], 2);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("no table pins") && told.contains("geo, pin, user"), "{told}");
        let output = world.ends(&[command, "--tables", "nowhere"], 2);
        assert!(String::from_utf8(output.stderr).unwrap().contains("no such folder"));
    }
    let plain = ["run", "--source", "in", "--out", "plain", "--format", "parquet"];
    world.done(&plain);
    let output = world.ends(&["vacuum", "--tables", "plain"], 2);
    assert!(String::from_utf8(output.stderr).unwrap().contains("plain Parquet has no log"));
}
