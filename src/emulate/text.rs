//! Invented prose: titles, names, descriptions, tags. JSON-escaped as written.

use super::draw::{Draw, pick, scale};
use super::words::{FLOURISHES, WORDS};

/// A title of three to sixteen words.
pub(super) fn title(draw: &mut Draw, out: &mut Vec<u8>) {
    let words = if draw.chance(200) { 16 + draw.below(12) } else { 3 + draw.below(11) };
    let newline = draw.chance(20).then_some(words / 2);
    for n in 0..words {
        match n {
            0 => {}
            _ if newline == Some(n) => out.extend_from_slice(b"\\n"),
            _ => out.push(b' '),
        }
        capitalised(draw, out);
    }
    match draw.below(32) {
        0 => out.extend_from_slice(" – Atelier & Co.".as_bytes()),
        1 => flourish(draw, out),
        2 => out.push(b'!'),
        _ => {}
    }
}

/// A poster's name: two or three words.
pub(super) fn poster(draw: &mut Draw, out: &mut Vec<u8>) {
    capitalised(draw, out);
    out.push(b' ');
    capitalised(draw, out);
    match draw.below(8) {
        0 => out.extend_from_slice(" | Notes & Makers".as_bytes()),
        1 => out.extend_from_slice("’s Workshop".as_bytes()),
        2 | 3 => {
            out.push(b' ');
            capitalised(draw, out);
        }
        _ => {}
    }
}

/// Nine tags joined by commas; seldom another number of them.
pub(super) fn tags(draw: &mut Draw, out: &mut Vec<u8>) {
    let count = if draw.chance(200) { 3 + draw.below(6) } else { 9 };
    for n in 0..count {
        if n > 0 {
            out.push(b',');
        }
        let words = if draw.below(4) == 0 { 2 } else { 3 };
        for word in 0..words {
            if word > 0 {
                out.push(b' ');
            }
            capitalised(draw, out);
        }
    }
}

/// A description. Two in five are cut by the site at about 180 bytes and end
/// in an ellipsis and a no-break space; the others are a few words to several
/// hundred characters long.
pub(super) fn description(draw: &mut Draw, out: &mut Vec<u8>) {
    let start = out.len();
    if draw.chance(400) {
        return hashtags(draw, out);
    }
    let (length, cut) = match draw.below(64) {
        0..28 => (160 + draw.below(12), true),
        28 => (200 + draw.below(400), false),
        _ => (12 + draw.below(170), false),
    };
    sentences(draw, out, start + length as usize);
    spice(draw, out);
    out.extend_from_slice(if cut { "…\u{a0}" } else { "." }.as_bytes());
}

/// Words with the punctuation of prose, until `end` is reached.
fn sentences(draw: &mut Draw, out: &mut Vec<u8>, end: usize) {
    capitalised(draw, out);
    while out.len() < end {
        let bits = draw.bits();
        // The high half of the bits picks the word, the low half what is before it.
        match bits & 63 {
            0..4 => out.extend_from_slice(b". "),
            4 => out.extend_from_slice(b"! "),
            5..9 => out.extend_from_slice(b", "),
            9 => out.extend_from_slice(b" & "),
            _ => out.push(b' '),
        }
        let first = out.len();
        out.extend_from_slice(pick(WORDS, bits).as_bytes());
        if bits & 63 < 5 {
            out[first].make_ascii_uppercase();
        }
    }
}

/// What stands in some descriptions only: quotes, other scripts, backslashes.
fn spice(draw: &mut Draw, out: &mut Vec<u8>) {
    match draw.below(100) {
        0..3 => {
            out.extend_from_slice(b" \\\"");
            capitalised(draw, out);
            out.extend_from_slice(b"\\\"");
        }
        3..7 => flourish(draw, out),
        7 => out.extend_from_slice(b" and\\\\or "),
        _ => {}
    }
}

fn hashtags(draw: &mut Draw, out: &mut Vec<u8>) {
    for n in 0..3 + draw.below(10) {
        out.extend_from_slice(if n == 0 { b"#" } else { b" #" });
        out.extend_from_slice(draw.pick(WORDS).as_bytes());
        out.extend_from_slice(draw.pick(WORDS).as_bytes());
    }
}

fn flourish(draw: &mut Draw, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(draw.pick(FLOURISHES).as_bytes());
}

fn capitalised(draw: &mut Draw, out: &mut Vec<u8>) {
    let first = out.len();
    out.extend_from_slice(draw.pick(WORDS).as_bytes());
    out[first].make_ascii_uppercase();
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn uuid(draw: &mut Draw, out: &mut Vec<u8>) {
    let high = draw.bits() & !0xf000 | 0x4000;
    let low = draw.bits() & !(3 << 62) | 1 << 63;
    hex(high >> 32, 8, out);
    for (bits, digits) in [(high >> 16, 4), (high, 4), (low >> 48, 4), (low, 12)] {
        out.push(b'-');
        hex(bits, digits, out);
    }
}

/// The low `digits` hex digits of `bits`.
pub(super) fn hex(bits: u64, digits: u32, out: &mut Vec<u8>) {
    out.extend((0..digits).rev().map(|n| b"0123456789abcdef"[(bits >> (4 * n)) as usize & 15]));
}

/// A number in decimal, filled with zeros to at least `width` digits.
pub(super) fn decimal(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let first = at.min(digits.len().saturating_sub(width.max(1)));
    out.extend_from_slice(&digits[first..]);
}

/// A follower count: up to three digits, with `k`, or one or two with `M`.
pub(super) fn followers(draw: &mut Draw, out: &mut Vec<u8>) {
    let bits = draw.bits();
    let (most, suffix) = match bits & 255 {
        0..6 => (10, ""),
        6..19 => (100, ""),
        19..44 => (1000, ""),
        44..91 => (10, "k"),
        91..170 => (100, "k"),
        170..236 => (1000, "k"),
        236..255 => (10, "M"),
        _ => (16, "M"),
    };
    let least = u64::from(!suffix.is_empty());
    decimal(least + u64::from(scale(bits, most - least as u32)), 1, out);
    out.extend_from_slice(suffix.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::draw::Stream;
    use super::*;

    #[test]
    fn numbers_are_filled_with_zeros() {
        let cases: [(u64, usize, &str); 6] = [
            (0, 1, "0"),
            (0, 0, "0"),
            (7, 2, "07"),
            (1234, 2, "1234"),
            (42, 10, "0000000042"),
            (u64::MAX, 10, "18446744073709551615"),
        ];
        for (number, width, expected) in cases {
            let mut out = Vec::new();
            decimal(number, width, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn a_uuid_has_version_and_variant() {
        let mut draw = Draw::new(1, Stream::Pin, 0);
        for _ in 0..100 {
            let mut out = Vec::new();
            uuid(&mut draw, &mut out);
            let text = String::from_utf8(out).unwrap();
            let parts: Vec<&str> = text.split('-').collect();
            assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(
                parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']),
                "{text}"
            );
        }
    }

    #[test]
    fn follower_counts_have_the_seen_shapes() {
        let shape = regex::Regex::new(r"^(\d{1,3}|[1-9]\d{0,2}k|[1-9]\d?M)$").unwrap();
        let mut draw = Draw::new(1, Stream::Pin, 0);
        for _ in 0..2000 {
            let mut out = Vec::new();
            followers(&mut draw, &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(shape.is_match(&text), "{text}");
        }
    }
}
