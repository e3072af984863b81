//! Lines → records, out of their envelopes.

use std::borrow::Cow;

use sonic_rs::{to_array_iter, to_object_iter};

use crate::pipeline::decode::is_json;

/// Envelopes in envelopes are opened down to this depth, as the decoder does.
const LAYERS: usize = 4;

/// The names that envelopes consist of. The decoder knows the fields of its table and
/// opens what holds more of them inside than outside; here they are still to be found,
/// so that only an object of nothing but these is taken for an envelope.
const ENVELOPES: [&[&str]; 5] = [
    &["value"],
    &["records"],
    &["payload", "schema"],
    &["key", "value"],
    &["headers", "key", "value"],
];

/// One record.
#[derive(Debug)]
pub struct Record<'t> {
    /// Its JSON text.
    pub text: &'t str,
    /// Its fields in order: name, and the JSON text of the value.
    pub fields: Vec<(Cow<'t, str>, &'t str)>,
}

/// Hands each record of the lines to `take`; returns how many lines held none.
pub fn each(lines: &[u8], mut take: impl FnMut(&Record<'_>)) -> u64 {
    let lines = lines.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let filled = lines.filter(|line| !line.is_empty());
    filled.filter(|line| !open(line, LAYERS, &mut take)).count() as u64
}

/// Whether a text held a record; each is handed over.
fn open(text: &[u8], left: usize, take: &mut dyn FnMut(&Record<'_>)) -> bool {
    let Some(text) = std::str::from_utf8(text).ok().filter(|text| is_json(text.as_bytes())) else {
        return false;
    };
    match text.as_bytes().first() {
        Some(b'"') if left > 0 => match sonic_rs::from_str::<String>(text) {
            Ok(inner) => open(inner.trim_ascii().as_bytes(), left - 1, take),
            Err(_) => false,
        },
        Some(b'{') => record(text, left, take),
        _ => false,
    }
}

fn record(text: &str, left: usize, take: &mut dyn FnMut(&Record<'_>)) -> bool {
    let Some(fields) = fields(text) else { return false };
    if left > 0
        && let Some(inner) = wrapped(&fields)
    {
        let opened = inner.iter().map(|inner| open(inner.as_bytes(), left - 1, take));
        // Each of them is handed over, whatever the one before was.
        if opened.fold(false, |any, one| any | one) {
            return true;
        }
    }
    let sound = !fields.is_empty() && !has_twins(&fields);
    if sound {
        take(&Record { text, fields });
    }
    sound
}

fn fields(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    to_object_iter(text)
        .map(|entry| {
            let (name, value) = entry.ok()?;
            match value.as_raw_cow() {
                Cow::Borrowed(json) => Some((Cow::Owned(name.to_string()), json.trim_ascii())),
                Cow::Owned(_) => None,
            }
        })
        .collect()
}

/// The decoder takes no record with a field that is there twice.
fn has_twins(fields: &[(Cow<'_, str>, &str)]) -> bool {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// The texts in an envelope, if it is one.
fn wrapped<'t>(fields: &[(Cow<'t, str>, &'t str)]) -> Option<Vec<&'t str>> {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    if !ENVELOPES.contains(&names.as_slice()) {
        return None;
    }
    let inner = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| *value);
    match inner("records") {
        Some(list) if list.starts_with('[') => to_array_iter(list)
            .map(|item| match item.ok()?.as_raw_cow() {
                Cow::Borrowed(json) => Some(json),
                Cow::Owned(_) => None,
            })
            .collect(),
        Some(_) => None,
        None => Some(vec![inner("payload").or_else(|| inner("value"))?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &str) -> (Vec<String>, u64) {
        let mut texts = Vec::new();
        let bad = each(lines.as_bytes(), |record| texts.push(record.text.to_owned()));
        (texts, bad)
    }

    #[test]
    fn records_come_out_of_their_envelopes() {
        for (line, expected) in [
            (r#"{"a": 1}"#, &[r#"{"a": 1}"#][..]),
            (r#"{"value": {"a": 1}}"#, &[r#"{"a": 1}"#]),
            (r#"{"value": {"a": 1}, "key": null}"#, &[r#"{"a": 1}"#]),
            (r#"{"schema": {}, "payload": {"a": 1}}"#, &[r#"{"a": 1}"#]),
            (
                r#"{"records": [{"value": {"a": 1}}, {"value": {"a": 2}}]}"#,
                &[r#"{"a": 1}"#, r#"{"a": 2}"#],
            ),
            (r#""{\"a\": 1}""#, &[r#"{"a": 1}"#]),
            // A field of that name, and no envelope.
            (r#"{"value": 7}"#, &[r#"{"value": 7}"#]),
            (r#"{"value": {"a": 1}, "b": 2}"#, &[r#"{"value": {"a": 1}, "b": 2}"#]),
        ] {
            assert_eq!(
                texts(line),
                (expected.iter().map(|t| t.to_string()).collect(), 0),
                "{line}"
            );
        }
    }

    #[test]
    fn lines_that_hold_no_record_are_counted() {
        let lines =
            "{\"a\": 1}\r\n\n[1]\n7\nnull\n{\"a\":\n{\"a\":1,\"a\":2}\n{}\n\"text\"\n{\"b\": 2}";
        let (texts, bad) = texts(lines);
        assert_eq!(texts, ["{\"a\": 1}", "{\"b\": 2}"]);
        assert_eq!(bad, 7);
    }

    #[test]
    fn fields_keep_their_order() {
        each(br#"{"z": 1, "a": [1, 2] , "m\n": "x"}"#, |record| {
            let fields: Vec<_> = record.fields.iter().map(|(n, v)| (n.as_ref(), *v)).collect();
            assert_eq!(fields, [("z", "1"), ("a", "[1, 2]"), ("m\n", "\"x\"")]);
        });
    }
}
