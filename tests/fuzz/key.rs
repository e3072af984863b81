//! Names: what is read is written again the same, and nothing panics.

use pinclean::key::{Layout, Name, Topic};

use crate::choices::Choices;

const TOPICS: [&str; 8] = ["t", "u.pin", "a-1", "a_1_2", "-", "t.keys.0", "0", "..."];
const DELIMS: [&str; 9] = ["+", "-", "_", ".", "++", "-0", "0-", ".json", "é"];
const PARTS: [&str; 30] = [
    "0",
    "00",
    "1",
    "12",
    "-1",
    "+1",
    "4294967295",
    "4294967296",
    "0000000007",
    "9999999999",
    "10000000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "00000000000000000000000000000000000007",
    ".json",
    ".json.gz",
    ".JSON",
    ".gz",
    ".avro",
    ".keys",
    ".headers",
    ".keys.",
    ".headers.json",
    "+",
    "-",
    "é",
    "\u{661}",
    "\0",
    "",
];

/// One random name under a random topic and layout.
pub fn check(choices: &mut Choices<'_>) {
    let topic = topic(choices);
    let delim = choices.pick(&DELIMS);
    let layout = Layout::new(choices.pick(&["topics", "", "/a/b/"]), delim).unwrap();
    let mut name = match choices.below(4) {
        0 => String::new(),
        1 => layout.name_prefix(&topic, choices.below(1_000) as u32),
        _ => topic.to_string(),
    };
    for _ in 0..choices.below(8) {
        name.push_str(if choices.once_in(2) { delim } else { choices.pick(&PARTS) });
    }
    let mut bytes = name.into_bytes();
    if choices.once_in(3) {
        choices.mutate(&mut bytes);
    }
    reads_back(&String::from_utf8_lossy(&bytes), &topic, &layout);
    reads_back(&String::from_utf8_lossy(&choices.rest()), &topic, &layout);
}

fn topic(choices: &mut Choices<'_>) -> Topic {
    let mut name = choices.pick(&TOPICS).as_bytes().to_vec();
    choices.mutate(&mut name);
    let name = String::from_utf8_lossy(&name).into_owned();
    match Topic::parse(&name) {
        Some(topic) => {
            assert_eq!(topic.as_str(), name);
            topic
        }
        None => Topic::parse("t").unwrap(),
    }
}

fn reads_back(name: &str, topic: &Topic, layout: &Layout) {
    let read = Name::parse(name, topic, layout);
    match read {
        Name::Value(value) => {
            let mut written = String::new();
            value.push_to(&mut written, topic, layout);
            assert_eq!(written, name, "{value:?}");
            assert!(name.starts_with(&layout.name_prefix(topic, value.partition)), "{name:?}");
            assert!(i64::try_from(value.start).is_ok(), "{name:?}");
        }
        Name::Sidecar { partition, .. } => {
            assert!(name.starts_with(&layout.name_prefix(topic, partition)), "{name:?}");
        }
        Name::Foreign | Name::Other => {}
    }
}
