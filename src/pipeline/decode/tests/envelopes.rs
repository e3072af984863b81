//! Which records are taken out of which envelopes.

use super::*;

/// A table with a field that envelopes have too: `t`, their timestamp.
const STAMPED: &str = r#"
version = 1
table = "t"
topics = ["t"]
ignore = ["Data"]
fields = ["payload"]
column = [
    { name = "i", type = "int64", field = "i" },
    { name = "s", type = "string", field = "s" },
    { name = "t", type = "string", field = ["timestamp", "t"] },
    { name = "p", type = "string", sql = "payload" },
]
"#;

/// What becomes of a line: the bytes of each row, then those of each reject with its
/// code.
fn fates(spec: &Spec, line: &str) -> Vec<String> {
    let raw = raw(shard("partition=0", &[100]), &[(piece(0, true), line.as_bytes())]);
    let batch = Decoder::new(spec).decode(raw).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let rows = batch.rows.iter().map(|row| text(batch.record(row)));
    let rejects =
        batch.rejects.iter().map(|reject| format!("{}: {}", reject.code, text(&reject.raw)));
    rows.chain(rejects).collect()
}

#[test]
fn envelopes_are_opened_and_counted() {
    // The line; the kinds and counts; the bytes of each row.
    let cases: &[(&str, &[(&str, u64)], &[&str])] = &[
        (r#"{"value":{"i":1}}"#, &[("value", 1)], &[r#"{"i":1}"#]),
        (r#"{"key":null, "value": {"i":1} , "x":2}"#, &[("value", 1)], &[r#"{"i":1}"#]),
        (r#"{"schema":null,"payload":{"i":1}}"#, &[("payload", 1)], &[r#"{"i":1}"#]),
        (r#"{"payload":{"i":1},"schema":{}}"#, &[("payload", 1)], &[r#"{"i":1}"#]),
        (r#"{"payload":{"i":1}}"#, &[("payload", 1)], &[r#"{"i":1}"#]),
        (r#"{"records":{"i":1}}"#, &[("records", 1)], &[r#"{"i":1}"#]),
        (r#"{"Data":{"i":1},"PartitionKey":"a"}"#, &[("Data", 1)], &[r#"{"i":1}"#]),
        (r#"{"before":null,"after":{"i":1},"op":"c"}"#, &[("after", 1)], &[r#"{"i":1}"#]),
        (r#""{\"i\":1}""#, &[("string", 1)], &[r#"{"i":1}"#]),
        (r#""\n {\"i\":1} \n""#, &[("string", 1)], &[r#"{"i":1}"#]),
        (
            r#"{"records":[{"i":1}, {"value":{"i":2}}]}"#,
            &[("records", 1), ("value", 1)],
            &[r#"{"i":1}"#, r#"{"i":2}"#],
        ),
        (
            r#""{\"records\":[{\"value\":{\"i\":1,\"s\":\"\\\"\"}}]}""#,
            &[("records", 1), ("string", 1), ("value", 1)],
            &[r#"{"i":1,"s":"\""}"#],
        ),
        (r#"{"value":"{\"i\":1}"}"#, &[("string", 1), ("value", 1)], &[r#"{"i":1}"#]),
        // What is a record by itself is no envelope.
        (r#"{"i":1,"value":{"i":2}}"#, &[], &[r#"{"i":1,"value":{"i":2}}"#]),
    ];
    for (text, kinds, records) in cases {
        for text in [(*text).to_owned(), format!("  {text}\t\r\n")] {
            let batch = body(text.as_bytes());
            let counts: Vec<_> = batch.counts.envelopes.iter().map(|(k, n)| (*k, *n)).collect();
            assert_eq!(counts, *kinds, "{text:?}");
            let texts: Vec<_> = batch
                .rows
                .iter()
                .map(|row| std::str::from_utf8(batch.record(row)).unwrap())
                .collect();
            assert_eq!(texts, *records, "{text:?}");
            assert!(batch.rejects.is_empty(), "{text:?}");
            assert!(batch.rows.iter().all(|r| (r.line, r.offset) == (1, 100)), "{text:?}");
        }
    }
}

#[test]
fn a_bad_record_in_an_envelope_is_a_reject_of_its_own_bytes() {
    let batch = body(br#"{"records":[{"i":1},{"x":2},null,{"i":1,"i":2},{"value":3},{"i":4}]}"#);
    assert_eq!(rows(&batch), [(1, 100, Some(1)), (1, 100, Some(4))]);
    let expected = [
        (1, 100, Code::NoKnownField, &b"{\"x\":2}"[..]),
        (1, 100, Code::NotAnObject, b"null"),
        (1, 100, Code::DuplicateKey, b"{\"i\":1,\"i\":2}"),
        (1, 100, Code::NotAnObject, b"3"),
    ];
    assert_eq!(rejects(&batch), expected);
    assert_eq!(batch.counts.read, 6);
}

#[test]
fn wrappers_are_opened_four_deep() {
    let wrapped = |layers: usize| {
        let (open, close) = (r#"{"value":"#.repeat(layers), "}".repeat(layers));
        body(format!("{open}{{\"i\":1}}{close}").as_bytes())
    };
    assert_eq!(wrapped(4).rows.len(), 1);
    assert_eq!(wrapped(4).counts.envelopes["value"], 4);
    let batch = wrapped(5);
    assert_eq!(rejects(&batch), [(1, 100, Code::NoKnownField, &br#"{"value":{"i":1}}"#[..])]);
}

/// A record of two fields, and one of metadata that a column reads.
const INNER: &str = r#"{"i":1,"s":"a"}"#;

/// `transforms` without the column that reads `payload`.
fn without_payload() -> Spec {
    let lines = STAMPED.lines().filter(|line| !line.contains("payload"));
    parse("t.toml", &lines.collect::<Vec<_>>().join("\n")).unwrap()
}

#[test]
fn the_inside_counts_if_it_holds_more_of_the_fields_than_the_outside() {
    let spec = without_payload();
    let quoted = serde_json::to_string(INNER).unwrap();
    let quoted_twice = serde_json::to_string(&quoted).unwrap();
    let padded = serde_json::to_string(&format!("\n {INNER}\t")).unwrap();
    // The line, with {} for the record.
    let opened = [
        r#"{"key":"k","value":{},"timestamp":"x","offset":6}"#,
        r#"{"timestamp":"x","value":{}}"#,
        r#"{"timestamp":null,"value" : {} }"#,
        r#"{"records":[{"value":{},"timestamp":"x"}]}"#,
        r#"{"records":[{"value":{},"timestamp":"x"}],"timestamp":"y"}"#,
        r#"{"records":[{}],"t":"y"}"#,
        r#"{"records":{},"t":"y"}"#,
        r#"{"schema":{"type":"struct"},"payload":{},"timestamp":"x"}"#,
        r#"{"payload":{},"timestamp":"x"}"#,
        r#"{"before":null,"after":{},"op":"c","ts_ms":1,"timestamp":"x"}"#,
        r#"{"before":{"i":0,"s":"b"},"after":{},"op":"u","timestamp":"x"}"#,
        r#"{"schema":{},"payload":{"before":null,"after":{},"op":"u"},"timestamp":"x"}"#,
        r#"{"value":{"payload":{"after":{},"timestamp":"x"},"timestamp":"x"},"timestamp":"x"}"#,
        r#"{"val\u0075e":{},"timestamp":"x"}"#,
        r#"{"value":{},"tim\u0065stamp":"x"}"#,
        r#"{"value":{},"payload":{"i":2},"timestamp":"x"}"#,
        r#"{"value":{},"records":[{"i":2},{"s":"b"}],"timestamp":"x"}"#,
        r#"{"value":{},"other":{"i":1,"s":"a","t":"x"},"timestamp":"x"}"#,
    ];
    for line in opened {
        assert_eq!(fates(&spec, &line.replace("{}", INNER)), [INNER], "{line}");
    }
    for text in [&quoted, &quoted_twice, &padded] {
        for line in [
            r#"{"value":{},"timestamp":"x"}"#,
            r#"{"records":[{"value":{}}],"timestamp":"x"}"#,
            r#"{"schema":null,"payload":{},"timestamp":"x"}"#,
            r#"{"after":{},"op":"c","timestamp":"x"}"#,
        ] {
            let line = line.replace("{}", text);
            assert_eq!(fates(&spec, &line), [INNER], "{line}");
        }
    }
}

#[test]
fn the_outside_is_the_record_otherwise() {
    let spec = without_payload();
    let lines = [
        // As many fields inside as outside, or fewer.
        r#"{"timestamp":"x","value":{"i":1}}"#,
        r#"{"timestamp":"x","i":1,"value":{"i":1,"s":"a"}}"#,
        r#"{"timestamp":"x","records":[{"i":1},{"s":"a"}]}"#,
        r#"{"timestamp":"x","payload":{"x":1,"y":2}}"#,
        // Two spellings of one field are two fields.
        r#"{"timestamp":"x","t":"y","value":{"i":1,"s":"a"}}"#,
        // What is there twice is one field.
        r#"{"timestamp":"x","i":1,"value":"{\"i\":1,\"i\":2,\"s\":\"a\"}"}"#,
        // Neither an object nor text of one.
        r#"{"timestamp":"x","value":[{"i":1,"s":"a"}]}"#,
        r#"{"timestamp":"x","value":"i s"}"#,
        r#"{"timestamp":"x","value":"eyJpIjoxLCJzIjoiYSJ9"}"#,
        r#"{"timestamp":"x","value":7}"#,
        r#"{"timestamp":"x","value":null}"#,
        r#"{"timestamp":"x","records":[]}"#,
        r#"{"timestamp":"x","before":{"i":1,"s":"a"}}"#,
        r#"{"timestamp":"x","value":1,"value":2}"#,
        // A name that no envelope has, or that is ignored.
        r#"{"timestamp":"x","values":{"i":1,"s":"a"}}"#,
        r#"{"timestamp":"x","Data":{"i":1,"s":"a"}}"#,
        r#"{"timestamp":"x","Value":{"i":1,"s":"a"}}"#,
    ];
    for line in lines {
        assert_eq!(fates(&spec, line), [line], "{line}");
    }
}

#[test]
fn a_field_that_a_column_reads_is_never_an_envelope() {
    let spec = parse("t.toml", STAMPED).unwrap();
    for line in [
        r#"{"payload":{"i":1,"s":"a","t":"x"}}"#,
        r#"{"payload":"{\"i\":1,\"s\":\"a\",\"t\":\"x\"}","timestamp":"x"}"#,
        r#"{"payload":null,"offset":6,"key":"k"}"#,
        r#"{"payload":{"i":1,"s":"a"},"timestamp":"x","value":{"i":1,"s":"a"}}"#,
    ] {
        assert_eq!(fates(&spec, line), [line], "{line}");
    }
    // But an envelope may wrap a record with such a field.
    let inner = r#"{"i":1,"payload":{"i":2,"s":"b","t":"c"}}"#;
    let line = format!(r#"{{"value":{inner},"timestamp":"x"}}"#);
    assert_eq!(fates(&spec, &line), [inner]);
    assert_eq!(fates(&spec, r#"{"Data":{"i":1}}"#), [r#"no_known_field: {"Data":{"i":1}}"#]);
}

#[test]
fn what_is_wrong_in_an_envelope_is_a_reject_of_the_inside() {
    let spec = without_payload();
    // Line; what becomes of it.
    let cases = [
        (r#"{"value":"{\"i\":1,\"s\":\"a","timestamp":"x"}"#, r#"invalid_json: {"i":1,"s":"a"#),
        (r#"{"value":"{\"i\":1,\"s\":2}x","timestamp":"x"}"#, r#"trailing_text: {"i":1,"s":2}x"#),
        (
            r#"{"value":{"i":1,"s":"a","i":2},"timestamp":"x"}"#,
            r#"duplicate_key: {"i":1,"s":"a","i":2}"#,
        ),
        (
            r#"{"value":{"i":1,"s":"a"},"value":{"i":2,"s":"b"},"timestamp":"x"}"#,
            r#"duplicate_key: {"value":{"i":1,"s":"a"},"value":{"i":2,"s":"b"},"timestamp":"x"}"#,
        ),
        (
            r#"{"timestamp":"x","value":{"i":1,"s":"a"},"val\u0075e":1}"#,
            r#"duplicate_key: {"timestamp":"x","value":{"i":1,"s":"a"},"val\u0075e":1}"#,
        ),
    ];
    for (line, fate) in cases {
        assert_eq!(fates(&spec, line), [fate], "{line}");
    }
}

#[test]
fn an_envelope_without_a_record_is_rejected_as_a_whole() {
    let spec = without_payload();
    let rejected = [
        r#"{"key":"k","value":null,"timestamp":"x","offset":6}"#,
        r#"{"key":"k","value":null}"#,
        r#"{"key":"k","value":{},"timestamp":"x"}"#,
        r#"{"key":"k","value":"","timestamp":"x"}"#,
        r#"{"val\u0075e":null,"offset":1,"timestamp":"x"}"#,
        r#"{"records":[],"topic":"a","partition":0,"timestamp":"x"}"#,
        r#"{"records":[{"key":"k","value":null,"timestamp":"x"}],"timestamp":"x"}"#,
        r#"{"schema":null,"payload":null,"timestamp":"x"}"#,
        r#"{"key":"k","value":{"schema":{},"payload":null},"timestamp":"x"}"#,
        r#"{"headers":[],"value":null,"timestamp":"x","timestampType":"CREATE_TIME"}"#,
        // A deletion.
        r#"{"before":{"i":1,"s":"a"},"after":null,"op":"d","timestamp":"x"}"#,
        r#"{"before":{"i":1,"s":"a"},"after":null,"op":"d"}"#,
    ];
    for line in rejected {
        assert_eq!(fates(&spec, line), [format!("not_an_object: {line}")], "{line}");
    }
    let inner = r#"{"before":{"i":1,"s":"a"},"after":null,"op":"d"}"#;
    let line = format!(r#"{{"schema":{{}},"payload":{inner},"timestamp":"x"}}"#);
    assert_eq!(fates(&spec, &line), [format!("not_an_object: {inner}")]);
}

#[test]
fn a_record_that_only_looks_like_an_envelope_without_one_is_kept() {
    let spec = without_payload();
    for line in [
        // Nothing says that it is from Kafka.
        r#"{"value":null,"timestamp":"x"}"#,
        // A field that no envelope has.
        r#"{"key":"k","value":null,"timestamp":"x","i":1}"#,
        r#"{"key":"k","value":null,"timestamp":"x","color":"red"}"#,
        r#"{"key":"k","value":0,"timestamp":"x"}"#,
        r#"{"key":"k","value":{"x":1},"timestamp":"x"}"#,
        r#"{"key":"k","timestamp":"x","offset":6}"#,
        r#"{"after":null,"before":{"x":1},"op":"d","timestamp":"x"}"#,
        r#"{"after":null,"before":{"i":1},"op":"d","timestamp":"x"}"#,
    ] {
        assert_eq!(fates(&spec, line), [line], "{line}");
    }
}
