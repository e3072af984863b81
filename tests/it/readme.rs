//! The documents say what is so: every command in them is run.

mod exit_codes;
mod grammar;
pub mod markdown;
mod questions;
pub mod world;

use regex::Regex;
use serde_json::Value;

use crate::command::said;
use crate::peer;
use markdown::{Document, code, repository};
use world::World;

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "docs/tables.md",
    "docs/reading.md",
    "deploy/watching.md",
    "transforms/README.md",
    "questions/README.md",
    "fixtures/README.md",
];

/// Blocks that are not run, and why.
const NOT_RUN: [(&str, &str, &str); 5] = [
    ("README.md", "text", "a drawing"),
    ("deploy/watching.md", "yaml", "alerts, whose metrics the tests of metrics know"),
    ("transforms/README.md", "toml", "parsed by the tests of the grammar"),
    ("questions/README.md", "sql", "asked by the tests of the questions"),
    ("fixtures/README.md", "json", "the form of expect.json, which the cases' test reads"),
];

/// A run must have found rows and committed them: a recipe that has nothing to
/// do proves nothing.
fn check_reports(reports: &[Value], of: &str) {
    for report in reports {
        assert_eq!(report["outcome"], "committed", "{of}: {report:#}");
        let tables = report["tables"].as_object().unwrap();
        assert!(!tables.is_empty(), "{of}");
        for (table, counts) in tables {
            assert!(counts["records_written"].as_u64() > Some(0), "{of}: {table} has no rows");
        }
    }
}

/// Runs a script and checks that it does what its reader expects.
fn check_script(world: &World, script: &str, of: &str) {
    let output = world.shell(script);
    assert!(output.status.success(), "{of}:\n{script}\n{}", said(&output));
    let reports = world.reports();
    let reporting = [" run ", " replay "];
    let runs = script
        .lines()
        .filter(|line| reporting.iter().any(|verb| line.contains(verb)) || line.ends_with(" run"));
    assert_eq!(reports.len(), runs.count(), "{of}: not every run left a report");
    check_reports(&reports, of);
}

#[test]
fn every_block_of_the_documents_is_run_in_the_order_in_which_it_is_read() {
    for path in DOCUMENTS {
        let world = World::new();
        for block in Document::read(path).blocks() {
            let of = format!("{path}:{}", block.line);
            let language = block.language.as_str();
            match language {
                "sh" => check_script(&world, &block.text, &of),
                "cron" => check_cron(&block.text, &of),
                "toml" if path == "README.md" => check_settings(&block.text, &of),
                "python" => check_python(&world, &block.text, &of),
                _ => assert!(
                    NOT_RUN.iter().any(|(file, kind, _)| (*file, *kind) == (path, language)),
                    "{of}: run {language:?} blocks, or list them with the reason why not"
                ),
            }
        }
    }
}

/// The commands of a crontab, as cron reads them: five fields, then a command
/// in which `%` ends the line unless a backslash stands before it.
fn check_cron(crontab: &str, of: &str) {
    let line = Regex::new(r"(?m)^(?:[0-9*/,-]+ +){5}(.+)$").unwrap();
    let bare_percent = Regex::new(r"(^|[^\\])%").unwrap();
    for found in line.captures_iter(crontab) {
        assert!(!bare_percent.is_match(&found[1]), "{of}: cron ends the line at %");
        check_script(
            &World::new(),
            &found[1].replace(r"\%", "%").replace("/usr/local/bin/", ""),
            of,
        );
    }
    assert_eq!(line.find_iter(crontab).count(), crontab.lines().count(), "{of}: {crontab}");
}

fn check_settings(text: &str, of: &str) {
    let world = World::new();
    std::fs::write(world.folder().join("pinclean.toml"), text).unwrap();
    check_script(&world, "pinclean run", of);
    assert!(!world.server.keys("lake", "clean/pin/_delta_log/").is_empty(), "{of}: out is read");
}

/// A script that reads a table prints what it found: never an empty frame.
fn check_python(world: &World, script: &str, of: &str) {
    let Some(python) = peer::python() else { return };
    let output = peer::run(&python, &world.folder(), script, &[]);
    assert!(output.status.success(), "{of}: {}", said(&output));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("shape: (") && !printed.contains("shape: (0,"), "{of}: {printed}");
}

#[test]
fn a_run_leaves_what_the_documents_say_and_nothing_else() {
    let world = World::new();
    let script = "pinclean emulate demo --rows 200 --bad-rate 0.2 --seed 7\n\
                  pinclean run --source demo --out clean";
    check_script(&world, script, "the script of this test");
    let places: Vec<String> = Document::read("docs/tables.md")
        .table("place below `--out`")
        .iter()
        .map(|row| code(&row[0])[0].to_owned())
        .collect();
    let placeholder = Regex::new(r"<[a-z ]+>|\\\*").unwrap();
    let pattern = |place: &String| {
        let escaped = regex::escape(place).replace("\\<", "<").replace("\\>", ">");
        let escaped = escaped.replace(r"\ ", " ");
        // A place that ends with a slash is a table's folder.
        let below = if place.ends_with('/') {
            r"(_delta_log/[0-9]{20}\.json|[^/_][^/]*\.parquet)"
        } else {
            ""
        };
        let named = placeholder.replace_all(&escaped, "[^/_][^/]*");
        Regex::new(&format!("^{named}{below}$")).unwrap()
    };
    let patterns: Vec<Regex> = places.iter().map(pattern).collect();
    let clean = world.folder().join("clean");
    let left = files_below(&clean, &clean);
    for (place, pattern) in places.iter().zip(&patterns) {
        assert!(left.iter().any(|path| pattern.is_match(path)), "no {place} in {left:#?}");
    }
    for path in &left {
        assert!(patterns.iter().any(|p| p.is_match(path)), "{path} is not in {places:?}");
    }
}

fn files_below(folder: &std::path::Path, root: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files_below(&path, root),
        false => vec![path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()],
    });
    files.collect()
}

#[test]
fn links_lead_somewhere() {
    for path in DOCUMENTS.into_iter().chain(["ARCHITECTURE.md", "CHANGELOG.md"]) {
        let document = Document::read(path);
        let folder = repository().join(path);
        let folder = folder.parent().unwrap();
        for link in document.local_links() {
            let file = link.split('#').next().unwrap();
            assert!(folder.join(file).exists(), "{path}: {link}");
        }
    }
}

#[test]
fn options_that_the_text_names_are_there() {
    let known: Vec<String> = pinclean::cli::options().into_iter().map(|o| o.flag).collect();
    let option = Regex::new(r"--([a-z][a-z0-9-]*)").unwrap();
    let mut seen = 0;
    for path in DOCUMENTS.into_iter().chain(["ARCHITECTURE.md", "CHANGELOG.md"]) {
        let prose = Document::read(path).prose();
        for span in code(&prose) {
            let ours = !span.starts_with("cargo ");
            for found in option.captures_iter(span).filter(|_| ours) {
                seen += 1;
                assert!(known.iter().any(|name| *name == found[1]), "{path}: {span}");
            }
        }
    }
    assert!(seen > 3, "{seen} options");
}

#[test]
fn paths_that_the_architecture_names_are_there() {
    let document = Document::read("ARCHITECTURE.md");
    let path = Regex::new(r"^(src|tests|transforms|questions|fixtures|benches|\.ci)/[a-z0-9_./]*$")
        .unwrap();
    let mut seen = 0;
    for span in code(&document.prose()).into_iter().filter(|span| path.is_match(span)) {
        seen += 1;
        assert!(repository().join(span).exists(), "{span}");
    }
    assert!(seen > 30, "{seen} paths");
}
