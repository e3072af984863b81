//! `--log json`: every line is an object, and says which run it is of.

use std::path::Path;
use std::process::{Command, Output};

use clap::CommandFactory;
use pinclean::cli::Cli;
use serde_json::Value;

use crate::command::{pinclean, said};

/// What a command said on standard error, a value a line, all of one run.
#[track_caller]
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let parsed: Option<Vec<Value>> =
        text.lines().map(|line| serde_json::from_str(line).ok()).collect();
    let lines = parsed.unwrap_or_else(|| panic!("not all is JSON: {}", said(output)));
    assert!(!lines.is_empty(), "{}", said(output));
    let id = &lines[0]["run_id"];
    assert!(id.as_str().is_some_and(|id| id.len() == 25 && id.contains("Z-")), "{text}");
    for line in &lines {
        assert_eq!(&line["run_id"], id, "{text}");
        for key in ["timestamp", "level", "message", "target"] {
            assert!(line[key].is_string(), "no {key} in {line}");
        }
    }
    lines
}

fn ends(mut command: Command, code: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    output
}

fn emulated(folder: &Path) {
    ends(pinclean(folder, &["emulate", "bucket", "--rows", "40", "--bad-rate", "0.5"]), 0);
}

#[test]
fn every_line_of_every_command_says_which_run_it_is_of() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    emulated(folder);
    ends(pinclean(folder, &["run", "--source", "bucket", "--quiet"]), 0);
    // Each is warned of the variable, before anything else, and some fail.
    let commands: [(&str, i32); 10] = [
        ("run --source bucket", 0),
        ("run --source none", 2),
        ("run --source bucket --mode overwrite --max-rejects 0", 3),
        ("check", 0),
        ("check none", 2),
        ("init 5f1c0d9a77b3.pin --source bucket", 0),
        ("emulate more --rows 1", 0),
        ("optimize --tables clean", 0),
        ("vacuum none --tables clean", 2),
        ("history --tables none", 2),
    ];
    for (line, code) in commands {
        let args: Vec<&str> = line.split(' ').chain(["--log", "json"]).collect();
        let mut command = pinclean(folder, &args);
        command.env("PINCLEAN_MEMROY", "1");
        let lines = lines(&ends(command, code));
        let first = lines[0]["message"].as_str().unwrap();
        assert!(first.starts_with("PINCLEAN_MEMROY is the variable of no option"), "{first}");
        let last = lines.last().unwrap();
        if code != 0 {
            assert_eq!((&last["level"], &last["exit_code"]), (&"ERROR".into(), &code.into()));
        }
    }
}

#[test]
fn a_run_ends_with_its_counts_and_prints_no_table() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    emulated(folder);
    let args = ["run", "--source", "bucket", "--log=json", "--report", "report.json"];
    let output = ends(pinclean(folder, &args), 0);
    assert_eq!(output.stdout, b"", "{}", said(&output));
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap();
    let lines = lines(&output);
    let last = lines.last().unwrap();
    assert_eq!((&last["message"], &last["level"]), (&"run ended".into(), &"INFO".into()));
    for key in ["run_id", "outcome", "elapsed_s"] {
        assert_eq!(last[key], report[key], "{key}");
    }
    for key in ["objects", "bytes", "records_read", "records_written", "records_quarantined"] {
        let tables = report["tables"].as_object().unwrap().values();
        let sum: u64 = tables.map(|table| table[key].as_u64().unwrap()).sum();
        assert_eq!(last[key], sum, "{key}");
    }
    let saved = last["report"].as_str().unwrap();
    assert!(Path::new(saved).is_file(), "{saved}");

    // The same id is in the log of the tables.
    let output = ends(pinclean(folder, &["history", "pin", "--json"]), 0);
    assert!(String::from_utf8_lossy(&output.stdout).contains(last["run_id"].as_str().unwrap()));
    // A replay has counts of its own, and quiet leaves nothing but errors.
    let output = ends(pinclean(folder, &["replay", "--log", "json"]), 0);
    assert_eq!(output.stdout, b"");
    let lines = self::lines(&output);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["message"], &last["outcome"]),
        (&"replay ended".into(), &"nothing_new".into())
    );
    assert!(last["rejects_stayed"].as_u64() > Some(0), "{last}");
    let args = ["run", "--source", "bucket", "--log=json", "--quiet"];
    let output = ends(pinclean(folder, &args), 0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", said(&output));
}

#[test]
fn what_is_wrong_before_the_settings_are_read_is_json_too() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    std::fs::write(folder.join("wrong.toml"), "nonsense = 1\n").unwrap();
    let cases: [(&[&str], bool, &str); 4] = [
        (&["run", "--no-such", "--log", "json"], false, "unexpected argument '--no-such'"),
        (&["no-such"], true, "unrecognized subcommand 'no-such'"),
        (&["run", "--log=json", "--config", "wrong.toml"], false, "nonsense"),
        (&["run", "--log=json", "--source", ".", "--memory", "1"], false, "--memory"),
    ];
    for (args, variable, expected) in cases {
        let mut command = pinclean(folder, args);
        if variable {
            command.env("PINCLEAN_LOG", "json");
        }
        let lines = lines(&ends(command, 2));
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        let message = line["message"].as_str().unwrap();
        assert!(message.contains(expected) && !message.starts_with("error"), "{message}");
        assert_eq!((&line["level"], &line["exit_code"]), (&"ERROR".into(), &2.into()));
    }
}

/// What is no message: help, also for want of a command, and the version.
#[test]
fn help_and_the_version_are_no_messages() {
    let scratch = tempfile::tempdir().unwrap();
    let about = Cli::command().get_about().unwrap().to_string();
    let version = format!("pinclean {}", env!("CARGO_PKG_VERSION"));
    let cases: [(&[&str], i32, &str); 3] =
        [(&["--help"], 0, &about), (&["--version"], 0, &version), (&[], 2, &about)];
    for (args, code, first) in cases {
        let text = ends(pinclean(scratch.path(), args), code);
        let mut command = pinclean(scratch.path(), args);
        command.env("PINCLEAN_LOG", "json");
        let json = ends(command, code);
        assert_eq!((&json.stdout, &json.stderr), (&text.stdout, &text.stderr), "{args:?}");
        // What was asked for goes to standard output.
        let (help, nothing) =
            if code == 0 { (&text.stdout, &text.stderr) } else { (&text.stderr, &text.stdout) };
        assert!(nothing.is_empty(), "{args:?}: {}", said(&text));
        let help = String::from_utf8_lossy(help);
        assert_eq!(help.lines().next(), Some(first), "{args:?}");
    }
}
