//! Malformed records: a good line, spoilt in one of many ways.

use memchr::memmem;

use super::draw::{Draw, Stream};
use super::record::{Place, Table};

/// One way in which a record can be malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Cut short, as by a lost connection.
    Truncated,
    Array,
    Number,
    Null,
    EmptyObject,
    BareText,
    TrailingText,
    InvalidUtf8,
    LoneSurrogate,
    DuplicateKey,
    /// Nested 300 deep.
    DeepNesting,
    /// An integer past 64 bits.
    HugeNumber,
    /// A value that no parser can make a number or time of: `12x` followers, or
    /// the 30th of February.
    WrongValue,
}

const FAULTS: [Fault; 13] = [
    Fault::Truncated,
    Fault::Array,
    Fault::Number,
    Fault::Null,
    Fault::EmptyObject,
    Fault::BareText,
    Fault::TrailingText,
    Fault::InvalidUtf8,
    Fault::LoneSurrogate,
    Fault::DuplicateKey,
    Fault::DeepNesting,
    Fault::HugeNumber,
    Fault::WrongValue,
];

const DEPTH: usize = 300;

/// Spoils the line that starts at `start` and ends the buffer, if `rate` says
/// so, and tells whether it did. It stays one line. Which record is spoilt, and
/// how, depends on its place alone; a higher rate spoils those of a lower one
/// and more.
pub(super) fn spoil(place: Place, rate: f64, out: &mut Vec<u8>, start: usize) -> bool {
    let stream = match place.table {
        Table::Pin => Stream::BadPin,
        Table::Geo => Stream::BadGeo,
        Table::User => Stream::BadUser,
    };
    let mut draw = Draw::new(place.seed, stream, place.row);
    // 53 random bits fill a double's fraction: 0 <= share < 1.
    let share = (draw.bits() >> 11) as f64 / (1u64 << 53) as f64;
    if share >= rate {
        return false;
    }
    let fault = FAULTS[draw.below(FAULTS.len() as u32) as usize];
    let line = out.split_off(start);
    out.extend(spoilt(fault, place.table, &line[..line.len() - 1], &mut draw));
    out.push(b'\n');
    true
}

/// The malformed form of a good line; neither ends in a newline.
fn spoilt(fault: Fault, table: Table, line: &[u8], draw: &mut Draw) -> Vec<u8> {
    let body = &line[..line.len() - 1];
    match fault {
        Fault::Truncated => line[..1 + draw.below(line.len() as u32 - 1) as usize].to_vec(),
        Fault::Array => [b"[", line, b"]"].concat(),
        Fault::Number => draw.below(1_000_000).to_string().into_bytes(),
        Fault::Null => b"null".to_vec(),
        Fault::EmptyObject => b"{}".to_vec(),
        Fault::BareText => b"connection reset by peer".to_vec(),
        Fault::TrailingText => [line, b" EOF"].concat(),
        Fault::InvalidUtf8 => at_the_end(line, b"\xc3\x28\xff"),
        Fault::LoneSurrogate => at_the_end(line, br"\uD83D"),
        Fault::DuplicateKey => {
            let (key, value) = (key(table), draw.below(1000).to_string());
            [body, b",\"", key.as_bytes(), b"\":", value.as_bytes(), b"}"].concat()
        }
        Fault::DeepNesting => {
            let (open, close) = (b"[".repeat(DEPTH), b"]".repeat(DEPTH));
            [body, b",\"nested\":", &open, &close, b"}"].concat()
        }
        Fault::HugeNumber => replace(line, key(table), b":", b",", b"99999999999999999999"),
        Fault::WrongValue => match table {
            Table::Pin => replace(line, "follower_count", b":\"", b"\"", b"12x"),
            Table::Geo => replace(line, "timestamp", b":\"", b"\"", b"2021-02-30T12:00:00"),
            Table::User => replace(line, "date_joined", b":\"", b"\"", b"2021-02-30T12:00:00"),
        },
    }
}

/// The table's key: always the first field, always an integer.
fn key(table: Table) -> &'static str {
    if table == Table::Pin { "index" } else { "ind" }
}

/// Puts bytes at the end of the last field, which is text in every table.
fn at_the_end(line: &[u8], bytes: &[u8]) -> Vec<u8> {
    [&line[..line.len() - 2], bytes, b"\"}"].concat()
}

/// Replaces the value of a field: what is between `open` and `close` after it.
fn replace(line: &[u8], field: &str, open: &[u8], close: &[u8], value: &[u8]) -> Vec<u8> {
    let name = [b"\"", field.as_bytes(), b"\"", open].concat();
    let from = memmem::find(line, &name).map_or(line.len(), |at| at + name.len());
    let to = memmem::find(&line[from..], close).map_or(line.len(), |length| from + length);
    [&line[..from], value, &line[to..]].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::record;
    use super::*;

    fn bad(table: Table, row: u64, rate: f64) -> Option<Vec<u8>> {
        let mut out = b"before\n".to_vec();
        let place = Place { table, seed: 42, row };
        record::write(place, &mut out);
        let good = out.clone();
        let is_bad = spoil(place, rate, &mut out, 7);
        assert_eq!(is_bad, out != good);
        assert!(out.starts_with(b"before\n"));
        is_bad.then(|| out[7..].to_vec())
    }

    /// Whether a line is wrong by what can be told without a transform.
    fn is_odd(line: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(line) else { return true };
        let Ok(Json::Object(fields)) = serde_json::from_str(text) else { return true };
        fields.is_empty()
            || text.matches("\"ind\":").count() + text.matches("\"index\":").count() > 1
            || text.contains(":99999999999999999999,")
            || text.contains("2021-02-30")
            || text.contains("\"12x\"")
    }

    #[test]
    fn at_rate_1_every_line_is_malformed_and_still_one_line() {
        for table in Table::ALL {
            for row in 0..2000 {
                let line = bad(table, row, 1.0).unwrap();
                assert!(is_odd(&line), "{}", String::from_utf8_lossy(&line));
                assert_eq!(line.iter().position(|b| *b == b'\n'), Some(line.len() - 1));
                assert!(line.len() > 1, "a blank line is no record");
            }
        }
    }

    #[test]
    fn the_share_of_malformed_records_is_the_rate() {
        for (rate, expected) in [(0.0, 0..1), (0.01, 70..130), (0.5, 4800..5200)] {
            let found = (0..10_000).filter(|row| bad(Table::Geo, *row, rate).is_some()).count();
            assert!(expected.contains(&found), "{rate}: {found}");
        }
    }

    #[test]
    fn a_higher_rate_spoils_the_same_rows_in_the_same_way() {
        for row in 0..3000 {
            if let Some(line) = bad(Table::Pin, row, 0.05) {
                assert_eq!(bad(Table::Pin, row, 0.5), Some(line));
            }
        }
    }

    #[test]
    fn each_fault_is_what_its_name_says() {
        let mut draw = Draw::new(1, Stream::BadGeo, 0);
        let line = br#"{"ind":7,"timestamp":"2020-08-28 03:52:47","country":"Fiji"}"#;
        let cases: [(Fault, &[u8]); 9] = [
            (Fault::Array, br#"[{"ind":7,"timestamp":"2020-08-28 03:52:47","country":"Fiji"}]"#),
            (Fault::Null, b"null"),
            (Fault::EmptyObject, b"{}"),
            (Fault::BareText, b"connection reset by peer"),
            (
                Fault::TrailingText,
                br#"{"ind":7,"timestamp":"2020-08-28 03:52:47","country":"Fiji"} EOF"#,
            ),
            (
                Fault::InvalidUtf8,
                b"{\"ind\":7,\"timestamp\":\"2020-08-28 03:52:47\",\"country\":\"Fiji\xc3\x28\xff\"}",
            ),
            (
                Fault::LoneSurrogate,
                br#"{"ind":7,"timestamp":"2020-08-28 03:52:47","country":"Fiji\uD83D"}"#,
            ),
            (
                Fault::HugeNumber,
                br#"{"ind":99999999999999999999,"timestamp":"2020-08-28 03:52:47","country":"Fiji"}"#,
            ),
            (
                Fault::WrongValue,
                br#"{"ind":7,"timestamp":"2021-02-30T12:00:00","country":"Fiji"}"#,
            ),
        ];
        for (fault, expected) in cases {
            let found = spoilt(fault, Table::Geo, line, &mut draw);
            assert_eq!(found, expected, "{fault:?}: {}", String::from_utf8_lossy(&found));
        }
        assert_eq!(FAULTS.map(|f| f as usize), std::array::from_fn(|n| n));
    }
}
