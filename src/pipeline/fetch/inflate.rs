//! Inflating gzip, a step at a time and within limits. Pure.

use flate2::{Decompress, FlushDecompress, Status};

use super::{BodyFault, GZIP_RATIO_LIMIT};

/// The first bytes of a gzip stream (RFC 1952, 2.3.1).
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes that may be inflated before the ratio counts: small objects of
/// repeated records reach a high one honestly.
const RATIO_FREE: u64 = 1 << 20;

/// The room that is offered to one step.
const ROOM: usize = 64 << 10;

/// The window of every gzip stream, as a power of two (RFC 1951, 2).
const WINDOW_BITS: u8 = 15;

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a member.
    Member,
    /// After a member: another one, zeros or nothing may follow.
    Between,
    /// In the zeros after the last member, as tape tools write them.
    Padding,
}

/// A gzip stream of one or more members that is being inflated.
#[derive(Debug)]
pub struct Inflate {
    member: Decompress,
    place: Place,
    consumed: u64,
    inflated: u64,
}

/// What one step did.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that were used up.
    pub consumed: usize,
    /// What is wrong with the stream, if anything: then it ends here.
    pub fault: Option<BodyFault>,
}

impl Inflate {
    /// A stream that starts with [`GZIP_MAGIC`].
    pub fn new() -> Inflate {
        Inflate { member: member(), place: Place::Member, consumed: 0, inflated: 0 }
    }

    /// Inflates some of `input` to the end of `out`.
    ///
    /// What was inflated before a fault is in `out`. A step that uses up nothing
    /// and appends nothing needs more input.
    pub fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Step {
        let step = match self.place {
            Place::Member => self.inflate(input, out),
            Place::Between => self.look_on(input, out),
            Place::Padding => skip_zeros(input),
        };
        self.consumed += step.consumed as u64;
        let bomb = self.inflated > RATIO_FREE && self.inflated / GZIP_RATIO_LIMIT > self.consumed;
        Step { fault: step.fault.or(bomb.then_some(BodyFault::GzipRatio)), ..step }
    }

    /// What is wrong if there is no more input.
    pub fn end(&self) -> Option<BodyFault> {
        (self.place == Place::Member).then_some(BodyFault::GzipTruncated)
    }

    fn inflate(&mut self, input: &[u8], out: &mut Vec<u8>) -> Step {
        let (read, made) = (self.member.total_in(), self.member.total_out());
        let written = out.len();
        // No more than this at once, however much room there is: who asks decides
        // when a batch is full.
        out.resize(written + ROOM, 0);
        let status = self.member.decompress(input, &mut out[written..], FlushDecompress::None);
        // No step makes more than its room.
        out.truncate(written + (self.member.total_out() - made) as usize);
        self.inflated += (out.len() - written) as u64;
        if matches!(status, Ok(Status::StreamEnd)) {
            self.place = Place::Between;
        }
        // No step reads more than its input, which is in memory.
        let consumed = (self.member.total_in() - read) as usize;
        // A stream that stands still with input at hand never goes on.
        let still = consumed == 0 && out.len() == written && !input.is_empty();
        let corrupt = status.is_err() || still;
        Step { consumed, fault: corrupt.then_some(BodyFault::GzipCorrupt) }
    }

    fn look_on(&mut self, input: &[u8], out: &mut Vec<u8>) -> Step {
        match input.first() {
            None => Step { consumed: 0, fault: None },
            Some(&byte) if byte == GZIP_MAGIC[0] => {
                // `Decompress::reset` forgets that the stream has a gzip header.
                self.member = member();
                self.place = Place::Member;
                self.inflate(input, out)
            }
            Some(_) => {
                self.place = Place::Padding;
                skip_zeros(input)
            }
        }
    }
}

impl Default for Inflate {
    fn default() -> Inflate {
        Inflate::new()
    }
}

fn member() -> Decompress {
    Decompress::new_gzip(WINDOW_BITS)
}

fn skip_zeros(input: &[u8]) -> Step {
    let zeros = input.iter().take_while(|&&byte| byte == 0).count();
    Step { consumed: zeros, fault: (zeros < input.len()).then_some(BodyFault::GzipCorrupt) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gz(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate_all(packed: &[u8], chunk: usize) -> (Vec<u8>, Option<BodyFault>) {
        let (mut stream, mut out) = (Inflate::new(), Vec::new());
        for input in packed.chunks(chunk) {
            let mut rest = input;
            while !rest.is_empty() {
                let step = stream.step(rest, &mut out);
                rest = &rest[step.consumed..];
                if step.fault.is_some() {
                    return (out, step.fault);
                }
            }
        }
        loop {
            let before = out.len();
            let step = stream.step(&[], &mut out);
            if step.fault.is_some() {
                return (out, step.fault);
            }
            if out.len() == before {
                return (out, stream.end());
            }
        }
    }

    fn text() -> Vec<u8> {
        (0..400)
            .flat_map(|i| format!("{{\"id\":{i},\"x\":{}}}\n", i * i % 977).into_bytes())
            .collect()
    }

    #[test]
    fn what_follows_the_last_member_is_told_apart() {
        let plain = text();
        let one = gz(&plain);
        let with = |tail: &[u8]| [&one[..], tail].concat();
        let two = plain.repeat(2);
        for (packed, body, fault) in [
            (one.clone(), &plain, None),
            (with(&one), &two, None),
            (with(&[0; 700]), &plain, None),
            (with(&gz(b"")), &plain, None),
            (with(b"x"), &plain, Some(BodyFault::GzipCorrupt)),
            (with(b"\0\0x"), &plain, Some(BodyFault::GzipCorrupt)),
            (with(b"\x1f"), &plain, Some(BodyFault::GzipTruncated)),
            (with(b"\x1fx"), &plain, Some(BodyFault::GzipCorrupt)),
            (with(&one[..9]), &plain, Some(BodyFault::GzipTruncated)),
        ] {
            for chunk in [1, 2, 7, 4096] {
                let (got, end) = inflate_all(&packed, chunk);
                assert!(got == *body && end == fault, "{end:?} {} by {chunk}", got.len());
            }
        }
    }

    #[test]
    fn a_stream_cut_anywhere_keeps_what_it_gave() {
        let plain = text();
        let packed = gz(&plain);
        let mut longest = 0;
        for cut in 2..packed.len() {
            let (got, end) = inflate_all(&packed[..cut], 64);
            assert_eq!(end, Some(BodyFault::GzipTruncated), "cut at {cut}");
            assert!(plain.starts_with(&got), "cut at {cut}");
            assert!(got.len() >= longest, "cut at {cut}");
            longest = got.len();
        }
        assert_eq!(longest, plain.len(), "the trailer alone was missing");
    }

    #[test]
    fn a_damaged_byte_never_passes_and_keeps_what_came_before() {
        let plain = text();
        let packed = gz(&plain);
        let (mut kept, mut damaged) = (0, packed.clone());
        // The header's time, flags and system (bytes 4 to 9) are not checked.
        for at in (10..packed.len()).step_by(3) {
            damaged[at] ^= 0x55;
            let (got, end) = inflate_all(&damaged, 4096);
            assert!(end.is_some(), "byte {at}");
            kept = kept.max(got.iter().zip(&plain).take_while(|(a, b)| a == b).count());
            damaged[at] = packed[at];
        }
        assert_eq!(kept, plain.len());
    }

    #[test]
    fn a_bomb_is_stopped_soon_after_the_free_part() {
        let packed = gz(&vec![b' '; 64 << 20]);
        assert!(packed.len() < (64 << 20) / 1000);
        let (got, end) = inflate_all(&packed, 64 << 10);
        assert_eq!(end, Some(BodyFault::GzipRatio));
        assert!(got.len() < 8 << 20, "{}", got.len());
    }

    #[test]
    fn a_high_ratio_below_the_free_part_is_fine() {
        let plain = vec![b' '; 1 << 20];
        assert_eq!(inflate_all(&gz(&plain), 4096), (plain, None));
    }

    proptest! {
        #[test]
        fn any_body_comes_back(body: Vec<u8>, chunk in 1_usize..300) {
            prop_assert_eq!(inflate_all(&gz(&body), chunk), (body, None));
        }

        #[test]
        fn any_bytes_end(tail: Vec<u8>, chunk in 1_usize..300) {
            let packed = [&GZIP_MAGIC[..], &tail].concat();
            let (_, end) = inflate_all(&packed, chunk);
            prop_assert!(end.is_some());
        }
    }
}
