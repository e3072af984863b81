//! Numbers, with and without suffixes: one grammar for all types, and one rule
//! for what fits.

use super::decimal::{Decimal, Significant};
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

/// A finite double that keeps what the text says: a whole number keeps all of
/// its digits, a fraction at least 15 of them.
///
/// # Errors
/// [`Code::NotFinite`] for NaN and infinities by name, [`Code::Overflow`] for a
/// number that no double keeps, [`Code::Type`] for anything else.
pub fn float(text: &str) -> Result<f64, Code> {
    if !starts_as_number(text.as_bytes()) {
        return Err(not_a_number(text));
    }
    let value: f64 = text.parse().map_err(|_| Code::Type)?;
    // The nearest double is within 2^-53 of the number, which is less than half
    // of its 15th digit. And doubles hold every whole number up to 2^53.
    match (LEAST_PRECISE..WHOLE).contains(&value.abs()) || keeps(text, value) {
        true => Ok(value),
        false => Err(Code::Overflow),
    }
}

/// Far above the doubles that have fewer digits, which begin below 2.3e-308.
const LEAST_PRECISE: f64 = 1e-300;

/// 2^53.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// How many digits of a fraction a double must keep.
const DIGITS: usize = 15;

/// Returns whether a double keeps what a text says, for doubles that are very
/// small or large.
fn keeps(text: &str, value: f64) -> bool {
    let Some(number) = Decimal::parse(text).filter(|_| value.is_finite()) else { return false };
    let written = number.significant();
    if written.is_zero() {
        return true;
    }
    // A double that some writer spelt is that double again: with the fewest
    // digits that tell it from others, with 17 digits, or with all of them.
    let is_spelt = |spelling: String| significant(&spelling).as_ref() == Some(&written);
    if written.is_whole() {
        return is_spelt(format!("{value:e}"))
            || is_spelt(format!("{value:.16e}"))
            || is_spelt(format!("{value:.0}"));
    }
    if value.is_normal() {
        return true;
    }
    significant(&format!("{value:.14e}")) == Some(written.rounded(DIGITS))
}

fn significant(text: &str) -> Option<Significant> {
    Decimal::parse(text).map(|number| number.significant())
}

/// Returns whether a text begins as numbers do; the standard parser takes more.
fn starts_as_number(text: &[u8]) -> bool {
    match text {
        [b'-', b'.', first, ..] | [b'.', first, ..] | [b'-', first, ..] | [first, ..] => {
            first.is_ascii_digit()
        }
        [] => false,
    }
}

fn not_a_number(text: &str) -> Code {
    if is_non_finite_name(text) { Code::NotFinite } else { Code::Type }
}

/// The names under which JSON writers put out what JSON cannot say.
fn is_non_finite_name(text: &str) -> bool {
    let name = text.strip_prefix(['-', '+']).unwrap_or(text);
    ["nan", "inf", "infinity"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// An integer that may end in a suffix: `1.5k` is 1500. The number and its
/// factor are multiplied exactly; a product that is not whole is a type error.
pub fn suffixed_int(text: &str, suffixes: &[Suffix]) -> Result<i64, Code> {
    match split(text, suffixes) {
        None => int(text),
        Some((number, factor)) => Decimal::parse(number).ok_or(Code::Type)?.times(factor),
    }
}

/// A double that may end in a suffix. The number and its factor are multiplied
/// exactly, and the product is read as [`float`] reads a number.
pub fn suffixed_float(text: &str, suffixes: &[Suffix]) -> Result<f64, Code> {
    match split(text, suffixes) {
        None => float(text),
        Some((number, factor)) => {
            let written = Decimal::parse(number).ok_or_else(|| not_a_number(number))?;
            float(&written.product(factor))
        }
    }
}

/// Returns whether a number ends in a suffix.
pub fn has_suffix(text: &str, suffixes: &[Suffix]) -> bool {
    split(text, suffixes).is_some()
}

/// Splits a suffix off a text: what stands before it, and its factor.
fn split<'a>(text: &'a str, suffixes: &[Suffix]) -> Option<(&'a str, i64)> {
    let last = text.as_bytes().last();
    suffixes
        .iter()
        // Most numbers have none, which the last byte shows.
        .filter(|suffix| suffix.text.as_bytes().last() == last)
        .find_map(|suffix| Some((text.strip_suffix(suffix.text.as_str())?, suffix.factor)))
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
            ("3.", Ok(3)),
            (".0", Ok(0)),
            (".5e1", Ok(5)),
            ("-0", Ok(0)),
            ("2e3", Ok(2000)),
            ("1.5e1", Ok(15)),
            ("20e-1", Ok(2)),
            ("007", Ok(7)),
            ("100000000000000000000000000000000000000000000e-44", Ok(1)),
            ("100000000000000000000000000000000000000000000.00e-44", Ok(1)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("9223372036854775807.0", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(Code::Overflow)),
            ("99999999999999999999999999999999999999999999999999", Err(Code::Overflow)),
            ("1e400", Err(Code::Overflow)),
            ("1e99999999999", Err(Code::Overflow)),
            ("0e99999999999", Ok(0)),
            ("1e-99999999999", Err(Code::Type)),
            ("3.5", Err(Code::Type)),
            (".5", Err(Code::Type)),
            ("", Err(Code::Type)),
            ("-", Err(Code::Type)),
            (".", Err(Code::Type)),
            ("-.", Err(Code::Type)),
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
    fn a_float_is_finite_and_spelt_as_every_number_is() {
        let cases: &[(&str, Result<f64, Code>)] = &[
            ("3", Ok(3.0)),
            ("-89.9787", Ok(-89.9787)),
            ("1e3", Ok(1000.0)),
            (".5", Ok(0.5)),
            ("-.5", Ok(-0.5)),
            ("1.", Ok(1.0)),
            ("1.e2", Ok(100.0)),
            (".5e-3", Ok(0.0005)),
            ("1e400", Err(Code::Overflow)),
            ("-1e400", Err(Code::Overflow)),
            ("NaN", Err(Code::NotFinite)),
            ("-Infinity", Err(Code::NotFinite)),
            ("+inf", Err(Code::NotFinite)),
            ("inf", Err(Code::NotFinite)),
            ("", Err(Code::Type)),
            (".", Err(Code::Type)),
            ("-", Err(Code::Type)),
            ("-.", Err(Code::Type)),
            ("+1.5", Err(Code::Type)),
            ("+.5", Err(Code::Type)),
            (" 1.5", Err(Code::Type)),
            ("1.5 ", Err(Code::Type)),
            ("1_000.5", Err(Code::Type)),
            ("0x1p3", Err(Code::Type)),
            ("1,5", Err(Code::Type)),
            ("1e", Err(Code::Type)),
            ("e1", Err(Code::Type)),
            (".e1", Err(Code::Type)),
            ("north", Err(Code::Type)),
            ("1.2.3", Err(Code::Type)),
        ];
        for (text, expected) in cases {
            assert_eq!(float(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_whole_number_that_a_double_does_not_hold_is_an_overflow() {
        for text in [
            "9007199254740992",
            "9007199254740994",
            "-9007199254740994.0",
            "9007199254740993e3",
            "1e23",
            "1e22",
            "1e308",
            "1.7976931348623157e308",
            "1.2345678901234567e20",
            "123456789012345680000",
            "18446744073709551616",
            "100000000000000000000000",
            // All digits of the double nearest to 1e23.
            "99999999999999991611392",
            "9.9999999999999992e22",
        ] {
            assert_eq!(float(text), Ok(text.parse().unwrap()), "{text}");
        }
        for text in [
            "9007199254740993",
            "-9007199254740993",
            "9007199254740993.0",
            "9007199254740993.",
            "9.007199254740993e15",
            "90071992547409930e-1",
            "9223372036854775807",
            "18446744073709551615",
            "100000000000000000000001",
            "123456789012345678901234567890",
        ] {
            assert_eq!(float(text), Err(Code::Overflow), "{text}");
        }
    }

    #[test]
    fn a_fraction_keeps_at_least_fifteen_digits() {
        for text in [
            "0.1",
            "3.141592653589793238",
            "3.3333333333333333",
            "0.1234567890123455",
            "1.00000000000000499999",
            "0.1234567890123456789012345678901234567890",
            "9007199254740993.5",
            "1e-300",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
        ] {
            assert_eq!(float(text), Ok(text.parse().unwrap()), "{text}");
        }
        for text in
            ["1e-400", "-1e-400", "4e-324", "5e-324", "4.9e-324", "1e-310", "1e-99999999999"]
        {
            assert_eq!(float(text), Err(Code::Overflow), "{text}");
        }
        for text in ["0", "0.0", "0e5", "0e-99999999999", ".0"] {
            assert_eq!(float(text).map(f64::to_bits), Ok(0), "{text}");
            let negative = format!("-{text}");
            assert_eq!(float(&negative).map(f64::to_bits), Ok((-0.0_f64).to_bits()), "{negative}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_any_writer_makes_of_a_normal_double_is_that_double(bits: u64) {
            let double = f64::from_bits(bits);
            proptest::prop_assume!(double.is_normal());
            let spellings =
                [format!("{double}"), format!("{double:e}"), format!("{double:.16e}"), format!("{double:?}")];
            for text in spellings {
                proptest::prop_assert_eq!(float(&text), Ok(double), "{}", text);
            }
        }

        #[test]
        fn a_whole_number_past_53_bits_is_taken_where_its_double_is_it(wide: i64) {
            // Doubles of 63 bits are multiples of 1024.
            let even = wide & !0x3ff;
            proptest::prop_assert_eq!(float(&even.to_string()), Ok(even as f64), "{}", even);
            let odd = (wide & i64::MAX | 1 << 54 | 1) * if wide < 0 { -1 } else { 1 };
            proptest::prop_assert_eq!(float(&odd.to_string()), Err(Code::Overflow), "{}", odd);
        }
    }

    fn suffixes() -> [Suffix; 2] {
        [("k", 1_000), ("M", 1_000_000)].map(|(text, factor)| Suffix { text: text.into(), factor })
    }

    #[test]
    fn a_suffix_multiplies() {
        let cases: &[(&str, Result<i64, Code>)] = &[
            ("940", Ok(940)),
            ("124k", Ok(124_000)),
            ("1.5k", Ok(1_500)),
            (".5k", Ok(500)),
            ("1.k", Ok(1_000)),
            ("6M", Ok(6_000_000)),
            ("0.5M", Ok(500_000)),
            ("-5", Ok(-5)),
            ("999999M", Ok(999_999_000_000)),
            ("1.2345k", Err(Code::Type)),
            ("12x", Err(Code::Type)),
            ("k", Err(Code::Type)),
            (".k", Err(Code::Type)),
            ("+1k", Err(Code::Type)),
            ("1 k", Err(Code::Type)),
            ("99999999999999999999M", Err(Code::Overflow)),
        ];
        for (text, expected) in cases {
            assert_eq!(suffixed_int(text, &suffixes()), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_suffix_multiplies_a_float_before_it_is_rounded() {
        let cases: &[(&str, Result<f64, Code>)] = &[
            ("1.5k", Ok(1500.0)),
            ("1.1k", Ok(1100.0)),
            ("-0.3k", Ok(-300.0)),
            // A product of doubles is 1128.9999999999998 and 64099.99999999999.
            ("1.129k", Ok(1129.0)),
            ("64.1k", Ok(64_100.0)),
            ("0.0000011M", Ok(1.1)),
            (".5k", Ok(500.0)),
            ("1e306M", Err(Code::Overflow)),
            ("1e-400k", Err(Code::Overflow)),
            ("9007199254740.993k", Err(Code::Overflow)),
            ("9007199254740.992k", Ok(9_007_199_254_740_992.0)),
            // Both factors are doubles, and their product has too few digits.
            ("1e-320M", Err(Code::Overflow)),
            ("1e-303M", Ok(1e-297)),
            ("NaNk", Err(Code::NotFinite)),
            ("xk", Err(Code::Type)),
        ];
        for (text, expected) in cases {
            assert_eq!(suffixed_float(text, &suffixes()), *expected, "{text:?}");
        }
    }
}
