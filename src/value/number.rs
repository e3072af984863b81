//! Numbers, with and without suffixes.

use crate::code::Code;
use crate::spec::Suffix;

/// A 64-bit integer: `20`, `-3`, `3.0`, `2e3`.
///
/// # Errors
/// [`Code::Overflow`] past 64 bits, [`Code::Type`] for anything else.
pub fn int(text: &str) -> Result<i64, Code> {
    match text.parse::<i64>() {
        Ok(value) if !text.starts_with('+') => Ok(value),
        _ => Decimal::parse(text).ok_or(Code::Type)?.times(1),
    }
}

/// A finite double.
///
/// # Errors
/// [`Code::NotFinite`] for NaN and infinities by name, [`Code::Overflow`] for
/// a number too large for a double, [`Code::Type`] for anything else.
pub fn float(text: &str) -> Result<f64, Code> {
    let bytes = text.as_bytes();
    let starts_as_number = match bytes {
        [b'-', first, ..] | [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    if !starts_as_number {
        return Err(if is_non_finite_name(text) { Code::NotFinite } else { Code::Type });
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Code::Overflow),
        Err(_) => Err(Code::Type),
    }
}

/// The names under which JSON writers put out what JSON cannot say.
fn is_non_finite_name(text: &str) -> bool {
    let name = text.strip_prefix(['-', '+']).unwrap_or(text);
    ["nan", "inf", "infinity"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// An integer that may end in a suffix: `1.5k` is 1500. The number and its
/// factor are multiplied exactly; a product that is no integer is a type error.
pub fn suffixed_int(text: &str, suffixes: &[Suffix]) -> Result<i64, Code> {
    match split(text, suffixes) {
        (number, None) => int(number),
        (number, Some(factor)) => Decimal::parse(number).ok_or(Code::Type)?.times(factor),
    }
}

/// A double that may end in a suffix.
pub fn suffixed_float(text: &str, suffixes: &[Suffix]) -> Result<f64, Code> {
    let (number, factor) = split(text, suffixes);
    let value = float(number)? * factor.unwrap_or(1) as f64;
    if value.is_finite() { Ok(value) } else { Err(Code::Overflow) }
}

fn split<'a>(text: &'a str, suffixes: &[Suffix]) -> (&'a str, Option<i64>) {
    let last = text.as_bytes().last();
    suffixes
        .iter()
        // Most numbers have none: the last byte tells.
        .filter(|suffix| suffix.text.as_bytes().last() == last)
        .find_map(|suffix| Some((text.strip_suffix(suffix.text.as_str())?, Some(suffix.factor))))
        .unwrap_or((text, None))
}

/// A decimal number as written: `digits × 10^exponent`.
struct Decimal {
    digits: i128,
    exponent: i32,
    /// More digits than are kept: too large for any integer type.
    huge: bool,
}

impl Decimal {
    /// Parses `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        if whole.is_empty() || fraction.is_empty() {
            return None;
        }
        let all = || whole.bytes().chain(fraction.bytes());
        if !all().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // Zeros at the end only move the exponent.
        let fraction = fraction.trim_end_matches('0');
        let kept = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
        let zeros = whole.len() - kept.len();
        let mut digits: i128 = 0;
        let mut huge = false;
        for b in kept.bytes().chain(fraction.bytes()) {
            match digits.checked_mul(10).and_then(|d| d.checked_add(i128::from(b - b'0'))) {
                Some(next) => digits = next,
                None => huge = true,
            }
        }
        let scale = i32::try_from(fraction.len()).ok()? - i32::try_from(zeros).ok()?;
        let digits = if negative { -digits } else { digits };
        Some(Decimal { digits, exponent: exponent.saturating_sub(scale), huge })
    }

    /// The number times `factor`, if it is an integer of 64 bits.
    fn times(&self, factor: i64) -> Result<i64, Code> {
        if self.huge {
            return Err(if self.exponent >= 0 { Code::Overflow } else { Code::Type });
        }
        if self.digits == 0 {
            return Ok(0);
        }
        let mut value = self.digits.checked_mul(i128::from(factor)).ok_or(Code::Overflow)?;
        for _ in 0..self.exponent.max(0) {
            value = value.checked_mul(10).ok_or(Code::Overflow)?;
        }
        for _ in 0..self.exponent.min(0).unsigned_abs() {
            if value % 10 != 0 {
                return Err(Code::Type);
            }
            value /= 10;
        }
        i64::try_from(value).map_err(|_| Code::Overflow)
    }
}

/// An exponent; one too long for 32 bits saturates, its sign kept.
fn parse_exponent(text: &str) -> Option<i32> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i32>().unwrap_or(i32::MAX);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_taken_where_nothing_is_lost() {
        let cases: &[(&str, Result<i64, Code>)] = &[
            ("20", Ok(20)),
            ("-3", Ok(-3)),
            ("3.0", Ok(3)),
            ("-0", Ok(0)),
            ("2e3", Ok(2000)),
            ("1.5e1", Ok(15)),
            ("20e-1", Ok(2)),
            ("100000000000000000000000000000000000000000000e-44", Ok(1)),
            ("100000000000000000000000000000000000000000000.00e-44", Ok(1)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(Code::Overflow)),
            ("99999999999999999999999999999999999999999999999999", Err(Code::Overflow)),
            ("1e400", Err(Code::Overflow)),
            ("1e99999999999", Err(Code::Overflow)),
            ("0e99999999999", Ok(0)),
            ("1e-99999999999", Err(Code::Type)),
            ("3.5", Err(Code::Type)),
            ("", Err(Code::Type)),
            ("-", Err(Code::Type)),
            ("+3", Err(Code::Type)),
            (" 3", Err(Code::Type)),
            ("3 ", Err(Code::Type)),
            ("1_000", Err(Code::Type)),
            ("0x1f", Err(Code::Type)),
            ("12x", Err(Code::Type)),
            ("NaN", Err(Code::Type)),
            ("٣", Err(Code::Type)),
        ];
        for (text, expected) in cases {
            assert_eq!(int(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_float_is_finite() {
        let cases: &[(&str, Result<f64, Code>)] = &[
            ("3", Ok(3.0)),
            ("-89.9787", Ok(-89.9787)),
            ("1e3", Ok(1000.0)),
            ("1e400", Err(Code::Overflow)),
            ("NaN", Err(Code::NotFinite)),
            ("-Infinity", Err(Code::NotFinite)),
            ("inf", Err(Code::NotFinite)),
            ("", Err(Code::Type)),
            ("north", Err(Code::Type)),
            ("1.2.3", Err(Code::Type)),
        ];
        for (text, expected) in cases {
            assert_eq!(float(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_suffix_multiplies() {
        let suffix = |text: &str, factor| Suffix { text: text.into(), factor };
        let suffixes = [suffix("k", 1_000), suffix("M", 1_000_000)];
        let cases: &[(&str, Result<i64, Code>)] = &[
            ("940", Ok(940)),
            ("124k", Ok(124_000)),
            ("1.5k", Ok(1_500)),
            ("6M", Ok(6_000_000)),
            ("0.5M", Ok(500_000)),
            ("-5", Ok(-5)),
            ("999999M", Ok(999_999_000_000)),
            ("1.2345k", Err(Code::Type)),
            ("12x", Err(Code::Type)),
            ("k", Err(Code::Type)),
            ("1 k", Err(Code::Type)),
            ("99999999999999999999M", Err(Code::Overflow)),
        ];
        for (text, expected) in cases {
            assert_eq!(suffixed_int(text, &suffixes), *expected, "{text:?}");
        }
        assert_eq!(suffixed_float("1.5k", &suffixes), Ok(1500.0));
        assert_eq!(suffixed_float("1e306M", &suffixes), Err(Code::Overflow));
    }
}
