//! Which texts are envelopes, said once more without care for speed.

use std::collections::BTreeSet;

use pinclean::code::Code;
use pinclean::spec::Spec;

use crate::model::{Fate, LAYERS, elements, is_sound, members, unwrap_string};

/// Whether a text is an envelope.
#[derive(PartialEq)]
pub enum Verdict {
    Stays,
    Reject(Code),
    /// The kind of the envelope, and what is in it.
    Wraps(&'static str, Vec<String>),
}

/// The fields that may wrap a record; the first of those that hold the most is opened.
const WRAPPERS: [&str; 5] = ["records", "payload", "value", "Data", "after"];
const METADATA: [&str; 17] = [
    "key",
    "timestamp",
    "timestampType",
    "timestamp_type",
    "offset",
    "partition",
    "topic",
    "headers",
    "schema",
    "key_schema",
    "value_schema",
    "key_schema_id",
    "value_schema_id",
    "PartitionKey",
    "SequenceNumber",
    "ApproximateArrivalTimestamp",
    "StreamName",
];
/// What says that such an object is an envelope.
const EVIDENCE: [&str; 7] =
    ["key", "offset", "partition", "headers", "schema", "PartitionKey", "SequenceNumber"];

pub fn verdict(spec: &Spec, fate: &Fate, text: &[u8], left: usize) -> Verdict {
    let text = std::str::from_utf8(text).unwrap_or_default();
    match fate {
        Fate::Reject(Code::NotAnObject) => match unwrap_string(text).filter(|_| left > 0) {
            Some(inner) => Verdict::Wraps("string", vec![inner]),
            None => Verdict::Stays,
        },
        Fate::Row(..) | Fate::Reject(Code::NoKnownField) => {
            let members: Vec<_> = members(text)
                .into_iter()
                .map(|(name, value)| (name.expect("a sound name"), value))
                .collect();
            let outside = known(spec, &members);
            let verdict = verdict_of_object(spec, &members, outside, left);
            let is_twice =
                |name: &&str| members.iter().filter(|(other, _)| other == name).count() > 1;
            let twice = WRAPPERS
                .iter()
                .chain(&["before"])
                .any(|name| is_free(spec, name) && is_twice(name));
            match twice && (verdict != Verdict::Stays || (outside == 0 && left > 0)) {
                true => Verdict::Reject(Code::DuplicateKey),
                false => verdict,
            }
        }
        _ => Verdict::Stays,
    }
}

type Members<'t> = [(String, &'t str)];

fn verdict_of_object(spec: &Spec, members: &Members<'_>, outside: usize, left: usize) -> Verdict {
    if hollow(spec, members, LAYERS) {
        return Verdict::Reject(Code::NotAnObject);
    }
    let Some(left) = left.checked_sub(1) else { return Verdict::Stays };
    let of = |wanted: &str| {
        let found = members.iter().find(|(name, _)| name == wanted && is_free(spec, wanted));
        found.map(|(_, value)| *value)
    };
    let score_of = |name: &str| of(name).map_or(0, |value| best(spec, name, value, left));
    let open = |name: &'static str| {
        let records = inside(name, of(name).expect("it is there"));
        match records.is_empty() {
            true => Verdict::Stays,
            false => Verdict::Wraps(name, records.into_iter().map(str::to_owned).collect()),
        }
    };
    let most = WRAPPERS.map(score_of).into_iter().max().unwrap_or(0);
    if most > outside {
        return open(WRAPPERS.into_iter().find(|name| score_of(name) == most).expect("the best"));
    }
    if of("after") == Some("null") && score_of("before") > outside {
        return Verdict::Reject(Code::NotAnObject);
    }
    // An object without any field of the table is opened by its form.
    let by_form = ["records", "payload", "value"].into_iter().find(|name| match *name {
        "records" => of(name).is_some_and(|list| list.starts_with('[')),
        "payload" => of(name).is_some() && members.iter().any(|(name, _)| name == "schema"),
        _ => of(name).is_some(),
    });
    match by_form {
        Some(name) if outside == 0 => open(name),
        _ => Verdict::Stays,
    }
}

/// Whether the transforms neither read nor ignore a field.
fn is_free(spec: &Spec, name: &str) -> bool {
    !is_read(spec, name) && !spec.ignore.iter().any(|ignored| ignored == name)
}

fn is_read(spec: &Spec, name: &str) -> bool {
    spec.slots.iter().any(|slot| slot.names.iter().any(|read| read == name))
}

/// The different fields that are read.
fn known(spec: &Spec, members: &Members<'_>) -> usize {
    let names = members.iter().map(|(name, _)| name.as_str());
    names.filter(|name| is_read(spec, name)).collect::<BTreeSet<_>>().len()
}

/// The texts in a wrapper.
fn inside<'t>(name: &str, value: &'t str) -> Vec<&'t str> {
    match name == "records" && value.starts_with('[') {
        true => elements(value),
        false => vec![value],
    }
}

/// The most fields of a record in a wrapper.
fn best(spec: &Spec, name: &str, value: &str, left: usize) -> usize {
    inside(name, value).into_iter().map(|text| score(spec, text, left)).max().unwrap_or(0)
}

/// The fields of a text, or of what it wraps.
fn score(spec: &Spec, text: &str, left: usize) -> usize {
    if text.starts_with('"') && left > 0 {
        return unwrap_string(text).map_or(0, |inner| score(spec, &inner, left - 1));
    }
    if !text.starts_with('{') {
        return 0;
    }
    let is_sound = is_sound(text.as_bytes());
    let members = if is_sound { members(text) } else { Vec::new() };
    let is_whole = is_sound && members.iter().all(|(name, _)| name.is_some());
    if !is_whole {
        // So many of the names are in it, each with a colon.
        let names = spec.slots.iter().flat_map(|slot| &slot.names).collect::<BTreeSet<_>>();
        let is_there = |name: &&&String| {
            let quoted = format!("\"{name}\"");
            text.match_indices(&quoted).any(|(at, _)| {
                let rest = text[at + quoted.len()..].trim_start_matches([' ', '\t', '\r', '\n']);
                rest.starts_with(':')
            })
        };
        return names.iter().filter(is_there).count();
    }
    let members: Vec<_> = members.into_iter().map(|(n, v)| (n.unwrap_or_default(), v)).collect();
    let mut most = known(spec, &members);
    let Some(left) = left.checked_sub(1) else { return most };
    let is_deletion = members
        .iter()
        .any(|(name, value)| name == "after" && *value == "null" && is_free(spec, "after"));
    for (name, value) in &members {
        let counts = WRAPPERS.contains(&name.as_str()) || (name == "before" && is_deletion);
        if counts && is_free(spec, name) {
            most = most.max(best(spec, name, value, left));
        }
    }
    most
}

/// Whether an object is an envelope that holds no record.
fn hollow(spec: &Spec, members: &Members<'_>, left: usize) -> bool {
    let (mut any, mut evidence) = (false, false);
    for (name, value) in members {
        if WRAPPERS[..4].contains(&name.as_str()) && is_free(spec, name) {
            for text in inside(name, value) {
                let is_object = text.starts_with('{');
                let object = if is_object { crate::model::members(text) } else { Vec::new() };
                let object: Option<Vec<_>> =
                    object.into_iter().map(|(name, value)| Some((name?, value))).collect();
                let is_empty = match object {
                    Some(object) if !object.is_empty() => {
                        evidence |= left > 0 && hollow(spec, &object, left - 1);
                        left > 0 && hollow(spec, &object, left - 1)
                    }
                    Some(_) => text == "null" || text == "\"\"" || is_object,
                    None => false,
                };
                if !is_empty {
                    return false;
                }
            }
            any = true;
        } else if METADATA.contains(&name.as_str()) {
            evidence |= EVIDENCE.contains(&name.as_str()) && !is_read(spec, name);
        } else {
            return false;
        }
    }
    any && evidence
}
