//! What was probably meant by a name that is not known.

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

#[cfg(test)]
mod tests {
    use super::*;

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
