//! questions/README.md: each example is a question that can be asked.

use std::collections::BTreeSet;
use std::fs;

use pinclean::ask::{Kind, Question, load, parse};

use super::markdown::{Document, code};
use super::world::World;
use crate::command::{said, succeed};

fn document() -> Document {
    Document::read("questions/README.md")
}

fn examples() -> Vec<(Question, String)> {
    let blocks = document().blocks().into_iter().filter(|block| block.language == "sql");
    let question = |text: String| {
        let name = text.split('"').nth(1).unwrap();
        let question = parse(&format!("{name}.sql"), &text);
        (question.unwrap_or_else(|problems| panic!("{text}\n{problems:#?}")), text)
    };
    blocks.map(|block| question(block.text)).collect()
}

#[test]
fn every_block_of_sql_is_a_question_that_is_answered_with_each_choice() {
    let examples = examples();
    assert!(!examples.is_empty());
    let world = World::new();
    let folder = world.folder();
    succeed(&folder, &["run", "--source", "fixtures/bucket", "--out", "clean"]);
    fs::create_dir(folder.join("mine")).unwrap();
    for (question, text) in examples {
        fs::write(folder.join(format!("mine/{}.sql", question.name)), text).unwrap();
        let mut sets = vec![String::new()];
        for parameter in &question.parameters {
            let Kind::Choice { choices, .. } = &parameter.kind else { continue };
            let set = |choice: &pinclean::ask::Choice| {
                format!("--set {}={}", parameter.name, choice.name)
            };
            sets.extend(choices.iter().map(set));
        }
        for set in sets {
            let command = format!("pinclean ask {} --questions mine {set}", question.name);
            let output = world.shell(&command);
            assert!(output.status.success(), "{command}: {}", said(&output));
            let rows = String::from_utf8_lossy(&output.stdout).lines().count();
            assert!(rows > 2, "{command}: {}", said(&output));
        }
    }
}

#[test]
fn every_key_of_a_header_is_read() {
    let keys = |heading| -> Vec<String> {
        document().table(heading).iter().map(|row| code(&row[0])[0].to_owned()).collect()
    };
    for (heading, before) in [("key", ""), ("key of a parameter", "-- [parameters.x]\n")] {
        for key in keys(heading) {
            // None of them is a time: what is read is refused as one, or is missing.
            let text = format!("{before}-- {key} = [[03:00:00]]\n");
            let problems = parse("q.sql", &text).unwrap_err();
            let told = problems
                .iter()
                .any(|problem| problem.message.contains(&format!("`{key}` must be")));
            assert!(told, "{key}: {problems:#?}");
        }
    }
}

#[test]
fn the_table_of_choices_is_that_of_the_questions() {
    let told: BTreeSet<(String, String)> = document()
        .table("parameter")
        .iter()
        .map(|row| (code(&row[0])[0].to_owned(), code(&row[1])[0].to_owned()))
        .collect();
    let defaults: BTreeSet<(String, String)> = document()
        .table("parameter")
        .iter()
        .filter(|row| row[2].ends_with(": the default"))
        .map(|row| (code(&row[0])[0].to_owned(), code(&row[1])[0].to_owned()))
        .collect();
    let (mut known, mut known_defaults) = (BTreeSet::new(), BTreeSet::new());
    for parameter in load(None).unwrap().into_iter().flat_map(|question| question.parameters) {
        let Kind::Choice { choices, default } = parameter.kind else { continue };
        known_defaults.insert((parameter.name.clone(), choices[default].name.clone()));
        known.extend(choices.into_iter().map(|choice| (parameter.name.clone(), choice.name)));
    }
    assert_eq!((told, defaults), (known, known_defaults));
}
