//! What fails once a run is committed: told, and never in the way of exit code 3.

use std::fs::{self, File};
use std::io;
use std::process::{Command, Stdio};

use crate::cases::records::{GEO, geo, geos, key};
use crate::cases::site::Site;
use crate::command::{pinclean, program, said, succeed};
use crate::s3::{Fault, Op, Rule};
use crate::s3_runs::world::{LAKE, OUT, World};
use crate::table::Format;

/// What fails after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Nothing,
    /// Standard output was closed by the caller. The system gives the process another.
    StdoutClosed,
    /// Whoever read standard output has gone, as with `| head`.
    StdoutUnread,
    StdoutFull,
    StderrFull,
    Report,
    SavedReport,
    Metrics,
    /// All that can.
    Everything,
}

use Failing::*;

const ALL: [Failing; 9] = [
    Nothing,
    StdoutClosed,
    StdoutUnread,
    StdoutFull,
    StderrFull,
    Report,
    SavedReport,
    Metrics,
    Everything,
];

impl Failing {
    fn has(self, other: Failing) -> bool {
        self == other || (self == Everything && ![StdoutClosed, StdoutUnread].contains(&other))
    }

    /// What a run ends with that broke no gate.
    fn code(self, log: &str) -> i32 {
        match self {
            Nothing | StdoutClosed | StdoutUnread | StderrFull => 0,
            // Messages for programs come with no table for people.
            StdoutFull => i32::from(log == "text"),
            Report | SavedReport | Metrics | Everything => 1,
        }
    }

    /// What is said of it on standard error.
    fn named(self, log: &str) -> Vec<&'static str> {
        let named = [
            (StdoutFull, "cannot write standard output"),
            (Report, "cannot write /dev/full"),
            (SavedReport, "_runs"),
            (Metrics, "cannot write /dev/full"),
        ];
        let is_told = |failing: Failing| {
            !self.has(StderrFull) && self.has(failing) && (failing != StdoutFull || log == "text")
        };
        named.into_iter().filter(|(failing, _)| is_told(*failing)).map(|(_, text)| text).collect()
    }
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A run in which these fail.
fn run(site: &Site, failing: Failing, args: &[&str]) -> Command {
    let mut places = site.places();
    if failing.has(Report) {
        let report = places.iter().position(|place| place == "report.json").unwrap();
        places[report] = "/dev/full".to_owned();
    }
    let mut command = match failing {
        StdoutClosed => site.tame("sh"),
        _ => site.binary(),
    };
    if failing == StdoutClosed {
        command.args(["-c", "exec \"$@\" >&-", "sh"]).arg(program());
    }
    command.arg("run").args(places).args(args);
    if failing.has(Metrics) {
        command.args(["--metrics", "/dev/full"]);
    }
    if failing.has(SavedReport) {
        site.refuse_reports();
    }
    if failing.has(StderrFull) {
        command.args(["--progress", "always"]).stderr(full());
    }
    if failing.has(StdoutFull) {
        command.stdout(full());
    }
    if failing == StdoutUnread {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        command.stdout(writer);
    }
    command
}

/// Which gate a run breaks, by its records and its limit.
const GATES: [(&str, &[&str], i32); 3] =
    [("no gate", &[], 0), ("--max-rejects", &["--max-rejects", "0"], 3), ("empty table", &[], 3)];

/// What fails does not change that a run is committed, nor hides a broken gate.
#[track_caller]
fn check(site: &Site, failing: Failing, log: &str, gate: (&str, &[&str], i32)) {
    let (name, limit, broken) = gate;
    let good = if name == "empty table" { String::new() } else { geos([1, 2]) };
    let bad = if name == "no gate" { "" } else { "{}\n" };
    site.put(&key(GEO, 0, 0), good.clone() + bad);
    let args = [&["--log", log][..], limit].concat();
    let output = run(site, failing, &args).output().unwrap();
    let expected = if broken == 3 { 3 } else { failing.code(log) };
    let case = format!("{failing:?}, {log}, {name}, {:?}: {}", site.format, said(&output));
    assert_eq!(output.status.code(), Some(expected), "{case}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    for text in failing.named(log) {
        assert!(stderr.contains(text), "{text} is not told of: {case}");
    }
    if broken == 3 && !failing.has(StderrFull) {
        assert!(stderr.lines().last().unwrap().contains("_quarantine"), "{case}");
    }
    assert_eq!(site.out().rows("geo").len(), good.lines().count(), "{case}");
    assert_eq!(site.rejects("geo").len(), bad.lines().count(), "{case}");
}

#[test]
fn whatever_fails_after_the_commit_the_broken_gate_is_the_exit_code() {
    for (n, failing) in ALL.into_iter().enumerate() {
        for (m, gate) in GATES.into_iter().enumerate() {
            for (l, log) in ["text", "json"].into_iter().enumerate() {
                // Each failure meets both formats, with and without a broken gate.
                let format = Format::BOTH[(n + m + l) % 2];
                check(&Site::folder(format), failing, log, gate);
            }
        }
    }
}

#[test]
fn the_metrics_have_the_exit_code_of_the_broken_gate_too() {
    for format in Format::BOTH {
        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), "{}\n");
        let args = ["--metrics", "pinclean.prom"];
        let output = run(&site, StdoutFull, &args).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let metrics = fs::read_to_string(site.home.path().join("pinclean.prom")).unwrap();
        let code = metrics.lines().find(|line| line.starts_with("pinclean_run_exit_code{"));
        assert!(code.is_some_and(|line| line.ends_with("} 3")), "{metrics}");
        assert!(!metrics.contains("last_success"), "{metrics}");
    }
}

#[test]
fn the_same_holds_on_s3() {
    for format in Format::BOTH {
        for failing in [SavedReport, Everything] {
            for gate in GATES {
                check(&Site::buckets(format), failing, "text", gate);
            }
        }
    }
}

#[test]
fn a_run_that_fails_after_it_committed_some_tables_tells_of_their_gates() {
    for format in Format::BOTH {
        for (rejects_all, code) in [(true, 3), (false, 1)] {
            let world = World::of(format);
            let body = if rejects_all { "{}\n".to_owned() } else { geo(1) };
            world.server.put(LAKE, &key(GEO, 0, 0), body);
            world.server.put(LAKE, &key("u.pin", 0, 0), "{\"index\":1}\n");
            // Tables are committed in the order of their names.
            let denied = Rule::new(Fault::AccessDenied).on(Op::Put).in_bucket(OUT);
            world.server.faults().add(denied.under(&format!("clean/{}", format.commits("pin"))));
            let stderr = world.run("s3://tables/clean").failed(code);
            for part in ["s3:PutObject is not allowed", "committed before the failure"] {
                assert!(stderr.contains(part), "{part}: {stderr}");
            }
            let told = stderr.contains("geo: none of 1 record was written: no_known_field (1)");
            assert_eq!(told, rejects_all, "{stderr}");
            world.server.faults().clear();
            world.run("s3://tables/clean").done();
        }
    }
}

#[test]
fn a_replay_keeps_its_report_where_its_table_cannot_be_printed() {
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), geos([1]) + "{}\n");
    site.run(&[]).done();
    fs::remove_file(site.home.path().join("report.json")).unwrap();
    let args = ["replay", "--tables", "out/tables", "--report", "report.json"];
    let output = site.binary().args(args).stdout(full()).output().unwrap();
    let ran = site.ran(output).exited(1).said("cannot write standard output");
    assert_eq!(ran.report()["operation"], "replay");
}

/// Commands that do what they have to, whether or not it can be told.
#[test]
fn a_command_whose_result_cannot_be_printed_does_all_of_its_work_and_ends_with_1() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    succeed(folder, &["emulate", "in", "--rows", "40", "--flush-size", "10", "--bad-rate", "0.3"]);
    succeed(folder, &["run", "--source", "in"]);
    let more = ["--rows", "40", "--start-offset", "40", "--bad-rate", "0.3"];
    succeed(folder, &[&["emulate", "in"], &more[..]].concat());
    succeed(folder, &["run", "--source", "in"]);
    for line in
        ["optimize --tables clean", "vacuum --tables clean", "history --tables clean", "check"]
    {
        let args: Vec<&str> = line.split(' ').collect();
        let output = pinclean(folder, &args).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {}", said(&output));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.matches("cannot write standard output").count(), 1, "{line}: {stderr}");
    }
    let output = pinclean(folder, &["optimize", "--tables", "clean"]).output().unwrap();
    let packed = String::from_utf8(output.stdout).unwrap();
    assert!(packed.lines().all(|line| line.ends_with("nothing to pack")), "{packed}");
}

/// A question that is wrong is named where the answers of the others cannot be printed.
#[test]
fn each_failure_of_many_questions_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    succeed(folder, &["emulate", "in", "--rows", "10"]);
    succeed(folder, &["run", "--source", "in"]);
    fs::create_dir(folder.join("mine")).unwrap();
    for (name, sql) in
        [("good", "SELECT COUNT(*) AS n FROM geo"), ("wrong", "SELECT nope AS n FROM geo")]
    {
        let text = format!(
            "-- name = \"{name}\"\n-- answers = \"How many\"\n-- columns = [\"n\"]\n\n{sql}\n"
        );
        fs::write(folder.join(format!("mine/{name}.sql")), text).unwrap();
    }
    let args = ["ask", "--all", "--questions", "mine"];
    for (stdout, code, good) in [(Stdio::piped(), 2, false), (full(), 1, true)] {
        let output = pinclean(folder, &args).stdout(stdout).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("question wrong: "), "{stderr}");
        assert_eq!(
            stderr.contains("question good: cannot write standard output"),
            good,
            "{stderr}"
        );
    }
}
