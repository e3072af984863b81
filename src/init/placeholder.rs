//! Texts that senders write where they have no value.

/// Whether a text looks like one that stands for no value.
pub fn looks_empty(text: &str) -> bool {
    let text = rejoined(text.trim()).to_lowercase();
    is_marker(&text) || is_excuse(&text)
}

/// Whether it is a usual marker, and not words that could be someone's title.
pub fn is_marker(text: &str) -> bool {
    let text = text.trim();
    let known = [
        "null",
        "none",
        "nil",
        "nan",
        "n/a",
        "na",
        "#n/a",
        "undefined",
        "unknown",
        "missing",
        "error",
        "not available",
        "not applicable",
    ];
    known.iter().any(|marker| text.eq_ignore_ascii_case(marker))
        || text.chars().all(|c| matches!(c, '-' | '?' | '.' | '_' | '–' | '—'))
}

/// `no … available`, `… error.`
fn is_excuse(text: &str) -> bool {
    (text.starts_with("no ") && text.contains(" available"))
        || text.trim_end_matches(['.', '!']).ends_with(" error")
}

/// A text that was joined letter by letter, as `','.join("a text")` does.
fn rejoined(text: &str) -> String {
    let joined = text.chars().skip(1).step_by(2).all(|c| c == ',') && text.chars().count() > 2;
    if joined { text.chars().step_by(2).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_senders_write_for_no_value_is_told_from_text() {
        for (text, expected) in [
            ("", true),
            (" ", true),
            ("-", true),
            ("N/A", true),
            ("null", true),
            ("No Title Data Available", true),
            ("No description available Story format", true),
            ("User Info Error", true),
            ("Image src error.", true),
            ("N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", true),
            ("Untitled", false),
            ("No one knows", false),
            ("Terror", false),
            ("a,b,c", false),
            ("0", false),
        ] {
            assert_eq!(looks_empty(text), expected, "{text:?}");
        }
    }
}
