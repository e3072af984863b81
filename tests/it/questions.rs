//! `pinclean ask`: the answers are those that were worked out by hand, and Spark's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::command::{isolated, pinclean, said, succeed};
use crate::{peer, real};

mod answers;
mod command;
mod records;

/// What `ask` said of the tables in a folder.
fn ask(folder: &Path, tables: &str, args: &[&str]) -> Output {
    pinclean(folder, &[&["ask", "--tables", tables], args].concat()).output().unwrap()
}

/// What `ask` printed. It must succeed.
#[track_caller]
fn answer(folder: &Path, tables: &str, args: &[&str]) -> String {
    let output = ask(folder, tables, args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A Python that has PySpark, and the Java that it needs, if one is named.
fn spark() -> Option<PathBuf> {
    let python = std::env::var_os("PINCLEAN_SPARK_PYTHON").filter(|path| !path.is_empty());
    if python.is_none() {
        println!("skipped: PINCLEAN_SPARK_PYTHON names no Python that has PySpark");
    }
    python.map(PathBuf::from)
}

/// The questions by PySpark: folder of tables → question with its parameters → rows.
type Answers = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn by_spark(python: &Path, folder: &Path, tables: &[&str]) -> Answers {
    let mut command = isolated(python, folder);
    for name in ["JAVA_HOME", "TMPDIR"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.args(["-c", include_str!("peer/questions.py")]).args(tables);
    let output = command.output().unwrap();
    assert!(output.status.success(), "PySpark: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_answer_is_sparks_whatever_the_parameters() {
    let Some(python) = spark() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    records::clean(folder, "hand");
    let emulate = ["emulate", "emulated", "--rows", "3000", "--flush-size", "500", "--seed", "3"];
    succeed(folder, &emulate);
    succeed(folder, &["run", "--source", "emulated", "--out", "invented"]);
    let mut tables = vec!["hand", "invented"];
    if let Some(records) = real::records() {
        let tables_of_real =
            real::clean(&real::SINGLE, &records, folder, crate::table::Format::Delta);
        let crate::table::Place::Folder(path) = tables_of_real else { panic!("a folder") };
        fs::rename(path, folder.join("real")).unwrap();
        tables.push("real");
    }
    let answers = by_spark(&python, folder, &tables);
    for (tables, answers) in &answers {
        asked_everything(folder, answers.keys());
        for (question, rows) in answers {
            let mut words = question.split(' ');
            let name = words.next().unwrap();
            let set: Vec<&str> = words.flat_map(|pair| ["--set", pair]).collect();
            let args = [&[name, "--format", "ndjson"][..], &set].concat();
            let told = answer(folder, tables, &args);
            let told: Vec<&str> = told.lines().collect();
            assert_eq!(told, *rows, "{question}, of {tables}");
        }
    }
    println!("Spark: {} answers over {}", answers["hand"].len(), tables.join(", "));
}

/// Fails unless each question is there with each combination of choices.
fn asked_everything<'a>(folder: &Path, asked: impl Iterator<Item = &'a String>) {
    let list = answer(folder, "nowhere", &["--format", "json"]);
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    let mut left: BTreeSet<String> = list.iter().flat_map(combinations).collect();
    assert!(list.len() == 10 && left.len() == 29, "{left:?}");
    for question in asked {
        // Years are any number: those of the script are as good as others.
        left.remove(question.split(" from=").next().unwrap());
    }
    assert!(left.is_empty(), "the script does not answer {left:?}");
}

/// A question's name with each combination of the choices of its parameters.
fn combinations(question: &serde_json::Value) -> Vec<String> {
    let mut all = vec![question["name"].as_str().unwrap().to_owned()];
    for parameter in question["parameters"].as_array().unwrap() {
        let Some(choices) = parameter["choices"].as_array() else { continue };
        let name = parameter["name"].as_str().unwrap();
        let chosen = |so_far: &String| -> Vec<String> {
            choices.iter().map(|c| format!("{so_far} {name}={}", c.as_str().unwrap())).collect()
        };
        all = all.iter().flat_map(chosen).collect();
    }
    all
}

#[test]
fn duckdb_reads_a_saved_answer() {
    let Some(python) = peer::python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    records::clean(folder, "hand");
    answer(folder, "hand", &["--all", "--save", "answers", "--format", "parquet"]);
    let script = "import duckdb\n\
        rows = duckdb.sql(\"from 'answers/median-followers-by-age-group.parquet'\").fetchall()\n\
        assert rows == [('18-24', 3000), ('25-35', 8000), ('36-50', 4000), ('50+', 6000)], rows\n\
        rows = duckdb.sql(\"from 'answers/top-country-by-followers.parquet'\").fetchall()\n\
        assert rows == [('Fiji', 9000000), ('Oman', 9000000)], rows\n";
    let output = peer::run(&python, folder, script, &[]);
    assert!(output.status.success(), "DuckDB: {}", said(&output));
}
