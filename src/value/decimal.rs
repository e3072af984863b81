//! Decimal numbers as they are written, without loss.

use crate::code::Code;

/// A decimal number as written: its digits, and where the point stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'t> {
    negative: bool,
    /// The digits before the point. Either part may be empty, but not both.
    whole: &'t str,
    /// The digits behind the point, without zeros at the end.
    fraction: &'t str,
    /// The power of ten that multiplies them; saturated at 32 bits.
    exponent: i32,
}

impl<'t> Decimal<'t> {
    /// Parses `-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`, the grammar of
    /// all number texts.
    pub(super) fn parse(text: &'t str) -> Option<Decimal<'t>> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = whole.bytes().chain(fraction.bytes());
        let is_number = !(whole.is_empty() && fraction.is_empty());
        if !is_number || !digits.all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Zeros at the end of a fraction change nothing.
        let fraction = fraction.trim_end_matches('0');
        Some(Decimal { negative, whole, fraction, exponent })
    }

    /// All digits, those behind the point too.
    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// The number times `factor`, if it is an integer of 64 bits.
    ///
    /// # Errors
    /// [`Code::Type`] for a product with a fraction, [`Code::Overflow`] past 64
    /// bits.
    pub(super) fn times(&self, factor: i64) -> Result<i64, Code> {
        let small = self.small_digits();
        let product = small.and_then(|(digits, exponent)| {
            Some((digits.checked_mul(i128::from(factor))?, exponent))
        });
        match product {
            Some((product, exponent)) => scaled(product, exponent),
            None => self.large_times(factor),
        }
    }

    /// The digits as one integer and the power of ten that multiplies it, if
    /// 128 bits hold them.
    fn small_digits(&self) -> Option<(i128, i32)> {
        // Without a fraction, zeros at the end only move the exponent.
        let kept = match self.fraction.is_empty() {
            true => self.whole.trim_end_matches('0'),
            false => self.whole,
        };
        let zeros = self.whole.len() - kept.len();
        let mut digits: i128 = 0;
        for byte in kept.bytes().chain(self.fraction.bytes()) {
            digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        let scale =
            i32::try_from(self.fraction.len()).ok()? - i32::try_from(zeros).unwrap_or(i32::MAX);
        let digits = if self.negative { -digits } else { digits };
        Some((digits, self.exponent.saturating_sub(scale)))
    }

    /// [`times`](Self::times) for more digits than 128 bits hold.
    fn large_times(&self, factor: i64) -> Result<i64, Code> {
        let product = Significant::of_product(self, factor.unsigned_abs());
        // More than 38 digits are no integer of 64 bits, but zeros at the end
        // or an exponent below zero may leave fewer.
        match product.whole_digits() {
            None => Err(Code::Type),
            Some(digits) => digits.parse().map_err(|_| Code::Overflow),
        }
    }

    /// The number times `factor` as a text, exactly.
    pub(super) fn product(&self, factor: i64) -> String {
        let Significant { negative, digits, exponent } =
            Significant::of_product(self, factor.unsigned_abs());
        let sign = if negative { "-" } else { "" };
        match digits.is_empty() {
            true => format!("{sign}0"),
            false => format!("{sign}0.{digits}e{exponent}"),
        }
    }

    /// The digits that count.
    pub(super) fn significant(&self) -> Significant {
        Significant::of_product(self, 1)
    }
}

/// `value × 10^exponent`, if it is an integer of 64 bits.
fn scaled(mut value: i128, exponent: i32) -> Result<i64, Code> {
    if value == 0 {
        return Ok(0);
    }
    for _ in 0..exponent.max(0) {
        value = value.checked_mul(10).ok_or(Code::Overflow)?;
    }
    for _ in 0..exponent.min(0).unsigned_abs() {
        if value % 10 != 0 {
            return Err(Code::Type);
        }
        value /= 10;
    }
    i64::try_from(value).map_err(|_| Code::Overflow)
}

/// A number as `0.digits × 10^exponent`, without zeros at either end of the
/// digits: equal numbers have equal parts. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Significant {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Significant {
    /// The product of a number and a factor, digit by digit as on paper.
    fn of_product(number: &Decimal<'_>, factor: u64) -> Significant {
        let mut reversed = Vec::with_capacity(number.whole.len() + number.fraction.len() + 20);
        let mut carry: u128 = 0;
        for byte in number.digits().rev() {
            let sum = u128::from(byte - b'0') * u128::from(factor) + carry;
            reversed.push(b'0' + (sum % 10) as u8);
            carry = sum / 10;
        }
        while carry > 0 {
            reversed.push(b'0' + (carry % 10) as u8);
            carry /= 10;
        }
        let point = reversed.len() as i64 - number.fraction.len() as i64;
        let written: String = reversed.iter().rev().map(|byte| char::from(*byte)).collect();
        let digits = written.trim_start_matches('0');
        let zeros = (written.len() - digits.len()) as i64;
        let digits = digits.trim_end_matches('0').to_owned();
        let exponent = point - zeros + i64::from(number.exponent);
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Significant { negative: number.negative, digits, exponent }
    }

    /// Whether the number is zero.
    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether the number has no fraction.
    pub(super) fn is_whole(&self) -> bool {
        self.exponent >= self.digits.len() as i64
    }

    /// The number as an integer is written, `None` if it has a fraction. One of
    /// more digits than 64 bits hold is cut, and still too large for them.
    fn whole_digits(&self) -> Option<String> {
        const TOO_MANY: usize = 40;
        let zeros = usize::try_from(self.exponent - self.digits.len() as i64).ok()?;
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.is_zero() { "0" } else { &self.digits };
        Some(format!("{sign}{digits}{}", "0".repeat(zeros.min(TOO_MANY))))
    }

    /// The first `count` digits, rounded to the nearest, half away from zero.
    pub(super) fn rounded(&self, count: usize) -> Significant {
        let Some(next) = self.digits.as_bytes().get(count) else {
            return Significant { digits: self.digits.clone(), ..*self };
        };
        let up = u64::from(*next >= b'5');
        // Adding one in the last place may carry through all digits, as in 0.999.
        let kept: u64 = self.digits[..count].parse().unwrap_or(0);
        let text = (kept + up).to_string();
        let carried = (text.len() - count) as i64;
        let digits = text.trim_end_matches('0').to_owned();
        Significant { negative: self.negative, digits, exponent: self.exponent + carried }
    }
}

/// Parses an exponent; one too long for 32 bits saturates, its sign kept.
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

    fn parts(text: &str) -> (String, i64) {
        let Significant { digits, exponent, .. } = Decimal::parse(text).unwrap().significant();
        (digits, exponent)
    }

    #[test]
    fn a_number_text_has_digits_on_one_side_of_the_point_at_least() {
        for text in ["1", "1.", ".5", "-.5", "-1.", "1.e3", ".5E-3", "007", "1e+5", "0e99999999999"]
        {
            assert!(Decimal::parse(text).is_some(), "{text}");
        }
        for text in [
            "", "-", ".", "-.", "+1", " 1", "1 ", "1_0", "0x1", "e5", ".e5", "1e", "1e+", "1.2.3",
            "--1", "1e1.5", "٣", "1,5", "1f", "NaN",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn equal_numbers_have_equal_significant_digits() {
        for (text, expected) in [
            ("0", ("", 0)),
            ("0.000e5", ("", 0)),
            ("1", ("1", 1)),
            ("100", ("1", 3)),
            ("1e2", ("1", 3)),
            ("0.001e5", ("1", 3)),
            ("1.50", ("15", 1)),
            ("00.0150", ("15", -1)),
        ] {
            assert_eq!(parts(text), (expected.0.to_owned(), expected.1), "{text}");
        }
    }

    #[test]
    fn digits_are_rounded_to_the_nearest() {
        for (text, expected) in [
            ("1.2345", ("123", 1)),
            ("1.235", ("124", 1)),
            ("99.96", ("1", 3)),
            ("1.2", ("12", 1)),
            ("1.1999", ("12", 1)),
        ] {
            let rounded = Decimal::parse(text).unwrap().significant().rounded(3);
            assert_eq!((rounded.digits.as_str(), rounded.exponent), expected, "{text}");
        }
    }

    #[test]
    fn a_product_is_exact_whatever_the_number_of_digits() {
        for (text, factor, expected) in [
            ("1.1", 1_000, Ok(1_100)),
            ("123456789012345678901234567890123456789012e-36", 1_000_000, Err(Code::Type)),
            ("123456789012345678901234567890123456789000e-36", 1_000, Err(Code::Type)),
            ("1000000000000000000000000000000000000000001e-42", 1_000, Err(Code::Type)),
            ("0.000000000000000000000000000000000000000005e42", 1_000, Ok(5_000)),
            ("1234567890123456789012345678901234567890.123", 1_000, Err(Code::Overflow)),
            ("9223372036854775807000000000000000000000000000000000000000.e-39", 1, Ok(i64::MAX)),
            ("-9223372036854775808000000000000000000000000000000.10e-30", 1, Err(Code::Type)),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().times(factor), expected, "{text}");
        }
        let product = Decimal::parse("-1.1").unwrap().product(1_000);
        assert_eq!(product.parse(), Ok(-1_100.0));
        assert_eq!(Decimal::parse("-0.0").unwrap().product(1_000), "-0");
    }
}
