//! What a number text is, said once more by shifting digits.

use pinclean::code::Code;
use pinclean::spec::Suffix;
use pinclean::value;

use crate::choices::Choices;

/// A number text: its sign, its digits without zeros at either end, and the power
/// of ten that multiplies them as a whole number.
struct Written {
    sign: &'static str,
    digits: String,
    power: i64,
}

/// Far past every type.
const FAR: i64 = 1_000_000;

impl Written {
    fn read(text: &str) -> Option<Written> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let sign = if mantissa.starts_with('-') { "-" } else { "" };
        let unsigned = &mantissa[sign.len()..];
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let all = format!("{whole}{fraction}");
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !are_digits(&all) || !are_digits(power) {
            return None;
        }
        let far = if exponent.starts_with('-') { -FAR } else { FAR };
        let kept = all.trim_end_matches('0');
        let power = exponent.parse::<i64>().map_or(far, |e| e.clamp(-FAR, FAR))
            + (all.len() - kept.len()) as i64
            - fraction.len() as i64;
        let digits = kept.trim_start_matches('0').to_owned();
        let power = if digits.is_empty() { 0 } else { power };
        Some(Written { sign, digits, power })
    }

    fn same(&self, other: &str) -> bool {
        Written::read(other)
            .is_some_and(|other| (&self.digits, self.power) == (&other.digits, other.power))
    }
}

/// A number that is an integer of 64 bits.
pub fn int(text: &str) -> Result<i64, Code> {
    let Written { sign, digits, power } = Written::read(text).ok_or(Code::Type)?;
    match usize::try_from(power) {
        _ if digits.is_empty() => Ok(0),
        Err(_) => Err(Code::Type),
        Ok(zeros) if digits.len() + zeros > 19 => Err(Code::Overflow),
        Ok(zeros) => {
            format!("{sign}{digits}{}", "0".repeat(zeros)).parse().map_err(|_| Code::Overflow)
        }
    }
}

/// A number that a double keeps.
pub fn float(text: &str) -> Result<f64, Code> {
    let name = text.strip_prefix(['-', '+']).unwrap_or(text).to_ascii_lowercase();
    if matches!(name.as_str(), "nan" | "inf" | "infinity") {
        return Err(Code::NotFinite);
    }
    let written = Written::read(text).ok_or(Code::Type)?;
    // Not serde_json, whose doubles may be off by one bit.
    let value: f64 = text.parse().map_err(|_| Code::Type)?;
    let size = value.abs();
    let kept = match () {
        () if written.digits.is_empty() => size == 0.0,
        () if !size.is_finite() || size == 0.0 => false,
        () if written.power >= 0 => {
            [format!("{size:.0}"), format!("{size:e}"), format!("{size:.16e}")]
                .iter()
                .any(|spelt| written.same(spelt))
        }
        () => size.is_normal() || keeps_fifteen_digits(&written, size),
    };
    if kept { Ok(value) } else { Err(Code::Overflow) }
}

/// Whether the first 15 digits of a number are those of its double, rounded.
fn keeps_fifteen_digits(written: &Written, size: f64) -> bool {
    let digits = &written.digits;
    let Some(next) = digits.as_bytes().get(15) else {
        return written.same(&format!("{size:.14e}"));
    };
    let rounded = digits[..15].parse::<u64>().unwrap() + u64::from(*next >= b'5');
    let power = written.power + digits.len() as i64 - 15;
    let rounded = Written::read(&format!("{rounded}e{power}")).unwrap();
    rounded.same(&format!("{size:.14e}"))
}

/// One random number text, plain and with a suffix.
pub fn check(choices: &mut Choices<'_>) {
    let text = number(choices);
    assert_eq!(value::int(&text), int(&text), "{text:?}");
    assert_eq!(value::float(&text).map(f64::to_bits), float(&text).map(f64::to_bits), "{text:?}");
    let suffixes = [Suffix { text: "k".into(), factor: 1_000 }];
    let with_suffix = format!("{text}k");
    // A thousand is a power of ten: only the exponent is another one.
    let Some(Written { sign, digits, power }) = Written::read(&text) else { return };
    let digits = if digits.is_empty() { "0" } else { &digits };
    let product = format!("{sign}{digits}e{}", power + 3);
    assert_eq!(value::suffixed_int(&with_suffix, &suffixes), int(&product), "{with_suffix:?}");
    let made = value::suffixed_float(&with_suffix, &suffixes).map(f64::to_bits);
    assert_eq!(made, float(&product).map(f64::to_bits), "{with_suffix:?}");
}

/// Numbers where types and doubles end.
const EDGES: [&str; 16] = [
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "2147483648",
    "1.7976931348623157e308",
    "2.2250738585072014e-308",
    "4.9e-324",
    "1e-400",
    "1e23",
    "0.1",
    "3.141592653589793238",
    "-0.0",
    "0",
    ".5",
    "1.",
];

fn number(choices: &mut Choices<'_>) -> String {
    let mut text = match choices.below(3) {
        0 => choices.pick(&EDGES).as_bytes().to_vec(),
        _ => written(choices),
    };
    if choices.once_in(3) {
        choices.mutate(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn written(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    if choices.once_in(4) {
        text.push(b'-');
    }
    let digits = |choices: &mut Choices<'_>, text: &mut Vec<u8>| {
        let longest = choices.pick(&[1, 3, 17, 20, 45]);
        for _ in 0..choices.below(longest + 1) {
            text.push(b'0' + choices.byte() % 10);
        }
    };
    digits(choices, &mut text);
    if choices.once_in(2) {
        text.push(b'.');
        digits(choices, &mut text);
    }
    if choices.once_in(2) {
        text.extend(choices.pick(&["e", "E", "e-", "e+"]).bytes());
        let power = choices.pick(&[0, 1, 5, 15, 22, 290, 300, 308, 320, 340]);
        text.extend((power + choices.below(4)).to_string().bytes());
    }
    text
}
