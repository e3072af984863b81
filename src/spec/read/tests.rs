//! Whole files: every kind of problem with its place, and what sound files give.

use super::raw;
use crate::code::Code;
use crate::spec::*;

/// Three lines that every file needs.
const HEAD: &str = "version = 1\ntable = \"t\"\ntopics = [\"*.t\"]\n";
/// Four more: line 4 to 7.
const COLUMN: &str = "[[column]]\nname = \"a\"\ntype = \"int32\"\nfield = \"a\"\n";

/// The problems of a text, as the operator reads them without the file's name.
fn problems(text: &str) -> Vec<String> {
    match parse("f", text) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.iter().map(|p| format!("{}:{}: {}", p.line, p.column, p.message)).collect()
        }
    }
}

/// One column whose keys are given, from line 5.
fn column(keys: &str) -> String {
    format!("{HEAD}[[column]]\n{keys}\n")
}

fn check_table(cases: Vec<(String, &str)>) {
    let wrong: Vec<_> = cases
        .into_iter()
        .map(|(text, expected)| (problems(&text).join("\n"), expected, text))
        .filter(|(actual, expected, _)| actual != expected)
        .map(|(actual, expected, text)| {
            format!("--- text\n{text}--- expected\n{expected}\n--- actual\n{actual}\n")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_problem_of_a_file_as_a_whole_has_its_place() {
    let with = |line: &str| format!("{line}\n{HEAD}{COLUMN}");
    check_table(vec![
        (
            String::new(),
            "1:1: `column` is missing\n1:1: `table` is missing\n1:1: `topics` is missing\n1:1: `version` is missing",
        ),
        (
            format!("{HEAD}{COLUMN}").replace("= 1", "= 2"),
            "1:11: version 2 is not known; this is version 1",
        ),
        (
            format!("{HEAD}{COLUMN}").replace("\"t\"", "\"T\""),
            "2:9: `T` is no table name: use a-z, 0-9, `_` and `-`, and begin with a-z",
        ),
        (
            format!("{HEAD}{COLUMN}").replace("\"*.t\"", "\"*.t\", \"[a\""),
            "3:18: `[a` is no glob: unclosed character class; missing ']'",
        ),
        (format!("{HEAD}{COLUMN}").replace("[\"*.t\"]", "[]"), "3:10: `topics` is empty"),
        (
            format!("{HEAD}{COLUMN}").replace("[\"*.t\"]", "\"*.t\""),
            "3:10: `topics` must be an array of strings, not a string",
        ),
        (with("unknown = \"kep\""), "1:11: unknown value `kep`; did you mean `keep`?"),
        (with("descripton = \"x\""), "1:1: unknown key `descripton`; did you mean `description`?"),
        (with("ignore = [\"a\"]"), "1:11: a column reads `a`: leave it out here"),
        (with("ignore = [\"x\", \"x\"]"), "1:16: `x` is listed already"),
        (
            with("fields = [\"x\"]\nignore = [\"x\"]"),
            "1:11: no `sql` names `x`\n2:11: `x` is in `fields` too",
        ),
        (
            format!("{HEAD}[column]\nname = \"a\""),
            "4:1: `column` must be an array of tables, not a table",
        ),
        (with("a = "), "1:5: string values must be quoted, expected literal string"),
    ]);
}

#[test]
fn a_problem_of_a_column_has_its_place() {
    let int = "name = \"a\"\ntype = \"int32\"\nfield = \"a\"\n";
    let text = "name = \"a\"\ntype = \"string\"\nfield = \"a\"\n";
    let int = |more: &str| column(&format!("{int}{more}"));
    let text = |more: &str| column(&format!("{text}{more}"));
    let of = |ty: &str, more: &str| column(&format!("name = \"a\"\ntype = \"{ty}\"\n{more}"));
    check_table(vec![
        (column("field = \"a\""), "4:1: `name` is missing\n4:1: `type` is missing"),
        (
            of("int32", ""),
            "4:1: a column needs a source, one of `field`, `array`, `concat`, `constant`, `sql`",
        ),
        (
            of("int32", "field = \"a\"\nconstant = 1"),
            "8:1: a column has one source, and this one has `field` already",
        ),
        (
            of("int", "field = \"a\""),
            "6:8: unknown type `int`; there is `int32`, `int64`, `float64`, `string`, `bool`, `timestamp`, `date`, `list<int32>`, `list<int64>`, `list<float64>`, `list<string>`, `list<bool>`, `list<timestamp>`, `list<date>`",
        ),
        (
            of("list<strng>", "field = \"a\""),
            "6:8: unknown type `list<strng>`; did you mean `list<string>`?",
        ),
        (
            of("int32", "field = [\"a\", 3, \"a\", \"\"]"),
            "7:15: `field` must be a string, not an integer\n7:18: `a` is listed already\n7:23: a field's name cannot be empty",
        ),
        (
            of("int32", "field = 5"),
            "7:9: `field` must be a string or an array of strings, not an integer",
        ),
        (text("null_value = [\"\"]"), "8:1: unknown key `null_value`; did you mean `null_values`?"),
        (text("é = 1"), "8:1: invalid unquoted key, expected letters, numbers, `-`, `_`"),
        (
            text("null_values = [\"é👍\", 3]"),
            "8:22: `null_values` must be a string, not an integer",
        ),
        (text("required = \"yes\""), "8:12: `required` must be true or false, not a string"),
        (text("null_patterns = ['(']"), "8:18: `(` is no regex: unclosed group"),
        (
            text("null_patterns = ['(?x)a # b']"),
            "8:18: `^(?:(?x)a # b)$` is no regex: unclosed group",
        ),
        (
            text("replace = [{ pattern = '[', with = '' }]"),
            "8:24: `[` is no regex: unclosed character class",
        ),
        (
            text("replace = [{ pattern = '(.)', with = '$1x' }]"),
            "8:38: the pattern has no group `1x`; `${1}x` ends a name, `$$` is a dollar",
        ),
        (text("replace = [{ pattern = 'x' }]"), "8:12: `with` is missing"),
        (text("strip_prefix = ''"), "8:16: `strip_prefix` is empty"),
        (
            text("range = { min = 1 }"),
            "8:1: `range` has no effect on string: it is for int32, int64 and float64",
        ),
        (
            text("suffixes = { k = 1000 }"),
            "8:1: `suffixes` has no effect on string: it is for int32, int64 and float64",
        ),
        (
            text("formats = ['%Y']"),
            "8:1: `formats` has no effect on string: it is for timestamp and date",
        ),
        (text("separator = ' '"), "8:1: `separator` has no effect without `concat`"),
        (text("allowed = [1]"), "8:12: this is no value of type string"),
        (text("allowed = []"), "8:11: `allowed` is empty"),
        (text("on_error = 'nul'"), "8:12: unknown value `nul`; did you mean `null`?"),
        (text("on_error = 'null'\nrequired = true"), "8:12: a required column cannot become null"),
        (
            text("hidden = true"),
            "4:1: every column is hidden, so none is written\n8:1: no `sql` names this hidden column",
        ),
        (int("range = { min = 2, max = 1 }"), "8:9: `min` 2 is more than `max` 1"),
        (int("range = {}"), "8:9: `range` has neither `min` nor `max`"),
        (
            int("range = { min = 9007199254740993, max = 9007199254740992 }"),
            "8:9: `min` 9007199254740993 is more than `max` 9007199254740992",
        ),
        (
            of("float64", "field = \"a\"\nrange = { max = 9007199254740993 }"),
            "8:17: 9007199254740993 does not fit float64",
        ),
        (
            int("range = { max = 1e-400 }"),
            "8:9: `range` has neither `min` nor `max`\n8:17: `max` does not fit float64",
        ),
        (of("float64", "constant = 1e400"), "7:12: `constant` does not fit float64"),
        (of("float64", "constant = 9007199254740993"), "7:12: this is no value of type float64"),
        (of("date", "constant = \"24-03-15\""), "7:12: this is no value of type date"),
        (
            of("timestamp", "constant = \"24-03-15T10:00:00Z\""),
            "7:12: this is no value of type timestamp",
        ),
        (
            of("timestamp", "constant = 0000-01-01T00:00:00Z"),
            "7:12: this is no value of type timestamp",
        ),
        (
            of("date", "field = \"a\"\nformats = [\"%-m%-d%Y\"]"),
            "8:12: `%-m%-d%Y`: a number of any length is followed by another number at once, so that nothing shows where the first one ends",
        ),
        (int("range = { max = inf }"), "8:9: a bound must be finite; leave it out for none"),
        (
            int("range = { mim = 1 }"),
            "8:9: `range` has neither `min` nor `max`\n8:11: unknown key `mim`; did you mean `min`?",
        ),
        (
            int("suffixes = { k = 0, \"\" = 1, k2 = 2, h = 1.5 }"),
            "8:18: the factor of `k` is less than 1\n8:21: `` is no suffix: it is empty or has a digit\n8:29: `k2` is no suffix: it is empty or has a digit\n8:41: `h` must be an integer, not a float",
        ),
        (int("suffixes = { k = 99999999999999999999 }"), "8:18: `k` is past 64 bits"),
        (
            int("allowed = [1, '2', 99999999999]"),
            "8:15: this is no value of type int32\n8:20: this is no value of type int32",
        ),
        (
            of("float64", "field = \"a\"\nallowed = [1.5]"),
            "8:1: `allowed` has no effect on float64: it is for string, int32 and int64",
        ),
        (
            of("timestamp", "field = \"a\"\nformats = ['%Y', 'epoch']"),
            "8:12: `%Y` gives no full date and time\n8:18: `epoch` is neither a chrono pattern nor an epoch; there is `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_days`",
        ),
        (of("int32", "constant = 'x'"), "7:12: this is no value of type int32"),
        (of("int32", "constant = 1\ntrim = true"), "8:1: `trim` has no effect on a constant"),
        (
            of("int32", "constant = 1\nrequired = true"),
            "8:1: `required` has no effect on a constant",
        ),
        (of("int32", "array = ['x']"), "7:1: `array` gives a list: the type must be list<int32>"),
        (
            of("list<int32>", "constant = 1"),
            "7:1: `constant` gives no list<int32>: use `array` or `field`",
        ),
        (
            of("list<string>", "concat = ['a', 'b']"),
            "7:1: `concat` gives no list<string>: use `array` or `field`",
        ),
        (of("int32", "concat = ['a', 'b']"), "7:1: `concat` gives a string, not int32"),
        (
            of("list<string>", "field = 'a'\ntrim = true"),
            "8:1: `trim` has no effect on a list that is read from one field",
        ),
    ]);
    check_table(vec![
        (
            column("name = \"1a\"\ntype = \"int32\"\nfield = \"a\""),
            "5:8: `1a` is no column name: use letters, digits and `_`",
        ),
        (
            column("name = \"_rescued\"\ntype = \"int32\"\nfield = \"a\""),
            "5:8: `_rescued` is the column of the unknown fields that are kept",
        ),
        (
            column("name = \"_Kafka_offset\"\ntype = \"int32\"\nfield = \"a\""),
            "5:8: `_kafka_offset` is a column that `unique_by` adds",
        ),
        (format!("{HEAD}{COLUMN}{COLUMN}"), "9:8: there is a column `a` already"),
        (
            format!("{HEAD}{COLUMN}{}", COLUMN.replace("name = \"a\"", "name = \"A\"")),
            "9:8: `A` differs from column `a` only in case",
        ),
    ]);
}

#[test]
fn a_problem_of_the_key_columns_has_its_place() {
    let with = |lines: &str, columns: &[(&str, &str)]| {
        let column = |(name, ty): &(&str, &str)| {
            format!("[[column]]\nname = \"{name}\"\ntype = \"{ty}\"\nfield = \"{name}\"\n")
        };
        format!("{lines}\n{HEAD}{}", columns.iter().map(column).collect::<String>())
    };
    let two = &[("a", "int32"), ("day", "date")];
    let sound = ["int64", "string", "bool", "timestamp", "date"].map(|ty| {
        let lines = "partition_by = [\"x\"]\nunique_by = [\"x\", \"a\"]";
        (with(lines, &[("a", "int32"), ("x", ty)]), "")
    });
    let hidden = with("partition_by = ['h']\nunique_by = ['h']", two)
        + "[[column]]\nname = 'h'\ntype = 'string'\nfield = 'h'\nhidden = true\n\
           [[column]]\nname = 's'\ntype = 'string'\nsql = 'upper(h)'\n";
    let mut cases = vec![
        (with("partition_by = []", two), "1:16: `partition_by` is empty"),
        (with("unique_by = []", two), "1:13: `unique_by` is empty"),
        (
            with("unique_by = 'a'", two),
            "1:13: `unique_by` must be an array of strings, not a string",
        ),
        (
            with("partition_by = ['dai', 'country']\nunique_by = ['A', '_kafka_offset']", two),
            "1:17: there is no column `dai`; did you mean `day`?\n\
             1:24: there is no column `country`; there is `a`, `day`\n\
             2:14: there is no column `A`; did you mean `a`?\n\
             2:19: there is no column `_kafka_offset`; there is `a`, `day`",
        ),
        (
            with("partition_by = ['day', 'day']\nunique_by = ['a', 'day', 'a']", two),
            "1:24: `day` is listed already\n2:26: `a` is listed already",
        ),
        (hidden, "1:17: column `h` is hidden\n2:14: column `h` is hidden"),
        (
            with(
                "partition_by = ['f']\nunique_by = ['l']",
                &[("f", "float64"), ("l", "list<string>")],
            ),
            "1:17: `f` is float64, and `partition_by` takes int32, int64, string, bool, \
             timestamp and date\n\
             2:14: `l` is list<string>, and `unique_by` takes int32, int64, string, bool, \
             timestamp and date",
        ),
        (
            with("partition_by = ['day', 'a']", two),
            "1:17: every column is in `partition_by`: at least one must not be",
        ),
        (
            with("unknown = 'keep'\npartition_by = ['_rescued']", two),
            "2:17: there is no column `_rescued`; there is `a`, `day`",
        ),
        (with("unique_by = ['day', 'a']", two), ""),
    ];
    cases.extend(sound);
    check_table(cases);
}

#[test]
fn key_columns_are_kept_in_their_order() {
    let text = format!(
        "partition_by = ['b', 'a']\nunique_by = ['c', 'a']\n{HEAD}{COLUMN}{}{}",
        COLUMN.replace("\"a\"", "\"b\""),
        COLUMN.replace("\"a\"", "\"c\"")
    );
    let spec = spec(&text);
    assert_eq!(spec.partition_by, ["b", "a"]);
    assert_eq!(spec.unique_by, ["c", "a"]);
}

#[test]
fn a_problem_of_an_sql_column_has_its_place() {
    let sql = |sql: &str| {
        format!("{HEAD}{COLUMN}[[column]]\nname = \"b\"\ntype = \"string\"\nsql = '''{sql}'''\n")
    };
    let later = format!(
        "{}[[column]]\nname = \"c\"\ntype = \"string\"\nsql = \"lower(b)\"\n",
        sql("upper(c)")
    );
    check_table(vec![
        (sql("upper("), "11:7: this is no SQL expression: unable to parse 'upper(' as Expr"),
        (
            sql(&format!("a{}", " + a".repeat(101))),
            "11:7: this has more than 100 operators; compute parts of it in hidden columns",
        ),
        (sql("1 + 2"), "11:7: this names neither a column nor a field; use `constant`"),
        (
            sql("upper(aa)"),
            "11:7: `aa` is neither a column nor a field that is read; did you mean `a`?",
        ),
        (
            sql("upper(country)"),
            "11:7: `country` is neither a column nor a field that is read; list a field that only SQL reads in `fields`",
        ),
        (
            sql("upper(b)"),
            "11:7: this names its own column; read field `b` into a hidden column, and name that",
        ),
        (sql("a IN (1, 2)"), ""),
        (
            sql("quantile_cont(a, 0.5)"),
            "11:7: this looks at more than one row; each row is cleaned alone",
        ),
        (
            sql("a || upper(a)"),
            "11:7: this cannot be computed: invalid series dtype: expected `String`, got `i64` for series with name `a`",
        ),
        (sql("max(a)"), "11:7: this looks at more than one row; each row is cleaned alone"),
        (
            sql("CAST(a AS USMALLINT) + 1"),
            "11:7: there are no types of 8 or 16 bits without a sign here; use INTEGER",
        ),
        (
            sql("sum(a) OVER (PARTITION BY a)"),
            "11:7: this looks at more than one row; each row is cleaned alone",
        ),
        (
            sql("replace('a', 'a', 'b') || CAST(a AS VARCHAR)").replace("\"string\"", "\"bool\""),
            "11:7: this gives str, which becomes no bool",
        ),
        (
            sql("NOT upper(CAST(a AS VARCHAR))"),
            "11:7: this cannot be computed: casting from Utf8View to Boolean not supported",
        ),
        (
            sql("CAST(CAST(a AS VARCHAR) || 'x' AS INTEGER)"),
            "11:7: this cannot be computed: conversion from `str` to `i32` failed in column 'a' for 1 out of 2 values: [\"2147483647x\"]",
        ),
        (sql("TRY_CAST(CAST(a AS VARCHAR) || 'x' AS INTEGER)"), ""),
        (
            sql("TRY_CAST(CAST(a AS VARCHAR) || '-01-01' AS DATE)"),
            "11:7: a cast guesses how a text spells a time; read the field into a hidden column of type date or timestamp, with `formats`, and name that",
        ),
        (
            sql("CAST(TRY_CAST(CAST(a AS VARCHAR) AS TIMESTAMP) AS VARCHAR)"),
            "11:7: a cast guesses how a text spells a time; read the field into a hidden column of type date or timestamp, with `formats`, and name that",
        ),
        (sql("a > 1").replace("\"string\"", "\"bool\""), ""),
        (later, "11:7: `c` is an `sql` column below this one; put it above"),
        (
            sql("a > 1").replace("\"string\"", "\"date\""),
            "11:7: this gives bool, which becomes no date",
        ),
        (
            format!("{}trim = true\n", sql("a > 1")),
            "12:1: `trim` has no effect on `sql`: write it in SQL",
        ),
    ]);
}

#[test]
fn a_problem_of_an_example_has_its_place() {
    let example =
        |keys: &str| format!("{HEAD}{COLUMN}[[example]]\nname = \"x\"\ninput = '{{}}'\n{keys}\n");
    check_table(vec![
        (example(""), "8:1: an example needs `output`, `nulls` or `reject`"),
        (example("output = {}"), "8:1: the example names no column"),
        (
            example("output = { a = 1 }\nreject = { code = 'type' }"),
            "12:1: an example has `output` or `reject`, not both",
        ),
        (example("output = { A = 1 }"), "11:12: there is no column `A`; did you mean `a`?"),
        (example("output = { a = 'x' }"), "11:16: this is no value of type int32"),
        (example("output = { a = 1 }\nnulls = ['a']"), "12:10: `a` is expected twice"),
        (
            example("nulls = ['b', 'foobar']"),
            "11:10: there is no column `b`; did you mean `a`?\n11:15: there is no column `foobar`; there is `a`",
        ),
        (
            example("reject = { code = 'typo' }"),
            "11:19: unknown reject code `typo`; did you mean `type`?",
        ),
        (
            example("reject = { code = 'type', column = 'b' }"),
            "11:36: there is no column `b`; did you mean `a`?",
        ),
        (example("reject = { column = 'a' }"), "11:10: `code` is missing"),
        (example("nulls = ['_rescued']"), "11:10: there is no column `_rescued`; there is `a`"),
        (format!("unknown = \"keep\"\n{}", example("nulls = ['_rescued']")), ""),
    ]);
}

#[test]
fn several_problems_are_all_reported_in_the_order_of_their_places() {
    let text = "version = 2\ntable = \"t\"\ntopics = [\"[\"]\n\
        [[column]]\nname = \"a\"\ntype = \"string\"\nfield = \"a\"\n\
        null_patterns = ['(', ')']\nrequird = true\n\
        [[column]]\nname = \"b\"\ntype = \"nt32\"\nsql = \"max(c)\"\n\
        [[example]]\nname = \"x\"\ninput = ''\n";
    let places: Vec<_> = parse("f", text)
        .unwrap_err()
        .into_iter()
        .map(|problem| (problem.line, problem.column))
        .collect();
    assert_eq!(places, [(1, 11), (3, 11), (8, 18), (8, 23), (9, 1), (12, 8), (13, 7), (14, 1)]);
}

#[test]
fn broken_toml_hides_no_other_misspelling_and_invents_no_missing_key() {
    let text = format!("{HEAD}[[column]]\nname = a\ntype = \"int32\"\nfeild = \"a\"\n");
    let found = problems(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("5:8: "), "{found:?}");
    assert_eq!(found[1], "7:1: unknown key `feild`; did you mean `field`?");
}

fn spec(text: &str) -> Spec {
    parse("f", text).unwrap_or_else(|problems| panic!("{}", Problems::of_transforms(problems)))
}

fn slots(spec: &Spec) -> Vec<(Vec<&str>, Wire)> {
    spec.slots
        .iter()
        .map(|slot| (slot.names.iter().map(String::as_str).collect(), slot.wire))
        .collect()
}

#[test]
fn fields_are_read_straight_unless_their_text_matters() {
    for (column, expected) in [
        ("type = 'int32'\nfield = ['a', 'b']", (vec!["a", "b"], Wire::Int)),
        ("type = 'int64'\nfield = 'a'", (vec!["a"], Wire::Int)),
        ("type = 'float64'\nfield = 'a'\nrange = { min = 0 }", (vec!["a"], Wire::Float)),
        ("type = 'bool'\nfield = 'a'", (vec!["a"], Wire::Bool)),
        ("type = 'int32'\nfield = 'a'\ntrim = true", (vec!["a"], Wire::Text)),
        ("type = 'int32'\nfield = 'a'\nallowed = [1]", (vec!["a"], Wire::Text)),
        ("type = 'float64'\nfield = 'a'\nsuffixes = { k = 1_000 }", (vec!["a"], Wire::Text)),
        ("type = 'bool'\nfield = 'a'\nnull_values = ['']", (vec!["a"], Wire::Bool)),
        ("type = 'int32'\nfield = 'a'\nnull_patterns = ['-+']", (vec!["a"], Wire::Text)),
        ("type = 'int32'\nfield = 'a'\nnull_values = ['']\nallowed = [1]", (vec!["a"], Wire::Text)),
        ("type = 'int32'\nfield = 'a'\nnull_values = ['']\ntrim = true", (vec!["a"], Wire::Text)),
        ("type = 'date'\nfield = 'a'\nnull_values = ['']", (vec!["a"], Wire::Text)),
        ("type = 'string'\nfield = 'a'", (vec!["a"], Wire::Text)),
        ("type = 'date'\nfield = 'a'", (vec!["a"], Wire::Text)),
        ("type = 'list<int32>'\nfield = 'a'", (vec!["a"], Wire::Array)),
        ("type = 'list<int32>'\narray = ['a', 'a']", (vec!["a"], Wire::Int)),
        ("type = 'list<int32>'\narray = ['a']\ntrim = true", (vec!["a"], Wire::Text)),
        ("type = 'string'\nconcat = ['a', 'a']", (vec!["a"], Wire::Text)),
    ] {
        let spec = spec(&format!("{HEAD}[[column]]\nname = 'c'\n{column}\n"));
        assert_eq!(slots(&spec), [expected], "{column}");
    }
}

#[test]
fn columns_that_read_a_field_in_the_same_way_share_its_slot() {
    let column =
        |name: &str, ty: &str| format!("[[column]]\nname = '{name}'\ntype = '{ty}'\nfield = 'x'\n");
    let spec = spec(&format!(
        "{HEAD}{}{}{}",
        column("a", "int32"),
        column("b", "string"),
        column("c", "int64")
    ));
    assert_eq!(slots(&spec), [(vec!["x"], Wire::Int), (vec!["x"], Wire::Text)]);
    assert!(matches!(spec.columns[2].source, Source::Field { slot: 0, .. }));
}

#[test]
fn null_texts_that_the_decoder_compares_are_a_part_of_the_slot() {
    let column = |name: &str, ty: &str, nulls: &str| {
        format!("[[column]]\nname = '{name}'\ntype = '{ty}'\nfield = 'x'\n{nulls}\n")
    };
    let spec = spec(
        &[
            HEAD,
            &column("a", "int32", "null_values = ['']"),
            &column("b", "int64", "null_values = ['']"),
            &column("c", "int32", "null_values = ['', '-']"),
            &column("d", "int32", ""),
            &column("e", "string", "null_values = ['']"),
        ]
        .concat(),
    );
    let slots: Vec<_> = spec.slots.iter().map(|slot| (slot.wire, slot.nulls.len())).collect();
    assert_eq!(slots, [(Wire::Int, 1), (Wire::Int, 2), (Wire::Int, 0), (Wire::Text, 0)]);
}

#[test]
fn sql_names_columns_first_and_then_fields_as_text() {
    let text = format!(
        "fields = ['zip']\n{HEAD}{COLUMN}\
        [[column]]\nname = 'h'\ntype = 'string'\nfield = 'city'\nhidden = true\n\
        [[column]]\nname = 'b'\ntype = 'string'\nsql = \"concat(h, city, zip, CASE WHEN a > 1 THEN 'x' ELSE 'y' END)\"\n\
        [[column]]\nname = 'c'\ntype = 'string'\nsql = 'upper(b)'\n"
    );
    let spec = spec(&text);
    let Source::Sql { fields, columns, .. } = &spec.columns[2].source else { panic!() };
    assert_eq!(*columns, ["h", "a"]);
    assert_eq!(*fields, [(1, "city".to_owned()), (2, "zip".to_owned())]);
    let Source::Sql { columns, .. } = &spec.columns[3].source else { panic!() };
    assert_eq!(*columns, ["b"]);
}

#[test]
fn a_file_gives_its_rules_constants_and_examples_as_written() {
    let text = format!(
        "unknown = \"keep\"\ndescription = \"d\"\n{HEAD}\
        [[column]]\nname = 'a'\ntype = 'int32'\nfield = 'a'\ncomment = 'c'\nrequired = true\n\
        range = {{ min = 0 }}\nallowed = [1, 20]\non_error = 'fail'\n\
        suffixes = {{ k = 1_000, kk = 1_000_000 }}\nnull_patterns = ['x|y']\n\
        [[column]]\nname = 'b'\ntype = 'timestamp'\nconstant = 2020-01-02T03:04:05Z\n\
        [[example]]\nname = 'e'\ninput = 'i'\noutput = {{ b = '2020-01-02 03:04:05', a = 1 }}\n"
    );
    let spec = spec(&text);
    assert_eq!((spec.unknown, spec.description.as_str()), (Unknown::Keep, "d"));
    let a = &spec.columns[0];
    assert_eq!((a.comment.as_str(), a.required, a.on_error), ("c", true, OnError::Fail));
    assert_eq!(a.range, Some(Range { min: Some(RangeBound::Integer(0)), max: None }));
    assert_eq!(a.allowed, ["1", "20"]);
    let Source::Field { rules, .. } = &a.source else { panic!() };
    assert_eq!(rules.suffixes[0], Suffix { text: "kk".into(), factor: 1_000_000 });
    // The pattern matches the whole text, in each of its branches.
    assert!(rules.null_patterns[0].is_match("y") && !rules.null_patterns[0].is_match("xy"));
    assert!(
        matches!(&spec.columns[1].source, Source::Constant(text) if text == "2020-01-02T03:04:05Z")
    );
    assert_eq!((spec.examples[0].line, spec.examples[0].input.as_str()), (21, "i"));
    let Expect::Row(row) = &spec.examples[0].expect else { panic!() };
    let row: Vec<_> = row.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(row, ["a=1", "b=\"2020-01-02T03:04:05Z\""]);
}

#[test]
fn the_shipped_transforms_have_the_documented_columns() {
    let specs = load(None).unwrap_or_else(|error| panic!("{error}"));
    let schema = |spec: &Spec| -> Vec<String> {
        spec.columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect()
    };
    let text =
        ["poster_name", "tag_list", "is_image_or_video", "image_src", "save_location", "category"];
    let mut pin = vec!["ind int32".to_owned()];
    pin.extend(["unique_id", "title", "description"].map(|name| format!("{name} string")));
    pin.push("follower_count int32".to_owned());
    pin.extend(text.map(|name| format!("{name} string")));
    assert_eq!(schema(&specs[1]), pin);
    assert_eq!(
        schema(&specs[0]),
        ["ind int32", "country string", "coordinates list<float64>", "timestamp timestamp"]
    );
    assert_eq!(
        schema(&specs[2]),
        ["ind int32", "user_name string", "age int32", "date_joined timestamp"]
    );
    for spec in &specs {
        assert!((3..=6).contains(&spec.examples.len()), "{}", spec.table);
        assert!(spec.columns.iter().all(|column| !column.comment.is_empty() && !column.required));
        assert!(!spec.description.is_empty());
    }
    // Formats that are spelt out in one file are the defaults of the other.
    let formats = |column: &Column| match &column.source {
        Source::Field { rules, .. } => rules.formats.clone(),
        _ => Vec::new(),
    };
    assert_eq!(formats(&specs[0].columns[3]), formats(&specs[2].columns[3]));
    assert_eq!(specs[1].ignore, ["downloaded"]);
    assert!(specs[1].topics[0].matcher.is_match("0a1b2c3d4e5f.pin"));
}

#[test]
fn the_shipped_transforms_read_their_fields_by_these_slots() {
    let specs = load(None).unwrap();
    let one = |name, wire| (vec![name], wire);
    assert_eq!(
        slots(&specs[0]),
        [
            (vec!["ind", "index"], Wire::Int),
            one("country", Wire::Text),
            one("latitude", Wire::Float),
            one("longitude", Wire::Float),
            one("timestamp", Wire::Text),
        ]
    );
    assert_eq!(
        slots(&specs[2]),
        [
            (vec!["ind", "index"], Wire::Int),
            one("first_name", Wire::Text),
            one("last_name", Wire::Text),
            one("age", Wire::Int),
            one("date_joined", Wire::Text),
        ]
    );
    assert_eq!(slots(&specs[1])[0], (vec!["index", "ind"], Wire::Int));
    assert_eq!(slots(&specs[1])[4], one("follower_count", Wire::Text));
}

#[test]
fn the_hash_is_of_the_text_and_the_hash_of_all_is_of_every_file() {
    let one = spec(&format!("{HEAD}{COLUMN}"));
    let other = spec(&format!("{HEAD}{COLUMN}# a comment\n"));
    assert_eq!(one.hash.len(), 64);
    assert_ne!(one.hash, other.hash);
    assert_eq!(one.hash, spec(&format!("{HEAD}{COLUMN}")).hash);
    assert_ne!(hash_all(&[one.clone(), other.clone()]), hash_all(&[other, one]));
}

#[test]
fn the_readme_names_every_key_type_and_reject_code_and_its_first_file_is_sound() {
    let readme = include_str!("../../../transforms/README.md");
    for key in raw::SPEC_KEYS.iter().chain(&raw::COLUMN_KEYS) {
        let shown = [format!("`{key}`"), format!("{key} ="), format!("[[{key}]]")];
        assert!(shown.iter().any(|shown| readme.contains(shown)), "key {key}");
    }
    for code in Code::ALL {
        assert!(readme.contains(&format!("`{}`", code.as_str())), "code {}", code.as_str());
    }
    for scalar in Scalar::ALL {
        assert!(readme.contains(&format!("`{scalar}`")), "type {scalar}");
    }
    let first = readme.split("```").nth(1).unwrap().trim_start_matches("toml");
    assert_eq!(spec(first).table, "orders");
    let formats = time::ISO_TIMESTAMPS.map(|format| format!("    \"{format}\",\n")).concat();
    assert!(readme.contains(&formats));
}

#[test]
fn a_file_that_is_cut_anywhere_gives_problems_that_lie_in_it() {
    let (_, text) = DEFAULTS[2];
    let mut sound = 0;
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let part = &text[..cut];
        match parse("f", part) {
            Ok(_) => sound += 1,
            Err(problems) => {
                assert!(!problems.is_empty(), "{part}");
                let lines = part.matches('\n').count() + 1;
                assert!(problems.iter().all(|p| (1..=lines).contains(&p.line)), "{part}");
            }
        }
    }
    assert!(sound > 0 && sound < text.len() / 4, "{sound}");
}
