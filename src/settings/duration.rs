//! Spans of time as typed: `7d`, `12h`, `30m`.

use std::time::Duration;

/// The longest span, in seconds: 100 years of 365 days. The clock and the log
/// can always be counted back by it.
const LONGEST: u64 = 100 * 365 * 86_400;

/// A span of time: a whole number and a unit, which has to be there. Case
/// counts, as elsewhere `M` means months.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim_start() {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        "w" => Some(7 * 86_400),
        _ => None,
    };
    let seconds = number.parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
    match seconds {
        Some(seconds) if seconds <= LONGEST => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(format!("{text:?} is too long: 36500d is the most")),
        None => Err(format!(
            "{text:?} is not a span of time (a whole number and s, m, h, d or w, such as 7d)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit() {
        let cases = [
            ("0s", 0),
            ("90s", 90),
            ("30m", 1_800),
            ("12h", 43_200),
            ("7d", 604_800),
            ("7 d", 604_800),
            ("2w", 1_209_600),
            ("36500d", LONGEST),
        ];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_span_says_what_one_looks_like() {
        for text in ["", "7", "d", "7D", "1M", "1y", "-1d", "1.5h", "1d12h", " 7d", "7d ", "７d"] {
            assert!(duration(text).unwrap_err().contains("such as 7d"), "{text:?}");
        }
        for text in ["36501d", "5215w", "3153600001s"] {
            assert!(duration(text).unwrap_err().contains("36500d is the most"), "{text:?}");
        }
        // More seconds than 64 bits hold, and more digits.
        for text in ["18446744073709551615w", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }
}
