//! The judge of records: what is wrong with a text, and the fields of one that is
//! unusual.
//!
//! sonic-rs checks the whole text while it walks over the fields; nothing is
//! built but a list of where the values lie.

use std::ops::Range;

use memchr::{memchr, memchr2_iter};
use serde::de::IgnoredAny;
use sonic_rs::to_object_iter;

use super::cells::{Cells, Place};
use super::fields::{Field, Fields, START};
use super::{Bad, NESTING_LIMIT};
use crate::code::Code;

/// Reads a record into empty cells. On an error they mean nothing.
pub fn read<'t>(cells: &mut Cells, text: &'t [u8], fields: &mut Fields) -> Result<&'t str, Bad> {
    check_shape(text)?;
    let (mut end, mut name) = (1, START);
    for entry in to_object_iter(text) {
        let (key, value) = entry.map_err(|e| bad_json(text, &e))?;
        let value = range_in(text, value.as_raw_cow().as_bytes());
        end = value.end;
        name = fields.find(name, &key);
        match fields.field(name) {
            Field::Known(known) => {
                cells.count_found();
                let null = &text[value.clone()] == b"null";
                let place = Place::of(value, false);
                if !cells.known(known, (!null).then_some(place), fields) {
                    let message = format!("field {key:?} is there twice");
                    return Err(Bad::new(Code::DuplicateKey, message));
                }
            }
            Field::Ignored => {}
            Field::Unknown(counter) => cells.stray(counter, &key, value, fields),
            Field::Wrapper(counter, wrapper) => {
                cells.stray(counter, &key, value.clone(), fields);
                cells.wrap(wrapper, value);
            }
        }
    }
    check_end(text, end)?;
    if cells.found() == 0 {
        return Err(Bad::new(Code::NoKnownField, "none of the transform's fields is in it"));
    }
    utf8(text)
}

/// Visits the fields of an object: name, and the text of the value. Returns whether
/// the text is one JSON object, whole; if not, only some fields were visited.
pub fn visit<'t>(text: &'t [u8], mut field: impl FnMut(&str, &'t [u8])) -> bool {
    if check_shape(text).is_err() {
        return false;
    }
    let mut end = 1;
    for entry in to_object_iter(text) {
        let Ok((name, value)) = entry else { return false };
        let value = range_in(text, value.as_raw_cow().as_bytes());
        end = value.end;
        field(&name, &text[value]);
    }
    check_end(text, end).is_ok()
}

/// Whether a text is one JSON value, whole. Slow: for the few lines that the
/// walk cannot take, or need not.
pub fn check(text: &[u8]) -> Result<(), Bad> {
    check_depth(text)?;
    utf8(text)?;
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(e) => Err(bad_json(text, &e)),
    }
}

/// What can be said before the walk: it is an object, not too deep, and its
/// escapes are whole.
fn check_shape(text: &[u8]) -> Result<(), Bad> {
    check_depth(text)?;
    check_escapes(text)?;
    let kind = match text.first() {
        Some(b'{') => return Ok(()),
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    check(text)?;
    Err(Bad::new(Code::NotAnObject, format!("{kind}, not an object")))
}

/// The parser below walks down by recursion, so that depth is checked first.
/// A text with few brackets cannot be deep; only others are looked at closely.
fn check_depth(text: &[u8]) -> Result<(), Bad> {
    if memchr2_iter(b'{', b'[', text).nth(NESTING_LIMIT).is_none() {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &b in text {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_LIMIT {
            let message = format!("nested deeper than {NESTING_LIMIT}");
            return Err(Bad::new(Code::TooDeep, message));
        }
    }
    Ok(())
}

/// The parser below steps over the four bytes after `\u` unseen. Were they no
/// digits, it would see strings end elsewhere than the depth was taken for, and
/// read a text that is no JSON.
fn check_escapes(text: &[u8]) -> Result<(), Bad> {
    let mut at = 0;
    while let Some(next) = memchr(b'\\', &text[at..]) {
        let escape = at + next + 1;
        let len = match &text[escape..] {
            [b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => 5,
            [b'u', ..] => {
                utf8(text)?;
                let message = format!("no four digits after the \\u at byte {escape}");
                return Err(Bad::new(Code::InvalidJson, message));
            }
            _ => 1,
        };
        at = (escape + len).min(text.len());
    }
    Ok(())
}

/// The walk ends at the closing brace; what comes after it is looked at here.
fn check_end(text: &[u8], last_value: usize) -> Result<(), Bad> {
    match trim(&text[last_value..]).strip_prefix(b"}") {
        Some([]) => Ok(()),
        _ => {
            let message = "text after the end of the object";
            Err(Bad::new(Code::TrailingText, message))
        }
    }
}

/// A text without the white space around it: that of JSON, so no form feed.
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = text {
        text = rest;
    }
    text
}

/// What is wrong with a text that is no JSON.
fn bad_json(text: &[u8], error: &dyn std::error::Error) -> Bad {
    if let Err(bad) = utf8(text) {
        return bad;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    if let Some(Ok(_)) = values.next() {
        // Only a name is unescaped on the walk; a whole text fails by that alone.
        return match values.byte_offset() {
            end if end < text.len() => {
                Bad::new(Code::TrailingText, format!("text after the first {end} bytes"))
            }
            _ => Bad::new(Code::InvalidEscape, "a field's name has an escape that is no character"),
        };
    }
    // The parser's message shows the text over several lines; its first says why.
    let why = error.to_string();
    Bad::new(Code::InvalidJson, why.lines().next().unwrap_or_default().trim().to_owned())
}

fn utf8(text: &[u8]) -> Result<&str, Bad> {
    std::str::from_utf8(text).map_err(|e| {
        let at = e.valid_up_to() + 1;
        Bad::new(Code::InvalidUtf8, format!("byte {at} of the record is not UTF-8"))
    })
}

/// Where a part lies in the whole that it was cut from.
pub fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}
