//! Any text as TOML.

use std::fmt::Write as _;

/// A TOML basic string, on one line; no control character stands in it, so that
/// it may stand in a comment too.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // The line separators of Unicode would break a comment in editors.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML string as plain as it can be: `'''…'''` where that is possible.
pub fn quote_json(text: &str) -> String {
    let plain = !text.contains("'''")
        && !text.ends_with('\'')
        && !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if plain { format!("'''{text}'''") } else { quote(text) }
}

/// An array of strings.
pub fn quote_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<_> = texts.into_iter().map(quote).collect();
    format!("[{}]", texts.join(", "))
}

/// A text for a comment: its first characters.
pub fn quote_short(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", quote(&text[..end])),
        None => quote(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(toml: &str) -> String {
        let table: toml::Table = toml::from_str(&format!("# {}\nx = {toml}", quote(toml))).unwrap();
        table["x"].as_str().unwrap().to_owned()
    }

    #[test]
    fn texts_are_spelt_plainly_where_that_is_possible() {
        for (text, expected) in [
            ("{\"a\": 1}", "'''{\"a\": 1}'''"),
            ("it's", "'''it's'''"),
            ("'", "\"'\""),
            ("'''", "\"'''\""),
            ("a\tb", "\"a\\tb\""),
            ("\u{7f}\u{0}", "\"\\u007F\\u0000\""),
        ] {
            assert_eq!(quote_json(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back_the_same(text in "(.|[\\x00-\\x1f\\x7f\"'\\\\\u{85}\u{2028}]|'''){0,12}") {
            prop_assert_eq!(read(&quote(&text)), text.clone());
            prop_assert_eq!(read(&quote_json(&text)), text);
        }
    }
}
