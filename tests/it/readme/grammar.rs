//! transforms/README.md: each example of the grammar is read, and by `check`.

use std::collections::BTreeSet;
use std::fs;

use pinclean::code::Code;
use pinclean::spec::{Spec, parse};

use super::markdown::{Document, code};
use super::world::World;
use crate::command::said;

const HEAD: &str = "version = 1\ntable = \"orders\"\ntopics = [\"*.orders\"]\n";
const COLUMN: &str = "[[column]]\nname = \"x\"\n";
/// The columns that the examples of the examples are about.
const ORDERS: &str = "[[column]]\nname = \"amount\"\ntype = \"float64\"\nfield = \"amount\"\n\
    strip_suffix = \" EUR\"\n\
    [[column]]\nname = \"paid\"\ntype = \"string\"\nfield = \"paid\"\nnull_values = [\"\"]\n";

fn document() -> Document {
    Document::read("transforms/README.md")
}

fn sound(text: &str) -> Spec {
    parse("orders.toml", text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

fn column(ty: &str, rest: &str) -> String {
    format!("{HEAD}{COLUMN}type = \"{ty}\"\n{rest}\n")
}

/// The block that holds a text, as whole files that can be read.
fn files(block: &str) -> Vec<String> {
    if block.starts_with("version") {
        vec![block.to_owned()]
    } else if block.starts_with("fields") || block.starts_with("partition_by") {
        vec![format!("{HEAD}{block}")]
    } else if block.contains("[[example]]") {
        vec![format!("{HEAD}{ORDERS}{block}")]
    } else if let Some((times, dates)) = block.split_once("# date\n") {
        let field = "field = \"x\"\n";
        let file = |ty, formats| column(ty, &format!("{field}{formats}"));
        vec![file("timestamp", times), file("date", dates)]
    } else {
        sources(block)
    }
}

/// One column a source; a separator goes with the line before it.
fn sources(block: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in block.lines() {
        match line.split(' ').next() {
            Some("separator") => files.last_mut().unwrap().push_str(line),
            Some("array") => files.push(column("list<float64>", line)),
            Some("sql") => {
                files.push(column("string", line).replacen("[[", "fields = [\"country\"]\n[[", 1))
            }
            _ => files.push(column("string", line)),
        }
    }
    files
}

#[test]
fn every_block_of_the_grammar_is_a_sound_transform() {
    let blocks: Vec<_> = document().blocks();
    assert!(blocks.len() >= 5 && blocks.iter().all(|block| block.language == "toml"));
    let mut examples = 0;
    for text in blocks.iter().flat_map(|block| files(&block.text)) {
        examples += sound(&text).examples.len();
        let world = World::new();
        fs::create_dir(world.folder().join("mine")).unwrap();
        fs::write(world.folder().join("mine/orders.toml"), &text).unwrap();
        let output = world.shell("pinclean check mine");
        assert!(output.status.success(), "{text}\n{}", said(&output));
    }
    assert!(examples >= 2, "{examples} examples");
}

#[test]
fn every_key_of_the_file_is_read() {
    let rows = document().table("key");
    let keys: Vec<&str> = rows.iter().flat_map(|row| code(&row[0])).collect();
    assert!(keys.contains(&"partition_by") && keys.contains(&"unique_by"), "{keys:?}");
    for key in keys {
        // None of them may be a table: what is read is refused as one.
        let problems = parse("orders.toml", &format!("{key} = {{}}\n")).unwrap_err();
        let told = problems
            .iter()
            .any(|problem| problem.message.starts_with(&format!("`{key}` must be ")));
        assert!(told, "{key}: {problems:#?}");
    }
}

#[test]
fn every_rule_of_the_table_is_read() {
    for row in document().table("step") {
        let (key, example) = (code(&row[1])[0], code(&row[2]).join("`"));
        let ty = match key {
            "suffixes" | "range" | "type" => "int32",
            "formats" => "date",
            _ => "string",
        };
        let rest = match key {
            "type" => "field = \"x\"".to_owned(),
            _ => format!("field = \"x\"\n{example}"),
        };
        assert!(example.starts_with(&format!("{key} = ")), "{key}: {example}");
        sound(&column(ty, &rest));
    }
}

#[test]
fn the_table_of_reject_codes_is_whole() {
    let rows = document().table("code");
    let told: BTreeSet<&str> = rows.iter().flat_map(|row| code(&row[0])).collect();
    let known: BTreeSet<&str> = Code::ALL.into_iter().map(Code::as_str).collect();
    assert_eq!(told, known);
}

#[test]
fn the_formats_that_are_called_the_defaults_are_the_defaults() {
    let block = document().blocks().into_iter().find(|block| block.text.contains("# date\n"));
    for (ty, text) in ["timestamp", "date"].iter().zip(files(&block.unwrap().text)) {
        let told = sound(&text);
        let default = sound(&column(ty, "field = \"x\""));
        let formats = |spec: &Spec| format!("{:?}", spec.columns[0].source.rules());
        assert_eq!(formats(&told), formats(&default), "{ty}");
    }
}
