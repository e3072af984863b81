//! Where the parts of a JSON text end. Nothing is built, and nothing but JSON
//! passes ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)), without line ends
//! between its parts.
//!
//! All take a text and a place in it, and give the place behind the part; `None`
//! if there is none. Their text is UTF-8.

use wide::u8x16;

use super::NESTING_LIMIT;

/// The end of the white space at `at`. A line end is none.
#[inline(always)]
pub fn blank(text: &[u8], at: usize) -> usize {
    // Nearly always there is none.
    match text.get(at) {
        Some(..=b' ') => past_blank(text, at),
        _ => at,
    }
}

fn past_blank(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The end of a string, and whether it is plain: without an escape.
#[inline]
pub fn string(text: &[u8], at: usize) -> Option<(usize, bool)> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let stop = stop(text, at + 1);
    match text.get(stop)? {
        b'"' => Some((stop + 1, true)),
        b'\\' => Some((escaped(text, stop)?, false)),
        _ => None,
    }
}

/// The end of a string from its first escape on.
fn escaped(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = match text.get(at..)? {
            [b'"', ..] => return Some(at + 1),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at + 2,
            [b'\\', b'u', a, b, c, d, ..]
                if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) =>
            {
                at + 6
            }
            _ => return None,
        };
        at = stop(text, at);
    }
}

/// The first quote, backslash or control character, or the text's end.
#[inline]
fn stop(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        match first_stop(block) {
            BLOCK => at += BLOCK,
            first => return at + first,
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| stops(*byte)).unwrap_or(rest.len())
}

fn stops(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..=0x1f)
}

/// Bytes that are looked at in one step.
const BLOCK: usize = 16;

/// The number of the first byte that stops a string, or [`BLOCK`].
#[inline]
fn first_stop(block: &[u8; BLOCK]) -> usize {
    let bytes = u8x16::new(*block);
    let controls = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    let quotes = bytes.simd_eq(u8x16::splat(b'"'));
    let escapes = bytes.simd_eq(u8x16::splat(b'\\'));
    let stops = (controls | quotes | escapes).to_bitmask();
    (stops | 1 << BLOCK).trailing_zeros() as usize
}

/// The end of a number.
#[inline]
pub fn number(text: &[u8], at: usize) -> Option<usize> {
    let at = at + usize::from(text.get(at) == Some(&b'-'));
    let mut at = match text.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits(text, at + 1),
        _ => return None,
    };
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = some_digits(text, at + 1 + sign)?;
    }
    Some(at)
}

/// The end of the digits at `at`, if there are any. Eight bytes are looked at in
/// one step.
#[inline]
fn digits(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        match first_digits(block) {
            8 => at += 8,
            digits => return at + digits,
        }
    }
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    at
}

/// How many digits eight bytes begin with.
#[inline]
fn first_digits(block: &[u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let values = u64::from_le_bytes(*block) ^ (ONES * u64::from(b'0'));
    // The top bit of each byte over 9. A carry may set bits above the lowest that
    // is right; only that one counts.
    let others = (values.wrapping_add(ONES * (0x80 - 10)) | values) & (ONES << 7);
    (others.trailing_zeros() / 8) as usize
}

fn some_digits(text: &[u8], at: usize) -> Option<usize> {
    let end = digits(text, at);
    (end > at).then_some(end)
}

/// The end of any value that is not a string, an array or an object.
#[inline]
fn plain(text: &[u8], at: usize) -> Option<usize> {
    let word = |word: &[u8]| text[at..].starts_with(word).then_some(at + word.len());
    match text.get(at)? {
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => number(text, at),
    }
}

/// The end of a field's value, and whether it is a string without an escape.
#[inline]
pub fn value(text: &[u8], at: usize) -> Option<(usize, bool)> {
    match text.get(at)? {
        b'"' => string(text, at),
        b'[' | b'{' => Some((nested(text, at)?, false)),
        _ => Some((plain(text, at)?, false)),
    }
}

/// The end of an array or object within a record.
fn nested(text: &[u8], mut at: usize) -> Option<usize> {
    // A bit for each level, the innermost lowest: whether it is an object.
    let (mut objects, mut depth) = (0_u128, 0);
    loop {
        let byte = *text.get(at)?;
        if let b'[' | b'{' = byte {
            depth += 1;
            // The record is a level itself.
            if depth >= NESTING_LIMIT {
                return None;
            }
            objects = objects << 1 | u128::from(byte == b'{');
            at = blank(text, at + 1);
            let close = if byte == b'{' { b'}' } else { b']' };
            if *text.get(at)? != close {
                at = if byte == b'{' { name(text, at)? } else { at };
                continue;
            }
        } else {
            at = match byte {
                b'"' => string(text, at)?.0,
                _ => plain(text, at)?,
            };
            at = blank(text, at);
        }
        // Behind a value: the next one, or the ends of what it is in.
        loop {
            let object = objects & 1 == 1;
            match text.get(at)? {
                b',' => {
                    at = blank(text, at + 1);
                    at = if object { name(text, at)? } else { at };
                    break;
                }
                b'}' if object => {}
                b']' if !object => {}
                _ => return None,
            }
            (at, depth, objects) = (at + 1, depth - 1, objects >> 1);
            if depth == 0 {
                return Some(at);
            }
            at = blank(text, at);
        }
    }
}

/// The start of a member's value: behind its name, the colon and white space.
fn name(text: &[u8], at: usize) -> Option<usize> {
    colon(text, string(text, at)?.0)
}

/// The end of a colon and the white space around it.
#[inline]
pub fn colon(text: &[u8], at: usize) -> Option<usize> {
    let at = blank(text, at);
    (text.get(at)? == &b':').then(|| blank(text, at + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn a_value_ends_where_it_ends_and_nothing_else_is_one() {
        // Texts that are a value, each whole.
        let values = [
            r#""""#,
            r#""a""#,
            r#""a text of more than sixteen bytes, é and all""#,
            r#""\"\\\/\b\f\n\r\t\u00e9\uD800""#,
            "0",
            "-0",
            "-12.50e+3",
            "1E-9",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[ ]",
            "[[],{}]",
            r#"{"a":[1, {"b" : null}],	"c":""}"#,
        ];
        for text in values {
            for rest in ["", ",", "}", " \n"] {
                let whole = format!("{text}{rest}");
                let end = value(whole.as_bytes(), 0).map(|(end, _)| end);
                assert_eq!(end, Some(text.len()), "{whole:?}");
            }
        }
        let none = [
            "",
            "-",
            "+1",
            ".5",
            "1.",
            "1.e3",
            "1e",
            "1e+",
            "nul",
            "True",
            "'a'",
            "\"",
            "\"a",
            "\"\\q\"",
            "\"\\u12\"",
            "\"\\u12G4\"",
            "\"a\tb\"",
            "\"a\nb\"",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1}",
            "{\"a\":1]",
            "[1,\n2]",
            "]",
            "}",
            ",",
            ":",
        ];
        for text in none {
            assert_eq!(value(text.as_bytes(), 0), None, "{text:?}");
        }
    }

    #[test]
    fn a_string_is_plain_without_an_escape() {
        assert_eq!(value(br#""abc""#, 0), Some((5, true)));
        assert_eq!(value(br#""a\"c""#, 0), Some((6, false)));
    }

    #[test]
    fn nesting_is_followed_to_the_limit_of_the_record() {
        for (levels, ends) in [(NESTING_LIMIT - 1, true), (NESTING_LIMIT, false)] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!("{}1{}", open.repeat(levels), close.repeat(levels));
                let end = value(text.as_bytes(), 0).map(|(end, _)| end);
                assert_eq!(end, ends.then_some(text.len()), "{levels} {open}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_ends_where_another_parser_ends(text in "[\\[\\]{},: \"\\\\0-2eE.+\\-tnullé]{0,24}") {
            let ours = value(text.as_bytes(), 0).map(|(end, _)| end);
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<IgnoredAny>();
            if let Some(end) = ours {
                prop_assert!(serde_json::from_str::<IgnoredAny>(&text[..end]).is_ok(), "{}", end);
            } else if !text.starts_with(' ') {
                prop_assert!(values.next().is_none_or(|value| value.is_err()));
            }
        }

        #[test]
        fn digits_are_counted_to_the_first_other_byte(
            block in prop::array::uniform8(prop_oneof![8 => 0x2f..0x3b_u8, 1 => any::<u8>()]),
        ) {
            let first = block.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(8);
            prop_assert_eq!(first_digits(&block), first);
        }

        #[test]
        fn a_block_stops_at_its_first_byte_that_stops(
            block in prop::array::uniform16(prop_oneof![0x1e..0x24_u8, 0x5a..0x5e_u8, any::<u8>()]),
        ) {
            let first = block.iter().position(|byte| stops(*byte)).unwrap_or(BLOCK);
            prop_assert_eq!(first_stop(&block), first);
        }
    }
}
