//! Questions as texts, sound and unsound.

use super::*;

const SOUND: &str = "\
-- name = \"q\"
-- answers = \"What it is\"
-- columns = [\"a\", \"n\"]
--
-- [parameters.how]
-- says = \"in which order\"
-- default = \"up\"
-- choices = { up = \"a\", down = \"a DESC\" }
--
-- [parameters.least]
-- says = \"the least\"
-- default = 3

SELECT a, COUNT(*) AS n -- not $this
FROM t WHERE b <> '$that' AND n >= $least
GROUP BY a ORDER BY $how
";

fn sound(text: &str) -> Question {
    parse("dir/q.sql", text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn typed(set: &[(&str, &str)]) -> Set {
    let values = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Set { values, typed: true, origin: "--set".to_owned() }
}

/// The problems, as they are shown.
fn problems(text: &str) -> Vec<String> {
    let problems = parse("q.sql", text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn sql(question: &Question, set: &[(&str, &str)]) -> Result<String, String> {
    let asked = choose(std::slice::from_ref(question), &Wanted::All, Some(&typed(set)));
    asked.map(|mut asked| asked.remove(0).sql).map_err(|e| e.to_string())
}

#[test]
fn a_header_gives_the_question_and_its_parameters_in_their_order() {
    let question = sound(SOUND);
    assert_eq!((question.name.as_str(), question.answers.as_str()), ("q", "What it is"));
    assert_eq!(question.columns, ["a", "n"]);
    let shown: Vec<_> = question.parameters.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["how=up|down", "least=3"]);
}

#[test]
fn a_parameter_is_put_in_where_it_is_a_token_and_nowhere_else() {
    let expected = |least: &str, how: &str| {
        format!(
            "\nSELECT a, COUNT(*) AS n -- not $this\nFROM t WHERE b <> '$that' AND n >= {least}\n\
             GROUP BY a ORDER BY {how}\n"
        )
    };
    let question = sound(SOUND);
    assert_eq!(sql(&question, &[]), Ok(expected("3", "a")));
    assert_eq!(sql(&question, &[("least", "-4"), ("how", "down")]), Ok(expected("(-4)", "a DESC")));
}

#[test]
fn what_is_typed_is_one_literal_of_the_type_of_the_default() {
    for (default, typed, literal) in [
        ("3", "9223372036854775807", Ok("9223372036854775807")),
        ("3", "-1", Ok("(-1)")),
        ("3", "1; DROP", Err("is not a whole number of 64 bits")),
        ("3", "1.5", Err("is not a whole number of 64 bits")),
        ("0.5", "2", Ok("2.0")),
        ("3", "-9223372036854775808", Ok("(-9223372036854775807 - 1)")),
        ("3", "9223372036854775808", Err("is not a whole number of 64 bits")),
        ("0.5", "1e16", Ok("10000000000000000.0")),
        ("0.5", "1e20", Ok("100000000000000000000.0")),
        ("0.5", "0.00001", Ok("0.00001")),
        ("0.5", "-2.5e-7", Ok("(-0.00000025)")),
        ("0.5", "-0", Ok("(-0.0)")),
        ("0.5", "nan", Err("is not a number")),
        ("0.5", "-inf", Err("is not a number")),
        ("0.5", "1e999", Err("is not a number")),
        ("true", "false", Ok("false")),
        ("true", "yes", Err("is not true or false")),
        ("2020-01-31", "2021-02-28", Ok("DATE '2021-02-28'")),
        ("2020-01-31", "9999-12-31", Ok("DATE '9999-12-31'")),
        ("2020-01-31", "+10000-01-01", Err("is not a date such as 2020-08-28")),
        ("2020-01-31", "-0001-01-01", Err("is not a date such as 2020-08-28")),
        ("2020-01-31", "2021-02-29", Err("is not a date such as 2020-08-28")),
        ("2020-01-31", "' OR '", Err("is not a date such as 2020-08-28")),
        ("\"x\"", "it's", Ok("'it''s'")),
        ("\"x\"", "'; DROP TABLE pin; --", Ok("'''; DROP TABLE pin; --'")),
        ("\"x\"", "\\' OR 1=1 --", Ok("'\\'' OR 1=1 --'")),
        ("\"x\"", "$how", Ok("'$how'")),
    ] {
        let question = sound(&SOUND.replace("default = 3", &format!("default = {default}")));
        let got = sql(&question, &[("least", typed)]);
        match literal {
            Ok(literal) => {
                let got = got.unwrap();
                assert!(got.contains(&format!("n >= {literal}\n")), "{typed}: {got}");
                // One token, but for the sign in its parentheses and the DATE.
                let tokens = |sql: &str| {
                    let dialect = sqlparser::dialect::GenericDialect;
                    let mut tokens = sqlparser::tokenizer::Tokenizer::new(&dialect, sql);
                    tokens.tokenize().unwrap().len()
                };
                let more = match (literal.starts_with('('), literal.starts_with("DATE")) {
                    // And a minus and its spaces and a second number.
                    (true, _) if literal.contains(" - ") => 7,
                    (true, _) => 3,
                    (_, true) => 2,
                    _ => 0,
                };
                let default = sql(&question, &[]).unwrap();
                let of_default = if default.contains("DATE") { 2 } else { 0 };
                assert_eq!(tokens(&got) - more, tokens(&default) - of_default, "{got}");
            }
            Err(problem) => assert!(got.clone().unwrap_err().contains(problem), "{typed}: {got:?}"),
        }
    }
}

#[test]
fn every_float_is_spelt_with_a_point_and_without_an_exponent() {
    for n in [0.0, 1.0, 1e16, 1e20, 1e300, f64::MAX, 0.1, 1e-5, f64::MIN_POSITIVE, 5e-324] {
        let literal = Value::Float(n).sql();
        assert!(literal.contains('.') && !literal.contains('e'), "{literal}");
        assert_eq!(literal.parse(), Ok(n));
        assert_eq!(Value::Float(-n).sql(), format!("(-{literal})"));
    }
}

#[test]
fn problems_are_told_all_at_once_with_their_places() {
    let change = |from: &str, to: &str| {
        assert!(SOUND.contains(from), "{from}");
        SOUND.replacen(from, to, 1)
    };
    for (text, expected) in [
        (
            String::new(),
            vec![
                "q.sql:1:1: `answers` is missing",
                "q.sql:1:1: `columns` is missing",
                "q.sql:1:1: `name` is missing",
            ],
        ),
        (
            change("name = \"q\"", "name = \"p\""),
            vec!["q.sql:1:11: the file is called `q`: give the question the same name"],
        ),
        (
            change("says = \"in", "sais = \"in"),
            vec![
                "q.sql:5:4: `says` is missing",
                "q.sql:6:4: unknown key `sais`; did you mean `says`?",
            ],
        ),
        (
            change("default = \"up\"", "default = \"dwn\""),
            vec!["q.sql:7:14: `default` is none of the choices; did you mean `down`?"],
        ),
        (
            change("default = 3", "default = [3]"),
            vec!["q.sql:12:14: `default` must be a number, a string, true, false or a date"],
        ),
        (
            change("{ up = \"a\", down = \"a DESC\" }", "{}"),
            vec!["q.sql:7:14: `default` is none of the choices", "q.sql:8:14: `choices` is empty"],
        ),
        (
            change("down = \"a DESC\"", "down = \"a DESC)\""),
            vec!["q.sql:8:33: with this it is no SQL: Expected: end of statement, found: )"],
        ),
        (
            change("$least", "$lest"),
            vec![
                "q.sql:10:16: the SQL does not use `$least`",
                "q.sql:15:36: `$lest` has no [parameters.lest] in the header; did you mean `least`?",
            ],
        ),
        (
            change("GROUP BY", "GROUP BX"),
            vec!["q.sql:16:1: Expected: end of statement, found: GROUP"],
        ),
        (
            change("$least", "?"),
            vec!["q.sql:15:36: `?` is no place for a parameter: those are `$name`"],
        ),
        (
            change("$least", "$1"),
            vec!["q.sql:15:36: `$1` is no place for a parameter: those are `$name`"],
        ),
        (change("'$that'", "'$that"), vec!["q.sql:15:19: Unterminated string literal"]),
        (
            change("[\"a\", \"n\"]", "[\"a\", \"m\"]"),
            vec!["q.sql:3:15: the SQL gives other columns: a, n"],
        ),
        (change("[\"a\", \"n\"]", "[\"a\", \"a\"]"), vec!["q.sql:3:20: `a` is there twice"]),
        (
            change("SELECT", "DELETE FROM t; SELECT"),
            vec!["q.sql:14:1: a question is one SELECT, not 2 statements"],
        ),
        (
            change("-- name", "-- My question\n-- name"),
            vec![
                "q.sql:1:7: key with no value, expected `=`; the comment lines at the top are TOML",
            ],
        ),
    ] {
        assert_eq!(problems(&text), expected, "{text}");
    }
}

#[test]
fn a_question_or_parameter_that_is_not_there_is_told_with_those_that_are() {
    let questions = load(None).unwrap();
    let ask = |names: &[&str], set: &[(&str, &str)]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let set = typed(set);
        let wanted = if names.is_empty() { Wanted::All } else { Wanted::Named(&names) };
        choose(&questions, &wanted, Some(&set)).map(|asked| asked.len()).map_err(|e| e.to_string())
    };
    let twice = ["top-category-by-year", "top-category-by-year"];
    assert_eq!(ask(&twice, &[]), Ok(1));
    assert_eq!(ask(&[], &[("ties", "one"), ("median", "interpolated")]), Ok(10));
    for (names, set, said) in [
        (&["top-categry-by-year"][..], &[][..], "did you mean `top-category-by-year`?\nthere are "),
        (
            &["top-category-by-year"],
            &[("median", "element")],
            "has no parameter median\nthere are ties=all|one",
        ),
        (&["top-category-by-year"], &[("tie", "all")], "did you mean `ties`?"),
        (&["top-category-by-year"], &[("ties", "some")], "\"some\" is not one of: all, one"),
        (&[], &[("years", "3")], "none of the questions has a parameter years\nthere are "),
        (&[], &[("ties", "all"), ("ties", "one")], "ties is set twice"),
    ] {
        let error = ask(names, set).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_was_not_typed_may_be_for_other_questions_and_its_place_is_named() {
    let questions = load(None).unwrap();
    let names = ["users-joined-by-year".to_owned()];
    let ask = |pair: (&str, &str)| {
        let set = Set { typed: false, origin: "PINCLEAN_SET".to_owned(), ..typed(&[pair]) };
        let asked = choose(&questions, &Wanted::Named(&names), Some(&set));
        asked.map(|mut asked| asked.remove(0).sql).map_err(|e| e.to_string())
    };
    let default = choose(&questions, &Wanted::Named(&names), None).unwrap().remove(0).sql;
    assert_eq!(ask(("ties", "one")), Ok(default.clone()));
    assert_eq!(ask(("ties", "nonsense for these")), Ok(default.clone()));
    assert_ne!(ask(("count", "rows")).unwrap(), default);
    for (pair, said) in [
        (("count", "row"), "PINCLEAN_SET: count: \"row\" is not one of: people, rows, names"),
        (("tie", "one"), "PINCLEAN_SET: none of the questions has a parameter tie; did you mean"),
    ] {
        let error = ask(pair).unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn every_file_of_the_questions_is_compiled_in_short_and_sound() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/questions");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sql"))
        .collect();
    files.sort();
    assert_eq!(DEFAULTS.map(|(name, _)| name).to_vec(), files);
    assert!(DEFAULTS.iter().all(|(_, text)| text.lines().count() <= 40));
    assert_eq!(load(None).unwrap(), load(Some(folder.as_ref())).unwrap());
}

#[test]
fn the_listing_names_parameters_choices_and_defaults() {
    let questions = [sound(SOUND)];
    assert_eq!(
        text(&questions),
        "q\n    What it is\n    --set how=up|down  in which order [default: up]\n    \
         --set least=3  the least\n"
    );
    let json: serde_json::Value = serde_json::from_str(&json(&questions).unwrap()).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{ "name": "q", "answers": "What it is", "columns": ["a", "n"],
            "parameters": [
                { "name": "how", "says": "in which order", "default": "up",
                  "choices": ["up", "down"] },
                { "name": "least", "says": "the least", "default": 3 },
            ] }])
    );
}
