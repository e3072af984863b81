//! What was probably meant by a name that is not known.

use std::cmp::Reverse;

/// The known name that was probably meant.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&name, &other.to_lowercase());
    let closest = known.into_iter().map(|other| (distance(other), other)).min()?;
    let limit = (name.chars().count() / 3).max(1);
    (closest.0 <= limit).then_some(closest.1)
}

/// The end of a message about an unknown name: the one that was probably
/// meant, or else all of them.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match near(name, known.clone()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => {
            let all: Vec<_> = known.into_iter().map(|k| format!("`{k}`")).collect();
            if all.is_empty() { String::new() } else { format!("; there is {}", all.join(", ")) }
        }
    }
}

/// Returns the candidate, with its count, that probably stands for a field of one of
/// these names: the same name in another spelling, a typo, a longer or shorter form, or
/// an abbreviation. Of those that are level the most frequent one.
pub fn alias<'a>(
    names: &[String],
    candidates: impl Iterator<Item = (&'a str, u64)>,
) -> Option<(&'a str, u64)> {
    let nearest = |other: &str| names.iter().filter_map(|name| kinship(name, other)).min();
    let related = candidates.filter_map(|(other, count)| Some((nearest(other)?, count, other)));
    let best = related.min_by_key(|(kinship, count, other)| (*kinship, Reverse(*count), *other))?;
    Some((best.2, best.1))
}

/// How two names of one thing may be alike, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kinship {
    /// They differ in case and punctuation: `unique-id`, `UniqueId`.
    Spelling,
    /// So many letters are wrong, missing or swapped.
    Typo(usize),
    /// One holds the other, and so many letters more: `event_timestamp`.
    Part(usize),
    /// One is the other without so many of its letters: `idx`, `lng`.
    Abbreviation(usize),
    /// They begin alike, and so many letters differ: `followers`, `follower_count`.
    Beginning(usize),
}

/// Names of fewer letters are like too many others.
const PART_LETTERS: usize = 3;
const BEGINNING_LETTERS: usize = 4;

fn kinship(name: &str, other: &str) -> Option<Kinship> {
    let letters = |name: &str| -> Vec<char> {
        name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (a, b) = (letters(name), letters(other));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.is_empty() {
        return None;
    }
    if short == long {
        return Some(Kinship::Spelling);
    }
    let more = long.len() - short.len();
    let typos = strsim::generic_damerau_levenshtein(short, long);
    let alike = short.iter().zip(long.iter()).take_while(|(a, b)| a == b).count();
    if short.len() >= PART_LETTERS && typos <= (short.len() / 3).max(1) {
        Some(Kinship::Typo(typos))
    } else if short.len() >= PART_LETTERS
        && long.windows(short.len()).any(|part| part == short.as_slice())
    {
        Some(Kinship::Part(more))
    } else if short.len() > 1 && alike > 0 && is_subsequence(short, long) {
        Some(Kinship::Abbreviation(more))
    } else if alike >= BEGINNING_LETTERS && 2 * alike >= short.len() {
        Some(Kinship::Beginning(a.len() + b.len() - 2 * alike))
    } else {
        None
    }
}

/// Whether all letters of the one are in the other, in their order.
fn is_subsequence(short: &[char], long: &[char]) -> bool {
    let mut rest = long.iter();
    short.iter().all(|letter| rest.any(|other| other == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_of_a_field_is_found_by_its_letters() {
        let cases: [(&[&str], &[&str], Option<&str>); 18] = [
            // names of the field, candidates → the likely one
            (&["ind", "index"], &["country", "idx"], Some("idx")),
            (&["ind"], &["indx"], Some("indx")),
            (&["unique_id"], &["id", "unique-id"], Some("unique-id")),
            (&["unique_id"], &["UniqueId", "unique"], Some("UniqueId")),
            (&["unique_id"], &["uid"], Some("uid")),
            (&["timestamp"], &["event_timestamp", "ts"], Some("event_timestamp")),
            (&["timestamp"], &["ts"], Some("ts")),
            (&["timestamp"], &["tiemstamp"], Some("tiemstamp")),
            (&["latitude"], &["lon", "lat"], Some("lat")),
            (&["longitude"], &["lat", "lng"], Some("lng")),
            (&["follower_count"], &["followers"], Some("followers")),
            (&["country"], &["Country"], Some("Country")),
            (&["country"], &["cntry"], Some("cntry")),
            (&["straße"], &["STRASSE", "strasse_nr"], Some("STRASSE")),
            (&["country"], &["code", "colour"], None),
            (&["age"], &["a", "", "_", "weight"], None),
            (&["category"], &["extra"], None),
            (&[], &["extra"], None),
        ];
        for (names, candidates, expected) in cases {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let found = alias(&names, candidates.iter().map(|name| (*name, 1)));
            assert_eq!(found.map(|(name, _)| name), expected, "{names:?} {candidates:?}");
        }
    }

    #[test]
    fn of_names_that_are_level_the_most_frequent_is_likely() {
        let names = ["ind".to_owned()];
        let candidates = [("inx", 1), ("inb", 70), ("ina", 70)];
        assert_eq!(alias(&names, candidates.into_iter()), Some(("ina", 70)));
    }

    #[test]
    fn a_typo_has_a_near_name_and_another_word_has_none() {
        let known = ["null_values", "field", "name"];
        for (name, expected) in [
            ("null_value", Some("null_values")),
            ("NULL_VALUES", Some("null_values")),
            ("feild", Some("field")),
            ("nme", Some("name")),
            ("regexp", None),
        ] {
            assert_eq!(near(name, known), expected, "{name}");
        }
    }
}
