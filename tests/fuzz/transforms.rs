//! Transforms: any text is a checked spec that works, or problems with places.

use pinclean::spec::{DEFAULTS, Problem, Spec, parse};

use crate::choices::Choices;

/// Texts to put into a file: values, keys, things that are hard to parse.
const PARTS: [&str; 77] = [
    "\"0\"",
    "\"1\"",
    "\"_rescued\"",
    "\"_kafka_offset\"",
    "partition_by = [\"a\"]",
    "unique_by = [\"a\"]",
    "partition_by",
    "\"note\"",
    "\"value\"",
    "\"keep\"",
    "\"Ind\"",
    "\"a b\"",
    "\"\"",
    "\"a\"",
    "\"ind\"",
    "\"int32\"",
    "\"int64\"",
    "\"float64\"",
    "\"string\"",
    "\"bool\"",
    "\"timestamp\"",
    "\"date\"",
    "\"list<int32>\"",
    "\"list<string>\"",
    "\"list<timestamp>\"",
    "[]",
    "[\"a\", \"b\"]",
    "[[1]]",
    "{}",
    "{ a = 1 }",
    "0",
    "-1",
    "1.5",
    "nan",
    "inf",
    "1e400",
    "9223372036854775807",
    "9223372036854775808",
    "0x7fffffffffffffffff",
    "true",
    "2020-02-29T00:00:00Z",
    "1979-05-27",
    "07:32:00",
    "'''\n{\"ind\": 1}\n'''",
    "'('",
    "'a{1000}{1000}'",
    "\"$1\"",
    "\"%Q\"",
    "[\"%Y-%m-%d\"]",
    "[\"epoch_ms\"]",
    "[\"%d/%m/%y\", \"%-d.%-m.%Y\"]",
    "[\"%-m%-d%Y\"]",
    "[\"%c\", \"%+\", \"%s%.f\"]",
    "\nnull_values = [\"\", \"-1\", \"NaN\"]\n",
    "\nrange = { min = 9007199254740993 }\n",
    "\nrange = { max = 1e-400 }\n",
    "\nconstant = 9007199254740993\n",
    "\"\\u0000\"",
    "\"é👍\"",
    "\"count\"",
    "\"quarantine\"",
    "\n[[column]]\n",
    "\n[[example]]\n",
    "\nsql = \"upper(country)\"\n",
    "\nsql = \"count(*) + sum(ind) over (partition by age)\"\n",
    "\nsql = \"case when ind > 1 then 'a' end\"\n",
    "\nconstant = 1\n",
    "\nhidden = true\n",
    "\nrequired = true\n",
    "\nrange = { min = 1, max = 0 }\n",
    "\nallowed = [\"a\"]\n",
    "\non_error = \"null\"\n",
    "\ntrim = true\n",
    "\nnull_patterns = [\".*\"]\n",
    "\nfields = [\"age\"]\n",
    "\nreplace = [{ pattern = \"a\", with = \"$9\" }]\n",
    "\nsuffixes = { k = -1, K = 0 }\n",
];
/// Records that are odd for every column of the shipped files.
const ODD: &str = r#"{"ind":"x","index":1e99,"title":"\uD800","follower_count":"99999999M","age":[]}
{"ind":1,"latitude":"NaN","longitude":null,"timestamp":"2021-02-30","date_joined":0,"a":"b"}
{"ind":-2147483649,"country":7,"first_name":true,"description":{},"date_joined":"9999-12-31"}
{"ind":"","index":"","latitude":"","longitude":".5","timestamp":"24-03-15T10:00:00Z","age":""}
{"ind":"1.","latitude":9007199254740993,"longitude":1e-400,"date_joined":"2024-03-15T12:00:60Z"}
{"nothing":0}
"#;

/// Repeated often: what a parser that calls itself dies of.
const DEEP: [&str; 9] = ["[", "{ a = ", "a.", "(", "not ", "a + ", "- ", "upper(", "case when "];

/// One random file.
pub fn check(choices: &mut Choices<'_>) {
    let text = match choices.below(8) {
        0 => choices.rest(),
        1 => deep(choices).into_bytes(),
        _ => shipped(choices),
    };
    check_text(&String::from_utf8_lossy(&text));
}

/// A shipped file with lines and values changed.
fn shipped(choices: &mut Choices<'_>) -> Vec<u8> {
    let (_, text) = choices.pick(&DEFAULTS);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..choices.below(6) {
        let (at, other) = (choices.below(lines.len()), choices.below(lines.len()));
        match choices.below(5) {
            0 => lines.swap(at, other),
            1 => lines.insert(at, lines[other].clone()),
            2 if lines.len() > 1 => drop(lines.remove(at)),
            3 => lines.insert(at, choices.pick(&PARTS).to_owned()),
            _ => {
                let key = lines[at].split('=').next().unwrap_or_default().to_owned();
                lines[at] = format!("{key}= {}", choices.pick(&PARTS));
            }
        }
    }
    let mut text = lines.join(choices.pick(&["\n", "\r\n"])).into_bytes();
    if choices.once_in(3) {
        choices.mutate(&mut text);
    }
    text
}

fn deep(choices: &mut Choices<'_>) -> String {
    let part = choices.pick(&DEEP).repeat(choices.pick(&[10, 60, 200, 5_000]));
    match choices.below(3) {
        0 => part,
        1 => format!("a = {part}"),
        _ => column(&format!("sql = '{part}a'")),
    }
}

fn column(keys: &str) -> String {
    let head = "version = 1\ntable = \"t\"\ntopics = [\"t\"]\nfields = [\"a\"]\n";
    format!("{head}[[column]]\nname = \"b\"\ntype = \"string\"\n{keys}\n")
}

fn check_text(text: &str) {
    let read = parse("t.toml", text);
    let again = parse("t.toml", text);
    assert_eq!(format!("{read:?}"), format!("{again:?}"), "{text}");
    match read {
        Ok(spec) => works(&spec, text),
        Err(problems) => {
            assert!(!problems.is_empty(), "{text}");
            assert!(problems.is_sorted(), "{problems:?}\n{text}");
            problems.iter().for_each(|problem| lies_inside(problem, text));
        }
    }
}

fn works(spec: &Spec, text: &str) {
    assert!(!spec.columns.is_empty(), "{text}");
    assert!(spec.examples.iter().all(|e| (1..=text.lines().count()).contains(&e.line)), "{text}");
    let inputs: Vec<_> = spec.examples.iter().map(|e| e.input.replace(['\n', '\r'], " ")).collect();
    let lines = [inputs.join("\n"), ODD.to_owned()].join("\n");
    if let Err(error) = crate::decode::run(spec, lines.as_bytes()) {
        panic!("{error}\n{text}");
    }
}

fn lies_inside(problem: &Problem, text: &str) {
    let line = text.split('\n').nth(problem.line.wrapping_sub(1));
    let columns = line.map(|line| 1..=line.chars().count() + 1);
    assert!(columns.is_some_and(|c| c.contains(&problem.column)), "{problem}\n{text}");
    assert!(!problem.message.is_empty(), "{text}");
}

/// Files that were found to be read wrongly once, and others worth a look.
#[test]
fn files_that_were_found_before_are_read_or_refused() {
    crate::with_a_large_stack(finds);
}

fn finds() {
    for text in ["", "\u{feff}", "=", "a = [", "\0", "[[column]]", "[column]", "column = [[]]"] {
        check_text(text);
    }
    for part in DEEP {
        check_text(&column(&format!("sql = '{}a'", part.repeat(300))));
    }
}
