//! Text → value. Pure, and the same wherever a text becomes a value: in the
//! decoder, in a column's rules, in a constant.
//!
//! The rule of all types: what fits without loss is taken, anything else is a
//! reject with its [`Code`].

mod decimal;
mod iso;
mod number;
mod pattern;
mod string;
mod time;

pub use number::{float, has_suffix, int, suffixed_float, suffixed_int};
pub use pattern::TimePattern;
pub use string::unescape;
pub use time::Clock;

use crate::code::Code;

/// `true` or `false`, or a number that is 1 or 0.
///
/// # Errors
/// [`Code::Type`] for anything else.
pub fn boolean(text: &str) -> Result<bool, Code> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => match int(text) {
            Ok(1) => Ok(true),
            Ok(0) => Ok(false),
            _ => Err(Code::Type),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bool_is_a_word_or_the_number_one_or_zero() {
        for (text, expected) in [
            ("true", Ok(true)),
            ("false", Ok(false)),
            ("1", Ok(true)),
            ("0", Ok(false)),
            ("1.0", Ok(true)),
            ("-0", Ok(false)),
            ("10e-1", Ok(true)),
        ] {
            assert_eq!(boolean(text), expected, "{text:?}");
        }
        for text in
            ["", "True", "TRUE", "yes", "t", "2", "-1", "0.5", "+1", " 1", "01x", "1e400", "NaN"]
        {
            assert_eq!(boolean(text), Err(Code::Type), "{text:?}");
        }
    }
}
