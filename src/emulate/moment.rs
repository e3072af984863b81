//! Points in time, as records spell them.

use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};

use super::draw::Draw;
use super::text::decimal;

/// When pins were posted, in seconds since 1970: 2017-10-19 to 2022-10-19.
pub(super) const POSTED: Range<u32> = 1_508_371_200..1_666_224_000;
/// When users joined: 2015-10 to 2017-10.
pub(super) const JOINED: Range<u32> = 1_443_657_600..1_509_494_400;

/// A point in time, UTC, to the microsecond.
pub(super) struct Moment(NaiveDateTime);

impl Moment {
    /// A point in a span of seconds. One in sixteen has microseconds.
    pub fn draw(draw: &mut Draw, span: Range<u32>) -> Moment {
        let second = span.start + draw.below(span.end - span.start);
        let micros = if draw.below(16) == 0 { 1 + draw.below(999_999) } else { 0 };
        let time = DateTime::from_timestamp(i64::from(second), micros * 1000);
        Moment(time.unwrap_or_default().naive_utc())
    }

    /// `2020-08-28T03:52:47`, or with a blank for the `T`, and `.ffffff` if there
    /// are microseconds: Python's `isoformat()` and `str()`.
    pub fn write(&self, with_t: bool, out: &mut Vec<u8>) {
        self.date("", "-", "-", out);
        out.push(if with_t { b'T' } else { b' ' });
        decimal(u64::from(self.0.hour()), 2, out);
        out.push(b':');
        decimal(u64::from(self.0.minute()), 2, out);
        out.push(b':');
        decimal(u64::from(self.0.second()), 2, out);
        let micros = self.0.nanosecond() / 1000;
        if micros > 0 {
            out.push(b'.');
            decimal(u64::from(micros), 6, out);
        }
    }

    /// `dt=YYYY-MM-dd`
    pub fn dt_directory(&self, out: &mut Vec<u8>) {
        self.date("dt=", "-", "-", out);
    }

    /// `year=YYYY/month=MM/day=dd`, as the DailyPartitioner.
    pub fn daily_directory(&self, out: &mut Vec<u8>) {
        self.date("year=", "/month=", "/day=", out);
    }

    /// `year=YYYY/month=MM/day=dd/hour=HH`, as the HourlyPartitioner.
    pub fn hourly_directory(&self, out: &mut Vec<u8>) {
        self.daily_directory(out);
        out.extend_from_slice(b"/hour=");
        decimal(u64::from(self.0.hour()), 2, out);
    }

    fn date(&self, year: &str, month: &str, day: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(year.as_bytes());
        decimal(u64::from(self.0.year().unsigned_abs()), 4, out);
        out.extend_from_slice(month.as_bytes());
        decimal(u64::from(self.0.month()), 2, out);
        out.extend_from_slice(day.as_bytes());
        decimal(u64::from(self.0.day()), 2, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::Stream;
    use super::*;

    #[test]
    fn a_moment_is_spelt_as_python_does() {
        let cases = [
            (0, true, "2020-08-28T03:05:47"),
            (0, false, "2020-08-28 03:05:47"),
            (60, true, "2020-08-28T03:05:47.000060"),
        ];
        for (micros, with_t, expected) in cases {
            let time = DateTime::from_timestamp(1_598_583_947, micros * 1000).unwrap();
            let mut out = Vec::new();
            Moment(time.naive_utc()).write(with_t, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn moments_stay_in_their_span() {
        let mut draw = Draw::new(1, Stream::Geo, 0);
        for (span, first, last) in
            [(POSTED, "2017-10-19", "2022-10-19"), (JOINED, "2015-10-01", "2017-10-31")]
        {
            for _ in 0..10_000 {
                let mut out = Vec::new();
                Moment::draw(&mut draw, span.clone()).write(true, &mut out);
                let date = &out[..10];
                assert!(first.as_bytes() <= date && date <= last.as_bytes());
            }
        }
    }

    #[test]
    fn directories_are_those_of_the_partitioners() {
        let time = DateTime::from_timestamp(1_598_583_947, 0).unwrap();
        let moment = Moment(time.naive_utc());
        type Write = fn(&Moment, &mut Vec<u8>);
        let cases: [(Write, &str); 3] = [
            (Moment::dt_directory, "dt=2020-08-28"),
            (Moment::daily_directory, "year=2020/month=08/day=28"),
            (Moment::hourly_directory, "year=2020/month=08/day=28/hour=03"),
        ];
        for (write, expected) in cases {
            let mut out = Vec::new();
            write(&moment, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }
}
