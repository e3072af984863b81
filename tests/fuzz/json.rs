//! Random bodies of objects: JSON by grammar, most of it sound, some of it not.

use crate::choices::Choices;

/// Field names of the target's transforms, and spellings of them.
const KEYS: [&str; 27] = [
    "i",
    "j",
    "n",
    "m",
    "f",
    "b",
    "s",
    "r",
    "l",
    "skip",
    "é",
    "x",
    "value",
    "records",
    "payload",
    "schema",
    "Data",
    "after",
    "before",
    "key",
    "offset",
    "timestamp",
    r"val\u0075e",
    r"\u0069",
    r"\u0073",
    "",
    r"a\u0000b",
];
const BAD_KEYS: [&str; 5] = [r"\uD800", r"\uDC00x", r"\u12", r"\q", "a\u{1}b"];
const NUMBERS: [&str; 37] = [
    "-1",
    "9007199254740993",
    "9007199254740993.0",
    "9.007199254740993e15",
    "1e23",
    "18014398509481985",
    "1e-320",
    "0",
    "-0",
    "7",
    "-3",
    "20",
    "3.0",
    "2e3",
    "1.5e1",
    "20e-1",
    "1E+2",
    "0.1",
    "-0.0",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e400",
    "-1e400",
    "1e-400",
    "1e99999999999",
    "0e99999999999",
    "1e-99999999999",
    "123456789012345678901234567890123456789012",
    "1.000000000000000000000000000000000000000000",
    "0.1234567890123456789012345678901234567890",
    "1.7976931348623157e308",
    "4.9e-324",
    "2.2250738585072011e-308",
    "100000000000000000000000000000000000000000000e-44",
];
const BAD_VALUES: [&str; 22] = [
    "01",
    "-01",
    "1.",
    "-",
    "+1",
    ".5",
    "1e",
    "1e+",
    "1.e1",
    "0x1f",
    "NaN",
    "Infinity",
    "-Infinity",
    "nul",
    "True",
    "undefined",
    "'a'",
    "",
    "truefalse",
    "1 2",
    "[1,]",
    "{\"a\":1,}",
];
const BOOLS: [&str; 12] = [
    "true", "false", "null", "\"true\"", "1", "0", "\"1\"", "1.0", "2", "\"\"", "\"n/a\"", "\"no\"",
];
const TEXTS: [&str; 28] = [
    ".5",
    "1.",
    "+1",
    "-1",
    "n/a",
    ".",
    "a",
    "plain text that is longer than one block of thirty-two bytes, by far",
    "é",
    "👍",
    "\u{7f}",
    "\u{2028}",
    " ",
    "true",
    "false",
    "NaN",
    "-inf",
    "12",
    "3.0",
    "1e3",
    r"\n",
    r#"\""#,
    r"\\",
    r"\/",
    r"\u0041",
    r"\u0000",
    r"\uD83D\uDC4D",
    r"\b\f\r\t",
];
const BAD_TEXTS: [&str; 14] = [
    r"\uD800",
    r"\uDC00",
    r"\uD800\u0041",
    r"\uD800\uD800",
    r"\u",
    r"\u12",
    r"\u12G4",
    r"\x41",
    r"\U0041",
    "\u{1}",
    "\t",
    "\r",
    "\u{0}",
    r"\uD83D\",
];
const SPACES: [&str; 8] = ["", "", "", "", " ", "\t", "\r", "  \t "];
const BAD_SPACES: [&str; 4] = ["\u{c}", "\u{b}", "\u{a0}", "\u{feff}"];

/// A body of some lines.
pub fn body(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..choices.below(7) {
        match choices.below(8) {
            0 => body.extend(choices.pick(&[" ", "\t", "\r", "\u{c}", "\u{b}", ""]).bytes()),
            _ => body.extend(line(choices)),
        }
        body.extend(choices.pick(&["\n", "\n", "\n", "\r\n", "\n\n"]).bytes());
    }
    if choices.once_in(3) {
        body.extend(line(choices));
    }
    body
}

fn line(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    space(choices, &mut text);
    match choices.below(48) {
        47 => text.extend(choices.rest()),
        46 => text.extend(deep(choices)),
        43..=45 => value(choices, &mut text, 3),
        _ => text.extend(record(choices)),
    }
    for _ in 0..choices.below(4) {
        text = wrap(choices, text);
    }
    space(choices, &mut text);
    if choices.once_in(20) {
        text.extend(choices.pick(&["x", "{}", ",", "}", "]", "\"", "\u{b}", "\u{c}"]).bytes());
    }
    if choices.once_in(6) {
        choices.mutate(&mut text);
    }
    text
}

fn record(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    object(choices, &mut text, 3);
    text
}

/// An envelope around a text, or the text as it is.
fn wrap(choices: &mut Choices<'_>, text: Vec<u8>) -> Vec<u8> {
    let around = |head: &str, tail: &str| [head.as_bytes(), &text, tail.as_bytes()].concat();
    match choices.below(32) {
        20 => around(r#"{"key":"k","value":"#, r#","i":7,"offset":6}"#),
        21 => around(r#"{"timestamp":"x","Data":"#, r#","PartitionKey":"a"}"#),
        22 => around(r#"{"records":[{"value":"#, r#","timestamp":1},{"i":1}],"s":"a","b":true}"#),
        23 => around(r#"{"before":null,"after":"#, r#","op":"c","timestamp":"x"}"#),
        24 => around(r#"{"before":"#, r#","after":null,"op":"d","timestamp":"x"}"#),
        25 => around(r#"{"schema":{},"payload":"#, r#","f":1,"l":[]}"#),
        26 => around(r#"{"payload":{"i":1,"s":"a"},"val\u0075e":"#, r#","timestamp":"x"}"#),
        27 => hollow(choices),
        0 => around(r#"{"value":"#, "}"),
        1 => around(r#"{"schema":{"type":"struct"},"payload":"#, "}"),
        2 => around(r#"{"payload": "#, r#" , "schema":null}"#),
        3 => around(r#"{"offset":1,"records":[{"value":"#, "}]}"),
        4 => [&around(r#"{"records":[{"value":"#, "},")[..], &record(choices), b"]}"].concat(),
        5 => around(r#"{"value":{"i":1},"value":"#, "}"),
        6 | 7 => match std::str::from_utf8(&text) {
            Ok(text) => serde_json::to_vec(text).unwrap(),
            Err(_) => text,
        },
        _ => text,
    }
}

/// An envelope that holds no record, or nearly.
fn hollow(choices: &mut Choices<'_>) -> Vec<u8> {
    let wrapper = choices.pick(&["value", "payload", "records", "Data", "after"]);
    let nothing = choices.pick(&[
        "null",
        "{}",
        "{ }",
        "\"\"",
        "[]",
        "[ null, {}]",
        r#"[{"key":1,"value":null}]"#,
        r#"{"schema":0,"payload":null}"#,
        "[0]",
        "0",
    ]);
    let beside = choices.pick(&[
        r#""key":"k""#,
        r#""offset":6,"timestamp":"x""#,
        r#""timestamp":"x""#,
        r#""partition":0,"i":1"#,
        r#""topic":"t""#,
    ]);
    format!(r#"{{{beside},"{wrapper}":{nothing}}}"#).into()
}

/// Nested around the limit, or far past it.
fn deep(choices: &mut Choices<'_>) -> Vec<u8> {
    let levels = choices.pick(&[100, 120, 124, 125, 126, 127, 128, 129, 5_000]);
    let (open, close) = choices.pick(&[("[", "]"), (r#"{"i":"#, "}"), (r#"[{"":"#, "}]")]);
    let core = choices.pick(&["1", "", "\"[[[\"", "{"]);
    let text = format!("{}{core}{}", open.repeat(levels), close.repeat(levels));
    let key = choices.pick(&["i", "l", "x", "\\u\",12"]);
    if choices.once_in(4) { text.into() } else { format!(r#"{{"{key}":{text},"s":"a"}}"#).into() }
}

fn object(choices: &mut Choices<'_>, out: &mut Vec<u8>, depth: usize) {
    out.push(b'{');
    // Names follow each other, so that most are there once.
    let first = choices.below(KEYS.len());
    for n in 0..choices.below(9) {
        space(choices, out);
        if n > 0 {
            out.push(b',');
            space(choices, out);
        }
        let key = KEYS[(first + n) % KEYS.len()];
        out.push(b'"');
        match choices.below(100) {
            99 => out.extend(choices.pick(&BAD_KEYS).bytes()),
            98 => inner_string(choices, out),
            97 => out.extend(choices.pick(&KEYS).bytes()),
            _ => out.extend(key.bytes()),
        }
        out.push(b'"');
        space(choices, out);
        out.push(b':');
        space(choices, out);
        match key {
            _ if choices.once_in(3) => value(choices, out, depth),
            "i" | "j" | "n" | "f" => number(choices, out),
            "b" | "m" => out.extend(choices.pick(&BOOLS).bytes()),
            "l" if depth > 0 => array(choices, out, depth - 1),
            _ => value(choices, out, depth),
        }
    }
    space(choices, out);
    out.push(b'}');
}

fn value(choices: &mut Choices<'_>, out: &mut Vec<u8>, depth: usize) {
    match choices.below(16) {
        0 => out.extend(b"null"),
        1 => out.extend(choices.pick(&["true", "false"]).bytes()),
        2..=5 => number(choices, out),
        6..=9 => string(choices, out),
        10 if choices.once_in(12) => out.extend(choices.pick(&BAD_VALUES).bytes()),
        11 | 12 if depth > 0 => object(choices, out, depth - 1),
        13 if depth > 0 => array(choices, out, depth - 1),
        14 => out.extend(format!("\"{}\"", choices.pick(&NUMBERS)).bytes()),
        _ => out.extend(b"1"),
    }
}

fn array(choices: &mut Choices<'_>, out: &mut Vec<u8>, depth: usize) {
    out.push(b'[');
    for n in 0..choices.below(5) {
        if n > 0 {
            out.push(b',');
        }
        space(choices, out);
        value(choices, out, depth);
    }
    space(choices, out);
    out.push(b']');
}

fn number(choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    if !choices.once_in(3) {
        return out.extend(choices.pick(&NUMBERS).bytes());
    }
    let mut digits = |longest: usize| {
        let count = 1 + choices.below(longest);
        (0..count).map(|_| b'0' + choices.byte() % 10).collect::<Vec<_>>()
    };
    out.extend(digits(40));
    out.push(b'.');
    out.extend(digits(40));
    out.push(b'e');
    out.extend(digits(3));
}

fn string(choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    inner_string(choices, out);
    out.push(b'"');
}

fn inner_string(choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    for _ in 0..choices.below(5) {
        match choices.below(100) {
            99 => out.push(choices.byte()),
            96..=98 => out.extend(choices.pick(&BAD_TEXTS).bytes()),
            _ => out.extend(choices.pick(&TEXTS).bytes()),
        }
    }
}

fn space(choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    let bad = choices.once_in(250);
    out.extend(choices.pick(if bad { &BAD_SPACES[..] } else { &SPACES[..] }).bytes());
}
