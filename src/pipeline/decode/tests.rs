//! Bodies → rows, rejects, duplicates and counts, by tables.

use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::key::{Extension, Source, Topic};
use crate::pipeline::discover::Object;
use crate::pipeline::plan::{Following, Shard};
use crate::spec::{RESCUED, parse};

mod envelopes;
mod overlaps;

const TRANSFORMS: &str = r#"
version = 1
table = "t"
topics = ["t"]
ignore = ["skip"]
column = [
    { name = "i", type = "int64", field = ["i", "index"] },
    { name = "f", type = "float64", field = "f" },
    { name = "b", type = "bool", field = "b" },
    { name = "s", type = "string", field = "s" },
    { name = "l", type = "list<int64>", field = "l" },
]
"#;

fn spec() -> Spec {
    parse("t.toml", TRANSFORMS).unwrap()
}

/// A shard of one source whose objects start at these offsets.
fn shard(directory: &str, starts: &[u64]) -> Shard {
    let object =
        |&start| Object { start, size: 0, width: 10, extension: Extension::Json, etag: None };
    let source =
        Source { topic: Topic::parse("t").unwrap(), directory: directory.into(), partition: 0 };
    Shard {
        source: Arc::new(source),
        table: 0,
        objects: starts.iter().map(object).collect(),
        following: Following::default(),
        floor: 0,
    }
}

fn piece(object: usize, last: bool) -> Piece {
    Piece { object, range: 0..0, lines_before: 0, records_before: 0, cut: None, last, fault: None }
}

/// A batch of these pieces; each one's range is set from its body.
fn raw(shard: Shard, parts: &[(Piece, &[u8])]) -> RawBatch {
    let mut raw = RawBatch {
        shard: Arc::new(shard),
        bytes: Vec::new(),
        pieces: Vec::new(),
        sizes: Vec::new(),
    };
    for (piece, body) in parts {
        // A byte that is in no piece means nothing.
        raw.bytes.push(b'{');
        let start = raw.bytes.len();
        raw.bytes.extend_from_slice(body);
        raw.pieces.push(Piece { range: start..raw.bytes.len(), ..piece.clone() });
    }
    raw
}

fn decode(raw: RawBatch) -> DecodedBatch {
    let spec = spec();
    let batch = Decoder::new(&spec).decode(raw).unwrap();
    let counts = &batch.counts;
    let sum = batch.rows.len() as u64 + batch.rejects.len() as u64 + counts.duplicate;
    assert_eq!(counts.read, sum, "the balance of the batch");
    assert_eq!(batch.frame.height(), batch.rows.len());
    batch
}

/// One whole object from offset 100.
fn body(body: &[u8]) -> DecodedBatch {
    decode(raw(shard("partition=0", &[100]), &[(piece(0, true), body)]))
}

/// Line, offset and `i` of every row.
fn rows(batch: &DecodedBatch) -> Vec<(u64, u64, Option<i64>)> {
    let i = batch.frame.column("0").unwrap().i64().unwrap();
    batch.rows.iter().zip(i.iter()).map(|(origin, i)| (origin.line, origin.offset, i)).collect()
}

/// Line, offset, code and bytes of every reject.
fn rejects(batch: &DecodedBatch) -> Vec<(u64, u64, Code, &[u8])> {
    batch.rejects.iter().map(|r| (r.line, r.offset, r.code, r.raw.as_slice())).collect()
}

/// The code of the only reject.
fn code(text: &[u8]) -> Code {
    let batch = body(text);
    assert_eq!((batch.rows.len(), batch.rejects.len()), (0, 1), "{}", text.escape_ascii());
    assert_eq!(batch.rejects[0].raw, text, "{}", text.escape_ascii());
    batch.rejects[0].code
}

#[test]
fn lines_are_numbered_as_they_lie_and_offsets_count_records() {
    let one_and_two = vec![(1, 100, Some(1)), (2, 101, Some(2))];
    let cases: &[(&str, Vec<_>)] = &[
        ("", vec![]),
        ("\n", vec![]),
        (" \t\r\n\u{c}\n", vec![]),
        ("{\"i\":1}", vec![(1, 100, Some(1))]),
        ("{\"i\":1}\n{\"i\":2}\n", one_and_two.clone()),
        ("{\"i\":1}\n{\"i\":2}", one_and_two.clone()),
        ("{\"i\":1}\r\n{\"i\":2}\r\n", one_and_two.clone()),
        (" {\"i\":1}\t\n\t{\"i\" : 2} ", one_and_two),
        ("\n\n{\"i\":1}\n \r\n{\"i\":2}", vec![(3, 100, Some(1)), (5, 101, Some(2))]),
    ];
    for (text, expected) in cases {
        let batch = body(text.as_bytes());
        assert_eq!(rows(&batch), *expected, "{text:?}");
        assert_eq!(batch.counts.ended, [(0, expected.len() as u64)], "{text:?}");
        assert!(batch.rejects.is_empty(), "{text:?}");
    }
}

#[test]
fn a_bad_line_is_a_reject_between_good_rows() {
    let batch = body(b"{\"i\":1}\n  {\"i\":2 \n{\"i\":3}\n");
    assert_eq!(rows(&batch), [(1, 100, Some(1)), (3, 102, Some(3))]);
    assert_eq!(rejects(&batch), [(2, 101, Code::InvalidJson, &b"{\"i\":2"[..])]);
    assert_eq!(batch.counts.ended, [(0, 3)]);
}

#[test]
fn a_text_that_is_no_record_has_the_code_of_what_is_wrong() {
    let cases: &[(&[u8], Code)] = &[
        (b"{\"i\":1", Code::InvalidJson),
        (b"{\"i\":01}", Code::InvalidJson),
        (b"{\"i\":1.}", Code::InvalidJson),
        (b"{\"i\":-}", Code::InvalidJson),
        (b"{\"i\":NaN}", Code::InvalidJson),
        (b"{\"i\":1,}", Code::InvalidJson),
        (b"{'i':1}", Code::InvalidJson),
        (b"{\"s\":\"a\tb\"}", Code::InvalidJson),
        (b"{\"i\":1,\"x\":\"\\q\"}", Code::InvalidJson),
        (b"{\"i\":1,\"x\":\"\\uZZZZ\"}", Code::InvalidJson),
        (b"{\"x\":\"\\u\",\"i\":1,\"s\":\"\"}", Code::InvalidJson),
        (b"{\"i\":1,\"x\":\"\\u12\"}", Code::InvalidJson),
        (b"{\"i\":1}\x0c", Code::TrailingText),
        (b"offset 7", Code::InvalidJson),
        (b"\xef\xbb\xbf{\"i\":1}", Code::InvalidJson),
        (b"{\"i\":1}{\"i\":2}", Code::TrailingText),
        (b"{\"i\":1} x", Code::TrailingText),
        (b"1 2", Code::TrailingText),
        (b"[1]", Code::NotAnObject),
        (b"12", Code::NotAnObject),
        (b"null", Code::NotAnObject),
        (b"true", Code::NotAnObject),
        (b"\"text\"", Code::NotAnObject),
        (b"{\"s\":\"\xff\"}", Code::InvalidUtf8),
        (b"\"\xff\"", Code::InvalidUtf8),
        (b"[\"\xff\"]", Code::InvalidUtf8),
        (b"{\"x\":\"\xed\xa0\x80\",\"i\":1}", Code::InvalidUtf8),
        (b"{\"i\":1,\"\\uD800\":2}", Code::InvalidEscape),
        (b"{\"\\uDC00\":2}", Code::InvalidEscape),
        (b"{\"i\":1,\"i\":1}", Code::DuplicateKey),
        (b"{\"i\":null,\"\\u0069\":1}", Code::DuplicateKey),
        (b"{\"value\":{\"i\":1},\"value\":{\"i\":2}}", Code::DuplicateKey),
        (b"{\"records\":[{\"i\":1}],\"records\":[{\"i\":2}]}", Code::DuplicateKey),
        (b"{\"schema\":0,\"payload\":{\"i\":1},\"payload\":{}}", Code::DuplicateKey),
        (b"{}", Code::NoKnownField),
        (b"{ }", Code::NoKnownField),
        (b"{\"x\":1,\"skip\":2}", Code::NoKnownField),
        (b"{\"records\":[]}", Code::NoKnownField),
        (b"{\"payload\":{\"x\":1}}", Code::NoKnownField),
    ];
    for (text, expected) in cases {
        assert_eq!(code(text), *expected, "{}", text.escape_ascii());
    }
}

#[test]
fn pieces_carry_lines_and_records_on() {
    let first = Piece { lines_before: 7, records_before: 5, ..piece(0, false) };
    let second = Piece { lines_before: 9, records_before: 6, ..piece(0, true) };
    let parts: &[(Piece, &[u8])] = &[
        (first, b"\n{\"i\":1}\n"),
        (second, b"{\"i\":2}\n{\"i\":3}"),
        (piece(1, true), b"{\"i\":4}\n"),
        (piece(2, true), b""),
    ];
    let batch = decode(raw(shard("partition=0", &[100, 200, 300]), parts));
    let expected = [(9, 105, Some(1)), (10, 106, Some(2)), (11, 107, Some(3)), (1, 200, Some(4))];
    assert_eq!(rows(&batch), expected);
    assert_eq!(batch.rows.iter().map(|row| row.object).collect::<Vec<_>>(), [0, 0, 0, 1]);
    assert_eq!(batch.counts.ended, [(0, 8), (1, 1), (2, 0)]);
    let texts: Vec<_> = batch.rows.iter().map(|row| batch.record(row)).collect();
    assert_eq!(texts, [b"{\"i\":1}", b"{\"i\":2}", b"{\"i\":3}", b"{\"i\":4}"]);
}

#[test]
fn a_line_that_is_too_long_is_one_reject_whatever_its_head_says() {
    for head in [&b"{\"i\":1}"[..], b"{\"s\":\"aaa", b"   "] {
        let cut = Piece { cut: Some(99), lines_before: 1, records_before: 1, ..piece(0, false) };
        let rest = Piece { lines_before: 2, records_before: 2, ..piece(0, true) };
        let parts = [(piece(0, false), &b"{\"i\":0}\n"[..]), (cut, head), (rest, b"{\"i\":2}\n")];
        let batch = decode(raw(shard("partition=0", &[100]), &parts));
        assert_eq!(rows(&batch), [(1, 100, Some(0)), (3, 102, Some(2))]);
        assert_eq!(rejects(&batch), [(2, 101, Code::TooLong, head.trim_ascii())]);
        assert!(batch.rejects[0].message.contains("99 bytes"), "{}", batch.rejects[0].message);
    }
}

#[test]
fn a_fault_of_the_object_is_told_once_and_costs_no_whole_line() {
    let faults = [
        (BodyFault::GzipTruncated, Code::GzipTruncated),
        (BodyFault::GzipCorrupt, Code::GzipCorrupt),
        (BodyFault::GzipRatio, Code::GzipRatio),
        (BodyFault::ObjectTooLarge, Code::ObjectTooLarge),
        (BodyFault::Gone, Code::ObjectGone),
    ];
    for (fault, code) in faults {
        // The body; rows; line, offset and bytes of the reject.
        let cases: &[(&[u8], usize, (u64, u64, &[u8]))] = &[
            (b"", 0, (0, 100, b"")),
            (b"{\"i\":1}\n", 1, (0, 101, b"")),
            (b"{\"i\":1}\n{\"i\":2}", 2, (0, 102, b"")),
            (b"{\"i\":1}\n{\"i\":", 1, (2, 101, b"{\"i\":")),
            (b"{\"i\":1}\n  ", 1, (0, 101, b"")),
        ];
        for (text, rows, (line, offset, bytes)) in cases {
            let last = Piece { fault: Some(fault), ..piece(0, true) };
            let batch = decode(raw(shard("partition=0", &[100]), &[(last, text)]));
            assert_eq!(batch.rows.len(), *rows, "{}", text.escape_ascii());
            assert_eq!(
                rejects(&batch),
                [(*line, *offset, code, *bytes)],
                "{}",
                text.escape_ascii()
            );
        }
    }
}

#[test]
fn a_fault_is_told_even_after_a_line_that_was_bad_by_itself() {
    let last = Piece { fault: Some(BodyFault::GzipTruncated), ..piece(0, true) };
    let batch = decode(raw(shard("partition=0", &[100]), &[(last, b"nonsense\n")]));
    let expected =
        [(1, 100, Code::InvalidJson, &b"nonsense"[..]), (0, 101, Code::GzipTruncated, b"")];
    assert_eq!(rejects(&batch), expected);
}

/// The columns of one row, as Polars shows them; faults in their place.
fn shown(text: &str) -> Vec<String> {
    let batch = body(text.as_bytes());
    assert_eq!(batch.rows.len(), 1, "{text}");
    let cell = |slot: usize| match batch.faults.iter().find(|fault| fault.slot == slot) {
        Some(fault) => format!("{} {}", fault.code, fault.value),
        None => batch.frame.column(&slot.to_string()).unwrap().get(0).unwrap().to_string(),
    };
    (0..5).map(cell).collect()
}

#[test]
fn a_value_becomes_what_its_slot_wants_or_a_fault() {
    let cases: &[(&str, usize, &str)] = &[
        (r#"{"i":20}"#, 0, "20"),
        (r#"{"i":"20"}"#, 0, "20"),
        (r#"{"i":3.0}"#, 0, "3"),
        (r#"{"i":3.5}"#, 0, "type 3.5"),
        (r#"{"i":true}"#, 0, "type true"),
        (r#"{"i":[1]}"#, 0, "type [1]"),
        (r#"{"i":""}"#, 0, r#"type """#),
        (r#"{"i":9223372036854775808}"#, 0, "overflow 9223372036854775808"),
        (r#"{"i":"\uD800"}"#, 0, r#"invalid_escape "\uD800""#),
        (r#"{"f":3}"#, 1, "3.0"),
        (r#"{"f":"-0.5"}"#, 1, "-0.5"),
        (r#"{"f":".5"}"#, 1, "0.5"),
        (r#"{"f":"1."}"#, 1, "1.0"),
        (r#"{"f":"+1"}"#, 1, r#"type "+1""#),
        (r#"{"f":9007199254740993}"#, 1, "overflow 9007199254740993"),
        (r#"{"f":"9007199254740993"}"#, 1, r#"overflow "9007199254740993""#),
        (r#"{"f":1e-400}"#, 1, "overflow 1e-400"),
        (r#"{"f":1e400}"#, 1, "overflow 1e400"),
        (r#"{"f":"NaN"}"#, 1, r#"not_finite "NaN""#),
        (r#"{"b":true}"#, 2, "true"),
        (r#"{"b":"false"}"#, 2, "false"),
        (r#"{"b":1}"#, 2, "true"),
        (r#"{"b":"0"}"#, 2, "false"),
        (r#"{"b":1.0}"#, 2, "true"),
        (r#"{"b":2}"#, 2, "type 2"),
        (r#"{"b":"True"}"#, 2, r#"type "True""#),
        (r#"{"b":"yes"}"#, 2, r#"type "yes""#),
        (r#"{"s":"a\uD83D\uDC4Db\u0000\n"}"#, 3, "\"a👍b\0\n\""),
        (r#"{"s":1.50}"#, 3, "\"1.50\""),
        (r#"{"s":false}"#, 3, "\"false\""),
        (r#"{"s":""}"#, 3, "\"\""),
        (r#"{"s":{"i":1}}"#, 3, r#"type {"i":1}"#),
        (r#"{"s":"\uDC00"}"#, 3, r#"invalid_escape "\uDC00""#),
        (r#"{"l":[ 1, null ]}"#, 4, "\"[ 1, null ]\""),
        (r#"{"l":"[1]"}"#, 4, r#"type "[1]""#),
        (r#"{"l":{}}"#, 4, "type {}"),
    ];
    for (text, slot, expected) in cases {
        let shown = shown(text);
        assert_eq!(shown[*slot], *expected, "{text}");
        let others = shown.iter().enumerate().filter(|(other, _)| other != slot);
        assert!(others.clone().all(|(_, cell)| cell == "null"), "{text}: {shown:?}");
    }
}

#[test]
fn the_first_name_that_is_there_and_not_null_counts() {
    let cases = [
        (r#"{"i":1,"index":2}"#, "1"),
        (r#"{"index":2,"i":1}"#, "1"),
        (r#"{"index":2,"i":null}"#, "2"),
        (r#"{"index":2}"#, "2"),
        (r#"{"i":"x","index":2}"#, r#"type "x""#),
        (r#"{"i":null,"index":null}"#, "null"),
        (r#"{"index":null}"#, "null"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text)[0], expected, "{text}");
    }
}

#[test]
fn a_long_value_is_shortened_in_its_fault() {
    let shown = shown(&format!(r#"{{"i":"{}"}}"#, "é".repeat(200)));
    assert_eq!(shown[0], format!("type \"{}…", "é".repeat(79)));
}

#[test]
fn unknown_fields_are_counted_for_rows_only() {
    let lines = br#"{"i":1,"x":1,"y":2,"skip":3}
{"x":1,"z":2}
{"i":1,"x":1,"i":2}
{"value":{"i":1,"w":1},"v":1}
{"y":1,"i":2,"y":2}
"#;
    let counts: Vec<_> = body(lines).counts.unknown_fields.into_iter().collect();
    let expected = [("w", 1), ("x", 1), ("y", 3)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, expected);
}

#[test]
fn a_decoder_begins_to_count_anew_with_each_batch() {
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    for _ in 0..2 {
        let part = (piece(0, true), &b"{\"x\":0,\"i\":1}\n{\"i\":1,\"x\":0}\n"[..]);
        let batch = decoder.decode(raw(shard("partition=0", &[0]), &[part])).unwrap();
        assert_eq!(batch.counts.unknown_fields["x"], 2);
        assert_eq!(batch.counts.read, 2);
    }
}

#[test]
fn unknown_fields_are_kept_as_json_where_the_transforms_say_so() {
    let cases = [
        (r#"{"i":1}"#, None),
        (r#"{"i":1,"skip":2}"#, None),
        (
            r#"{"x": {"a" : [1.50]},"i":1,"y\"\n":null}"#,
            Some(r#"{"x":{"a" : [1.50]},"y\"\n":null}"#),
        ),
    ];
    let spec =
        parse("t.toml", &TRANSFORMS.replace("ignore", "unknown = \"keep\"\nignore")).unwrap();
    for (text, expected) in cases {
        let part = (piece(0, true), text.as_bytes());
        let raw = raw(shard("partition=0", &[0]), &[part]);
        let batch = Decoder::new(&spec).decode(raw).unwrap();
        assert_eq!(batch.frame.column(RESCUED).unwrap().str().unwrap().get(0), expected, "{text}");
    }
}

/// sonic-rs takes 28 KiB of stack a level in a build without optimisation.
fn with_a_large_stack(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(test);
    thread.unwrap().join().unwrap();
}

#[test]
fn nesting_is_read_to_its_limit_and_refused_quickly_past_it() {
    with_a_large_stack(nesting_has_a_limit);
}

fn nesting_has_a_limit() {
    let nested = |levels: usize, core: &str| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        body(format!("{{\"l\":{open}{core}{close}}}").as_bytes())
    };
    assert_eq!(nested(128, "").rows.len(), 1);
    // Brackets in a string are no nesting.
    assert_eq!(nested(128, &format!("\"{}\\\"[\"", "[{".repeat(200))).rows.len(), 1);
    let start = Instant::now();
    for levels in [129, 100_000] {
        let batch = nested(levels, "");
        assert_eq!((batch.rows.len(), batch.rejects[0].code), (0, Code::TooDeep), "{levels}");
    }
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

#[test]
fn depth_cannot_be_hidden_behind_a_broken_escape() {
    // A reader that skips four bytes after `\u` unseen sees other strings than
    // one that looks at every byte.
    let deep = "[".repeat(100_000);
    for text in [format!(r#"{{"x":"\u",12",":{deep}"#), format!(r#"{{"x":"\u",12","k":{deep}"#)] {
        let batch = body(text.as_bytes());
        assert_eq!(batch.rows.len(), 0);
        assert!(matches!(batch.rejects[0].code, Code::InvalidJson | Code::TooDeep));
    }
}

#[test]
fn records_that_are_at_hand_are_taken_whole_and_keep_their_origins() {
    let texts = [
        "{\"i\":1,\n\"s\":\"a\"}",
        "{\"records\":[{\"i\":2},{\"i\":3},5]}",
        "\"{\\\"i\\\":\\n4}\"",
        "{\"i\":\n",
    ];
    let (mut bytes, mut origins) = (Vec::new(), Vec::new());
    for (n, text) in texts.iter().enumerate() {
        let (line, offset) = (10 + n as u64, 70 - n as u64);
        origins.push(Origin {
            object: n as u32,
            line,
            offset,
            start: bytes.len(),
            len: text.len(),
        });
        bytes.extend_from_slice(text.as_bytes());
    }
    let raw =
        RawBatch { shard: Arc::new(shard("", &[])), bytes, pieces: Vec::new(), sizes: Vec::new() };
    let spec = spec();
    let batch = Decoder::new(&spec).decode_records(raw, &origins).unwrap();
    let ints = batch.frame.column("0").unwrap().i64().unwrap().to_vec();
    assert_eq!(ints, [1, 2, 3, 4].map(Some));
    let places: Vec<_> = batch.rows.iter().map(|row| (row.object, row.line, row.offset)).collect();
    assert_eq!(places, [(0, 10, 70), (1, 11, 69), (1, 11, 69), (2, 12, 68)]);
    let rejects: Vec<_> = batch.rejects.iter().map(|r| (r.object, r.code, &r.raw[..])).collect();
    let expected: [(u32, Code, &[u8]); 2] =
        [(1, Code::NotAnObject, b"5"), (3, Code::InvalidJson, b"{\"i\":\n")];
    assert_eq!(rejects, expected);
    assert_eq!(batch.counts.read, 6);
}
