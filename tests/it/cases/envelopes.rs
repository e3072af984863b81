//! Records in envelopes whose metadata is called like a field of the table.

use super::records::{GEO, key};
use super::site::Site;

const INNER: &str = r#"{"ind":2,"timestamp":"2020-08-28T03:52:47","latitude":1.5,"longitude":2.5,"country":"Peru"}"#;

/// Envelopes of the same record, at a time that is not its own.
fn enveloped() -> Vec<String> {
    let text = serde_json::to_string(INNER).unwrap();
    let at = r#""timestamp":"2026-11-01T00:00:00Z""#;
    vec![
        INNER.to_owned(),
        format!(r#"{{"key":"k","value":{INNER},{at},"offset":6}}"#),
        format!(r#"{{"records":[{{"value":{INNER},{at}}}]}}"#),
        format!(r#"{{"schema":{{"type":"struct"}},"payload":{INNER},{at}}}"#),
        format!(r#"{{"key":"k","value":{text},{at},"offset":6}}"#),
        format!(r#"{{"before":null,"after":{INNER},"op":"c","ts_ms":1,{at}}}"#),
        format!(r#"{{"payload":{{"before":null,"after":{INNER},"op":"u"}},{at}}}"#),
        format!(r#"{{"Data":{text},"PartitionKey":"a",{at}}}"#),
    ]
}

#[test]
fn the_record_counts_and_not_the_metadata_around_it() {
    let lines = enveloped();
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), lines.join("\n") + "\n");
        let ran = site.run(&[]).done();
        let count = lines.len() as u64;
        assert_eq!(ran.counts(), [count, count, 0, 0]);
        let rows = site.rows("geo");
        assert!(rows.iter().all(|row| *row == rows[0]), "{rows:#?}");
        assert!(rows[0].contains("1598586767000000") && rows[0].contains("Peru"), "{}", rows[0]);
        let opened = &ran.report()["tables"]["geo"]["envelopes"];
        for (kind, count) in
            [("value", 3), ("records", 1), ("payload", 2), ("string", 2), ("after", 2), ("Data", 1)]
        {
            assert_eq!(opened[kind], count, "{kind}: {opened}");
        }
        site.assert_settled();
    }
}

#[test]
fn a_column_that_reads_payload_keeps_it() {
    let transforms = r#"
version = 1
table = "event"
topics = ["*.event"]
[[column]]
name = "payload"
type = "string"
field = "payload"
[[column]]
name = "ind"
type = "int32"
field = "ind"
"#;
    let text = serde_json::to_string(INNER).unwrap();
    for site in Site::all() {
        let file = site.home.path().join("mine/event.toml");
        super::site::write(&file, transforms.as_bytes());
        site.put(&key("u.event", 0, 0), format!("{{\"payload\":{text}}}\n"));
        let ran = site.run(&["--transforms", "mine"]).done();
        assert_eq!(ran.counts(), [1, 1, 0, 0]);
        let rows = site.rows("event");
        assert!(rows[0].contains("Peru"), "{rows:?}");
    }
}

#[test]
fn an_envelope_that_holds_no_record_is_no_row_of_nulls() {
    let at = r#""timestamp":"2026-11-01T00:00:00Z""#;
    let lines = [
        format!(r#"{{"key":"k","value":null,{at},"offset":6}}"#),
        format!(r#"{{"records":[],"partition":0,{at}}}"#),
        format!(r#"{{"before":{INNER},"after":null,"op":"d",{at}}}"#),
    ];
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), lines.join("\n") + "\n" + INNER + "\n");
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [4, 1, 3, 0]);
        assert_eq!(ran.codes(), [("not_an_object".to_owned(), 3)]);
        let kept: Vec<_> = site.rejects("geo").into_iter().map(|reject| reject.raw).collect();
        assert_eq!(kept, lines.clone().map(String::into_bytes));
    }
}
