//! Null rules: which texts mean that there is no value.

use polars_arrow::array::View;
use regex::Regex;

use crate::spec::TextRules;

/// The null rules of one column.
#[derive(Debug)]
pub struct NullRules {
    exact: Vec<String>,
    /// The head of each exact text.
    heads: Vec<u64>,
    patterns: Vec<Regex>,
}

impl NullRules {
    /// Those among the rules of a column.
    pub fn new(rules: &TextRules) -> NullRules {
        let exact = rules.null_values.clone();
        let view = |text: &String| View::new_from_bytes(text.as_bytes(), 0, 0);
        let heads = exact.iter().map(|text| head(&view(text))).collect();
        NullRules { exact, heads, patterns: rules.null_patterns.clone() }
    }

    /// Whether a rule may match the text of this view. It does not look at the
    /// text, which is in no cache most often.
    pub fn may_match(&self, view: &View) -> bool {
        let head = head(view);
        self.heads.contains(&head) || !self.patterns.is_empty()
    }

    /// The number of the rule that makes a text null: exact texts first.
    pub fn rule(&self, text: &str) -> Option<usize> {
        let exact = self.exact.iter().position(|value| value == text);
        exact.or_else(|| {
            let at = self.patterns.iter().position(|pattern| pattern.is_match(text))?;
            Some(self.exact.len() + at)
        })
    }
}

/// The length and the first four bytes of a text.
fn head(view: &View) -> u64 {
    u64::from(view.length) << 32 | u64::from(view.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_no_rule_matches_is_told_by_its_head() {
        let null_values = ["", "-", "none", "User Info Error"].map(str::to_owned).to_vec();
        let nulls = NullRules::new(&TextRules { null_values, ..TextRules::default() });
        for (text, rule, may_match) in [
            ("", Some(0), true),
            ("-", Some(1), true),
            ("none", Some(2), true),
            ("User Info Error", Some(3), true),
            // Of the same length and beginning.
            ("User Info error", None, true),
            ("User Info Errors", None, false),
            ("user Info Error", None, false),
            ("non", None, false),
            ("+", None, false),
            ("\0", None, false),
        ] {
            let view = View::new_from_bytes(text.as_bytes(), 7, 9);
            assert_eq!((nulls.rule(text), nulls.may_match(&view)), (rule, may_match), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_may_match_any_view() {
        let null_patterns = vec![Regex::new("^(?:-+)$").unwrap()];
        let nulls = NullRules::new(&TextRules { null_patterns, ..TextRules::default() });
        assert!(nulls.may_match(&View::new_from_bytes(b"--", 0, 0)));
        assert_eq!((nulls.rule("--"), nulls.rule("-a")), (Some(0), None));
    }
}
