//! Names of topics and fields → names of tables and columns.

use crate::key::Topic;
use crate::spec::RESERVED;

/// The part of a topic's name that says what it holds: after the last dot.
fn subject(topic: &Topic) -> &str {
    let name = topic.as_str();
    match name.rsplit_once('.') {
        Some((_, last)) if !last.is_empty() => last,
        _ => name,
    }
}

/// The glob that stands for this topic and for its like: `*.pin`.
pub fn glob(topic: &Topic) -> String {
    match subject(topic) {
        whole if whole == topic.as_str() => whole.to_owned(),
        last => format!("*.{last}"),
    }
}

/// A table's name: `[a-z][a-z0-9_-]*`.
pub fn table(topic: &Topic) -> String {
    let legal = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' => c,
        _ => '_',
    };
    let name: String = subject(topic).chars().map(legal).collect();
    match name.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => name,
        false => format!("t{name}"),
    }
}

/// A column's name for a field: letters, digits and `_`, unlike the others
/// even where case does not count.
pub fn column(field: &str, taken: &[String]) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name: String = field.chars().map(legal).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let same = |name: &str, other: &str| other.eq_ignore_ascii_case(name);
    let free = |name: &str| {
        !RESERVED.iter().any(|other| same(name, other))
            && !taken.iter().any(|other| same(name, other))
    };
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| free(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_gives_a_table_and_a_glob() {
        for (topic, name, pattern) in [
            ("0a1b.pin", "pin", "*.pin"),
            ("orders", "orders", "orders"),
            ("a.b.Geo-2", "geo-2", "*.Geo-2"),
            ("x.2024", "t2024", "*.2024"),
            ("x.", "x_", "x."),
            ("x._y", "t_y", "*._y"),
        ] {
            let topic = Topic::parse(topic).unwrap();
            assert_eq!((table(&topic).as_str(), glob(&topic).as_str()), (name, pattern));
        }
    }

    #[test]
    fn a_field_gives_a_name_that_is_legal_and_free() {
        let mut taken = Vec::new();
        for (field, expected) in [
            ("ind", "ind"),
            ("IND", "IND_2"),
            ("first name", "first_name"),
            ("first-name", "first_name_2"),
            ("1st", "_1st"),
            ("größe", "gr__e"),
            ("_rescued", "_rescued_2"),
            ("_Kafka-offset", "_Kafka_offset_2"),
            ("👍", "_"),
        ] {
            let name = column(field, &taken);
            assert_eq!(name, expected);
            taken.push(name);
        }
    }
}
