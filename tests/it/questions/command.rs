//! What `ask` does besides answering: lists, forms, files, mistakes.

use std::fs;
use std::path::Path;

use super::{answer, ask, records};
use crate::command::{pinclean, said, succeed};

/// The tables of the records by hand, in `clean`.
fn tables() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    records::clean(scratch.path(), "clean");
    scratch
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn questions_are_listed_with_their_parameters_without_any_tables() {
    let scratch = tempfile::tempdir().unwrap();
    let list = answer(scratch.path(), "nowhere", &[]);
    let entry = "top-category-by-year\n    The most popular category in each year\n    \
                 --set ties=all|one  of categories that are level: all, or one, the first by \
                 name [default: all]\n";
    assert!(list.contains(entry), "{list}");
    assert!(list.contains("    --set from=2018  the first year\n"), "{list}");
}

#[test]
fn all_answers_are_saved_each_in_a_file_of_the_form_that_is_asked_for() {
    let scratch = tables();
    let folder = scratch.path();
    for (form, ending) in [
        (None, "csv"),
        (Some("json"), "json"),
        (Some("ndjson"), "ndjson"),
        (Some("markdown"), "md"),
        (Some("table"), "txt"),
        (Some("parquet"), "parquet"),
    ] {
        let save = format!("answers-{ending}");
        let form: Vec<&str> = form.into_iter().flat_map(|form| ["--format", form]).collect();
        let printed = answer(folder, "clean", &[&["--all", "--save", &save][..], &form].concat());
        assert_eq!(printed, "");
        let saved = files(&folder.join(&save));
        assert!(saved.len() == 10 && saved.iter().all(|name| name.ends_with(ending)), "{saved:?}");
    }
    let saved = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let (csv, json) = ("country,follower_count\nFiji,9000000\nOman,9000000\n", |country: &str| {
        format!("{{\"country\":\"{country}\",\"follower_count\":9000000}}")
    });
    assert_eq!(saved("answers-csv/top-country-by-followers.csv"), csv);
    let array = format!("[\n{},\n{}\n]\n", json("Fiji"), json("Oman"));
    assert_eq!(saved("answers-json/top-country-by-followers.json"), array);
    let lines = format!("{}\n{}\n", json("Fiji"), json("Oman"));
    assert_eq!(saved("answers-ndjson/top-country-by-followers.ndjson"), lines);
}

#[test]
fn several_answers_are_printed_under_their_names() {
    let scratch = tables();
    let names = ["top-country-by-followers", "users-joined-by-year"];
    let printed = answer(scratch.path(), "clean", &names);
    let expected = "top-country-by-followers: The country of the poster with most followers of all\n\
        country  follower_count\n\
        Fiji            9000000\n\
        Oman            9000000\n\
        2 rows\n\n\
        users-joined-by-year: How many users joined in each year\n\
        join_year  users\n     2015      4\n     2016      4\n     2017      9\n3 rows\n\n";
    assert_eq!(printed, expected);
}

#[test]
fn the_tables_are_asked_as_they_were() {
    let scratch = tables();
    let folder = scratch.path();
    let (name, form) = ("users-joined-by-year", "--format=csv");
    let before = answer(folder, "clean", &[name, form]);
    let from = folder.join("by-hand/topics/0a1b2c3d4e5f.user/partition=0");
    fs::write(
        from.join("0a1b2c3d4e5f.user+0+0000000020.json"),
        "{\"ind\":99,\"first_name\":\"Zoe\",\"last_name\":\"Z\",\"age\":30,\
         \"date_joined\":\"2018-01-01T00:00:00\"}\n",
    )
    .unwrap();
    succeed(folder, &["run", "--source", "by-hand", "--out", "clean"]);
    let after = answer(folder, "clean", &[name, form]);
    assert_eq!(after, format!("{before}2018,1\n"));
    assert_eq!(answer(folder, "clean", &[name, form, "--as-of", "0"]), before);
}

#[test]
fn a_folder_of_questions_takes_the_place_of_those_built_in() {
    let scratch = tables();
    let folder = scratch.path();
    fs::create_dir(folder.join("mine")).unwrap();
    let question = "-- name = \"older-than\"\n-- answers = \"Who is older\"\n\
        -- columns = [\"user_name\"]\n-- [parameters.age]\n-- says = \"than this\"\n\
        -- default = 50\n\nSELECT user_name FROM user WHERE age > $age ORDER BY user_name\n";
    fs::write(folder.join("mine/older-than.sql"), question).unwrap();
    let mine = |args: &[&str]| {
        answer(folder, "clean", &[&["--questions", "mine", "--format", "csv"], args].concat())
    };
    assert_eq!(mine(&["older-than", "--set", "age=59"]), "user_name\n\"\"\n");
    assert_eq!(mine(&["older-than", "--set", "age=50"]), "user_name\n\"\"\nHalH\n");
    // A second one fails: the first is answered all the same.
    let broken = question.replace("older-than", "wrong").replace("age > $age", "aeg > $age");
    fs::write(folder.join("mine/wrong.sql"), broken).unwrap();
    let all = ["--questions", "mine", "--all", "--save", "answers"];
    let output = ask(folder, "clean", &all);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let said = said(&output);
    for words in ["there is no column aeg", "did you mean `age`?", "1 of 2 questions", "wrong"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(files(&folder.join("answers")), ["older-than.csv"]);
}

#[test]
fn values_of_every_type_are_put_in_as_they_are_typed() {
    let scratch = tables();
    let folder = scratch.path();
    fs::create_dir(folder.join("mine")).unwrap();
    let question = "-- name = \"typed\"\n-- answers = \"Whom these fit\"\n-- columns = [\"ind\"]\n\
        -- [parameters.least]\n-- says = \"age\"\n-- default = 0\n\
        -- [parameters.share]\n-- says = \"of the age\"\n-- default = 1.0\n\
        -- [parameters.name]\n-- says = \"not this\"\n-- default = \"\"\n\
        -- [parameters.since]\n-- says = \"joined\"\n-- default = 2015-01-01\n\
        -- [parameters.known]\n-- says = \"has a name\"\n-- default = true\n\
        SELECT ind FROM user WHERE age * $share > $least AND date_joined >= $since\n\
        AND (user_name IS NOT NULL) = $known AND COALESCE(user_name, '') <> $name -- $x\n\
        ORDER BY ind\n";
    fs::write(folder.join("mine/typed.sql"), question).unwrap();
    for (set, rows) in [
        (&["least=49"][..], "7 8"),
        (&["least=49", "share=0.5"], ""),
        (&["least=-1", "share=-0.01", "since=2017-06-05"], "8 18 22 23"),
        (&["least=49", "name=GusG"], "8"),
        (&["least=49", "name=x' OR 'x' = 'x"], "7 8"),
        (&["least=49", "name='; DROP TABLE user; --"], "7 8"),
        (&["least=49", "since=2017-06-06"], "8"),
        (&["least=-9223372036854775807", "known=false", "name=x"], "13"),
    ] {
        let set: Vec<&str> = set.iter().flat_map(|pair| ["--set", pair]).collect();
        let args = [&["typed", "--questions", "mine", "--format", "csv"], &set[..]].concat();
        let told = answer(folder, "clean", &args);
        let told: Vec<&str> = told.lines().skip(1).collect();
        assert_eq!(told.join(" "), rows, "{set:?}");
    }
}

#[test]
fn numbers_and_dates_of_any_size_are_values() {
    let scratch = tables();
    let folder = scratch.path();
    fs::create_dir(folder.join("mine")).unwrap();
    // As editors of Windows save it.
    let question = "\u{feff}-- name = \"sizes\"\n-- answers = \"What was put in\"\n\
        -- columns = [\"n\", \"x\", \"below\", \"day\"]\n\
        -- [parameters.n]\n-- says = \"a number\"\n-- default = 1\n\
        -- [parameters.x]\n-- says = \"a number\"\n-- default = 1.5\n\
        -- [parameters.day]\n-- says = \"a day\"\n-- default = 2020-01-01\n\
        SELECT $n AS n, $x AS x, 3-$x < 0 AS below, $day AS day FROM user LIMIT 1\n";
    fs::write(folder.join("mine/sizes.sql"), question).unwrap();
    for (set, row) in [
        (&["n=3"][..], "3,1.5,false,2020-01-01"),
        (&["n=-9223372036854775808"], "-9223372036854775808,1.5,false,2020-01-01"),
        (&["n=9223372036854775807"], "9223372036854775807,1.5,false,2020-01-01"),
        (&["x=1e20", "n=-4"], "-4,1e20,true,2020-01-01"),
        (&["x=1e16"], "1,1e16,true,2020-01-01"),
        (&["x=0.00001"], "1,1e-5,false,2020-01-01"),
        (&["x=-1e300"], "1,-1e300,false,2020-01-01"),
        (&["x=5e-324"], "1,5e-324,false,2020-01-01"),
        (&["day=9999-12-31"], "1,1.5,false,9999-12-31"),
        (&["day=0000-01-01"], "1,1.5,false,0000-01-01"),
    ] {
        let set: Vec<&str> = set.iter().flat_map(|pair| ["--set", pair]).collect();
        let args = [&["sizes", "--questions", "mine", "--format", "csv"], &set[..]].concat();
        assert_eq!(answer(folder, "clean", &args), format!("n,x,below,day\n{row}\n"), "{set:?}");
    }
}

#[test]
fn settings_of_the_job_are_no_hindrance_to_those_who_look() {
    let scratch = tables();
    let folder = scratch.path();
    let listed = answer(folder, "clean", &[]);
    let years = ["users-joined-by-year", "--format", "csv"];
    let answered = answer(folder, "clean", &years);
    let settings = "set = [\"ties=one\"]\n[ask]\nsave = \"answers\"\nformat = \"csv\"\n";
    fs::write(folder.join("pinclean.toml"), settings).unwrap();
    assert_eq!(answer(folder, "clean", &[]), listed);
    assert_eq!(answer(folder, "clean", &["users-joined-by-year"]), "");
    let saved = fs::read_to_string(folder.join("answers/users-joined-by-year.csv")).unwrap();
    assert_eq!(saved, answered);

    let told = |args: &[&str], code: i32| {
        let mut command = pinclean(folder, &[&["ask", "--tables", "clean"], args].concat());
        command.env("PINCLEAN_ASK_FORMAT", "parquet").env("PINCLEAN_SET", "count=people");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        said(&output)
    };
    assert!(told(&[], 0).contains(&listed));
    assert!(told(&["top-country-by-followers"], 0).contains("rows: 2"));
    // What is typed is meant.
    for args in [&["--save", "answers"][..], &["--set", "count=rows"], &["--format", "csv"]] {
        let said = told(args, 2);
        assert!(said.contains(&format!("error: {}", args[0])), "{said}");
    }
    let said = told(&["top-country-by-followers", "--set", "count=rows"], 2);
    assert!(said.contains("--set: top-country-by-followers has no parameter count"), "{said}");
}

#[test]
fn a_mistake_in_the_settings_is_told_with_its_place() {
    let scratch = tables();
    let folder = scratch.path();
    let one = "top-category-by-year";
    for (settings, said) in [
        ("set = ['ties=some']", "pinclean.toml:1:7: set: ties: \"some\" is not one of: all, one"),
        ("set = ['tie=one']", "pinclean.toml:1:7: set: none of the questions has a parameter tie"),
        ("[ask]\nformat = 'parquet'", "pinclean.toml:2:10: format: parquet is for files"),
    ] {
        fs::write(folder.join("pinclean.toml"), settings).unwrap();
        let output = ask(folder, "clean", &[one]);
        assert_eq!(output.status.code(), Some(2), "{settings}");
        assert!(crate::command::said(&output).contains(said), "{}", crate::command::said(&output));
    }
    fs::remove_file(folder.join("pinclean.toml")).unwrap();
    for (variable, value, words) in [
        ("PINCLEAN_SET", "ties=some", "PINCLEAN_SET: ties: \"some\" is not one of"),
        ("PINCLEAN_ASK_FORMAT", "parquet", "PINCLEAN_ASK_FORMAT: parquet is for files"),
    ] {
        let mut command = pinclean(folder, &["ask", one, "--tables", "clean"]);
        let output = command.env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}");
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}

#[test]
fn the_columns_of_an_answer_are_those_of_the_header() {
    let scratch = tables();
    let folder = scratch.path();
    fs::create_dir(folder.join("mine")).unwrap();
    let question = "-- name = \"all-of-it\"\n-- answers = \"All\"\n\
        -- columns = [\"ind\", \"name\"]\nSELECT * FROM user\n";
    fs::write(folder.join("mine/all-of-it.sql"), question).unwrap();
    let output = ask(folder, "clean", &["all-of-it", "--questions", "mine"]);
    assert_eq!(output.status.code(), Some(2));
    let words = "has the columns ind, user_name, age, date_joined, but the header says ind, name";
    assert!(said(&output).contains(words), "{}", said(&output));
}

#[test]
fn a_mistake_is_told_with_what_would_be_right() {
    let scratch = tables();
    let folder = scratch.path();
    let one = "top-category-by-year";
    for (args, words) in [
        (&["top-category-by-yaer"][..], "did you mean `top-category-by-year`?"),
        (&[one, "--set", "tie=one"], "did you mean `ties`?"),
        (&[one, "--set", "ties=some"], "\"some\" is not one of: all, one"),
        (&[one, "--set", "ties"], "is not NAME=VALUE, such as ties=one"),
        (&["posts-by-category-and-year", "--set", "from=x"], "\"x\" is not a whole number"),
        (&[one, "--all"], "contradict each other"),
        (&["--save", "x"], "name a question, or give --all"),
        (&["--set", "ties=one"], "name a question, or give --all"),
        (&["--format", "csv"], "the list of questions is a table or json"),
        (&["--all", "--format", "csv"], "--save a folder for a file each"),
        (&[one, "--format", "parquet"], "give --save too"),
        (&[one, "--format", "cvs"], "\"cvs\" is not one of: table, csv,"),
        (&[one, "--questions", "none"], "there is no such folder of questions"),
        (&[one, "--as-of", "soon"], "neither a version (a number) nor a time"),
    ] {
        let output = ask(folder, "clean", args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{args:?}: {}", said(&output));
    }
}

#[test]
fn a_table_that_is_not_there_is_named_with_the_question() {
    let scratch = tables();
    let folder = scratch.path();
    fs::remove_dir_all(folder.join("clean/pin")).unwrap();
    let output = ask(folder, "clean", &["top-category-by-year"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("question top-category-by-year: there is no table pin in "), "{said}");
    // What needs no pins is answered.
    let all = pinclean(folder, &["ask", "--tables", "clean", "--all", "--save", "answers"]);
    let output = { all }.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(files(&folder.join("answers")), ["users-joined-by-year.csv"]);
}
