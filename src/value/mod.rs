//! Text → value. Pure, and the same wherever a text becomes a value: in the
//! decoder, in a column's rules, in a constant.
//!
//! The rule of all types: what fits without loss is taken, anything else is a
//! reject with its [`Code`].

mod number;
mod string;
mod time;

pub use number::{float, int, suffixed_float, suffixed_int};
pub use string::unescape;
pub use time::{Clock, date};

use crate::code::Code;

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Code> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Code::Type),
    }
}
