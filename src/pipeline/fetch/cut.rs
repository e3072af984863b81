//! Cutting: the bytes of objects, as they come → batches of whole lines. Pure.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::{BodyFault, Piece, RawBatch};
use crate::pipeline::plan::Shard;

/// The UTF-8 byte order mark, which some tools put before the first line.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How large batches and lines may get.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutLimits {
    /// Bytes after which a batch is full.
    pub batch_bytes: usize,
    /// Pieces after which a batch is full.
    pub batch_pieces: usize,
    /// Lines after which a batch is full: a record takes room of its own in
    /// later stages, however short it is.
    pub batch_lines: usize,
    /// The longest line, without its line end.
    pub line: usize,
    /// The most bytes that are appended between two calls of [`Cutter::settle`].
    pub chunk: usize,
}

/// Collects the bytes of objects, one object after the other, and cuts them
/// after a line end when a batch is full.
///
/// It holds a batch, a chunk and one line at most.
#[derive(Debug)]
pub(super) struct Cutter {
    shard: Arc<Shard>,
    limits: CutLimits,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    sizes: Vec<u64>,
    open: Option<Open>,
    /// Line ends in the bytes, up to `counted`.
    lines: usize,
    counted: usize,
}

/// The object that is being collected. Places are indexes into the bytes.
#[derive(Debug)]
struct Open {
    object: usize,
    /// Whether a byte order mark was looked for.
    begun: bool,
    /// Where the piece under way starts.
    start: usize,
    /// Where the unfinished line starts.
    line: usize,
    /// What was searched for line ends.
    seen: usize,
    /// Lines and records before `start`.
    before: Count,
    /// The length of the unfinished line, once it is too long: from then on only
    /// its head is kept, from `start` on.
    too_long: Option<u64>,
}

/// Lines, and how many of them are not blank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    lines: u64,
    records: u64,
}

impl Cutter {
    pub(super) fn new(shard: Arc<Shard>, limits: CutLimits) -> Cutter {
        let bytes = Vec::with_capacity(limits.batch_bytes + limits.chunk);
        let (pieces, sizes) = (Vec::new(), Vec::new());
        Cutter { shard, limits, bytes, pieces, sizes, open: None, lines: 0, counted: 0 }
    }

    /// Starts an object.
    pub(super) fn begin(&mut self, object: usize) {
        let at = self.bytes.len();
        self.open = Some(Open {
            object,
            begun: false,
            start: at,
            line: at,
            seen: at,
            before: Count::default(),
            too_long: None,
        });
    }

    /// Where the object's next bytes are to be appended.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Looks at what was appended.
    pub(super) fn settle(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.begin(&self.bytes, false) {
            open.scan(&mut self.bytes, &mut self.pieces, self.limits.line);
        }
        let new = self.bytes.get(self.counted..).unwrap_or_default();
        self.lines += memchr_iter(b'\n', new).count();
        self.counted = self.bytes.len();
    }

    /// Ends the object. Its bytes, as stored, are `size`, or as listed.
    pub(super) fn end(&mut self, fault: Option<BodyFault>, size: Option<u64>) {
        self.settle();
        let Some(mut open) = self.open.take() else { return };
        self.sizes.push(size.unwrap_or(self.shard.objects[open.object].size));
        open.begin(&self.bytes, true);
        let piece = open.piece(open.start..self.bytes.len());
        self.pieces.push(Piece { cut: open.too_long, last: true, fault, ..piece });
    }

    /// Whether a batch should be taken.
    pub(super) fn is_full(&self) -> bool {
        let whole = self.open.as_ref().is_some_and(|open| open.line > open.start);
        let holds_some = whole || !self.pieces.is_empty();
        let large = self.bytes.len() >= self.limits.batch_bytes;
        let long = self.lines >= self.limits.batch_lines;
        self.pieces.len() >= self.limits.batch_pieces || holds_some && (large || long)
    }

    /// Takes what is complete; `None` if nothing is.
    pub(super) fn take(&mut self) -> Option<RawBatch> {
        let mut rest = self.bytes.len();
        if let Some(open) = &mut self.open {
            open.close_lines(&self.bytes, &mut self.pieces);
            rest = open.start;
            open.shift(rest);
        }
        let room = self.limits.batch_bytes.max(self.bytes.len() - rest) + self.limits.chunk;
        let mut next = Vec::with_capacity(room);
        next.extend_from_slice(&self.bytes[rest..]);
        let mut bytes = std::mem::replace(&mut self.bytes, next);
        bytes.truncate(rest);
        (self.lines, self.counted) = (0, 0);
        let pieces = std::mem::take(&mut self.pieces);
        let sizes = std::mem::take(&mut self.sizes);
        let shard = Arc::clone(&self.shard);
        (!pieces.is_empty()).then_some(RawBatch { shard, bytes, pieces, sizes })
    }
}

impl Open {
    /// Skips a byte order mark. False if that cannot be decided before more
    /// bytes, or the `end`, are there.
    fn begin(&mut self, bytes: &[u8], end: bool) -> bool {
        let head = &bytes[self.start..];
        if self.begun {
            return true;
        }
        if head.len() < BOM.len() && BOM.starts_with(head) && !end {
            return false;
        }
        if head.starts_with(BOM) {
            self.start += BOM.len();
            self.line = self.start;
            self.seen = self.start;
        }
        self.begun = true;
        true
    }

    /// Finds the line ends in what was appended, and takes out what is too long.
    fn scan(&mut self, bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>, limit: usize) {
        while self.seen < bytes.len() {
            if let Some(length) = self.too_long {
                self.skip(length, bytes, pieces);
            } else if bytes.len() - self.line <= limit {
                // No line in this can be too long: only the last end matters.
                if let Some(at) = memrchr(b'\n', &bytes[self.seen..]) {
                    self.line = self.seen + at + 1;
                }
                self.seen = bytes.len();
            } else {
                self.scan_line(bytes, pieces, limit);
            }
        }
    }

    /// Finds the next line end where a line may be too long.
    fn scan_line(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>, limit: usize) {
        let end = memchr(b'\n', &bytes[self.seen..]).map_or(bytes.len(), |at| self.seen + at);
        if end - self.line > limit {
            self.close_lines(bytes, pieces);
            self.seen = self.line + limit;
            self.too_long = Some(limit as u64);
        } else {
            // More than `limit` bytes are there, so that `end` is a line end.
            self.line = end + 1;
            self.seen = self.line;
        }
    }

    /// Drops the rest of a line that is too long, as far as it is there.
    fn skip(&mut self, length: u64, bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
        let end = memchr(b'\n', &bytes[self.seen..]);
        let rest = end.unwrap_or(bytes.len() - self.seen);
        let length = length + rest as u64;
        let Some(_) = end else {
            self.too_long = Some(length);
            bytes.truncate(self.seen);
            return;
        };
        bytes.drain(self.seen..=self.seen + rest);
        pieces.push(Piece { cut: Some(length), ..self.piece(self.start..self.seen) });
        self.before.lines += 1;
        self.before.records += 1;
        self.too_long = None;
        self.start = self.seen;
        self.line = self.seen;
    }

    /// Makes a piece of the whole lines that were collected. This is the only
    /// place where lines are counted: an object in one piece costs nothing.
    fn close_lines(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) {
        if self.line == self.start {
            return;
        }
        let range = self.start..self.line;
        pieces.push(self.piece(range.clone()));
        let count = count(&bytes[range]);
        self.before.lines += count.lines;
        self.before.records += count.records;
        self.start = self.line;
    }

    fn piece(&self, range: Range<usize>) -> Piece {
        Piece {
            object: self.object,
            range,
            lines_before: self.before.lines,
            records_before: self.before.records,
            cut: None,
            last: false,
            fault: None,
        }
    }

    fn shift(&mut self, by: usize) {
        self.start -= by;
        self.line -= by;
        self.seen -= by;
    }
}

/// Counts whole lines.
fn count(text: &[u8]) -> Count {
    let mut count = Count::default();
    let mut start = 0;
    for end in memchr_iter(b'\n', text) {
        count.lines += 1;
        count.records += u64::from(!text[start..end].trim_ascii_start().is_empty());
        start = end + 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, lines_of, model, shard};
    use super::*;

    fn cut(bodies: &[&[u8]], limits: CutLimits) -> Vec<RawBatch> {
        let mut cutter = Cutter::new(shard(bodies.len()), limits);
        let mut batches = Vec::new();
        for (object, body) in bodies.iter().enumerate() {
            cutter.begin(object);
            for chunk in body.chunks(limits.chunk) {
                cutter.buffer().extend_from_slice(chunk);
                cutter.settle();
                if cutter.is_full() {
                    batches.extend(cutter.take());
                }
            }
            cutter.end(None, None);
            if cutter.is_full() {
                batches.extend(cutter.take());
            }
        }
        batches.extend(cutter.take());
        batches
    }

    fn limits(batch_bytes: usize, line: usize, chunk: usize) -> CutLimits {
        CutLimits { batch_bytes, batch_pieces: 5, batch_lines: 100, line, chunk }
    }

    #[test]
    fn every_way_to_cut_gives_the_same_lines() {
        let bodies: [&[u8]; 10] = [
            b"",
            b"\n",
            b"a",
            b"a\n\n bb\r\n \t\r\nccc",
            b"\xef\xbb\xbfa\nb\n",
            b"\xef\xbb",
            b"\xef\xbb\xbf",
            b"0123456\n01234567\n012345678\n0123456789abcdef\n\nx\n",
            b"012345678",
            b"\xef\xbb\xbf01234567890123456789\n01234567890123456789",
        ];
        let expected: Vec<Seen> = model(&bodies, 8);
        for batch in 1..40 {
            for chunk in 1..40 {
                let batches = cut(&bodies, limits(batch, 8, chunk));
                assert_eq!(lines_of(&batches), expected, "batch {batch}, chunk {chunk}");
            }
        }
    }

    #[test]
    fn short_lines_fill_a_batch_by_their_number() {
        let body = b"1\n".repeat(1000);
        let batches = cut(
            &[&body],
            CutLimits { batch_pieces: 100, batch_lines: 4, ..limits(1 << 20, 8, 20) },
        );
        let lines = |batch: &RawBatch| memchr_iter(b'\n', &batch.bytes).count();
        assert_eq!(batches.iter().map(lines).sum::<usize>(), 1000);
        // A chunk of 20 bytes is 10 lines, and is settled as a whole.
        assert!(batches.iter().all(|batch| lines(batch) <= 10));
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole_and_one_more_is_cut() {
        for (body, cuts) in [
            (&b"12345678"[..], vec![None]),
            (b"12345678\n", vec![None]),
            (b"123456789", vec![Some(9)]),
            (b"123456789\n", vec![Some(9), None]),
            (b"a\n123456789\nb\n", vec![None, Some(9), None]),
        ] {
            let batches = cut(&[body], limits(1 << 10, 8, 1 << 10));
            let got: Vec<_> = batches[0].pieces.iter().map(|piece| piece.cut).collect();
            assert_eq!(got, cuts, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn an_object_without_a_line_end_stays_small() {
        let mut cutter = Cutter::new(shard(1), limits(1 << 10, 1 << 12, 1 << 8));
        cutter.begin(0);
        for _ in 0..1000 {
            cutter.buffer().extend_from_slice(&[b'x'; 1 << 8]);
            cutter.settle();
            assert!(!cutter.is_full());
            assert!(cutter.buffer().len() <= (1 << 12) + (1 << 8));
        }
        cutter.end(Some(BodyFault::ObjectTooLarge), None);
        let batch = cutter.take().unwrap();
        let [piece] = &batch.pieces[..] else { panic!("{:?}", batch.pieces) };
        assert_eq!((piece.range.clone(), piece.cut), (0..1 << 12, Some(256_000)));
        assert_eq!((piece.last, piece.fault), (true, Some(BodyFault::ObjectTooLarge)));
    }

    #[test]
    fn an_object_in_one_piece_follows_the_one_before() {
        let batches = cut(&[b"a\n", b"b\n", b"", b"c"], limits(1 << 10, 8, 8));
        let ranges: Vec<_> = batches[0].pieces.iter().map(|piece| piece.range.clone()).collect();
        assert_eq!(ranges, [0..2, 2..4, 4..4, 4..5]);
        assert!(batches[0].pieces.iter().all(|piece| piece.last && piece.lines_before == 0));
    }

    #[test]
    fn a_batch_is_full_by_its_number_of_objects_too() {
        let batches = cut(&[&b"a\n"[..]; 12], limits(1 << 10, 8, 8));
        let sizes: Vec<_> = batches.iter().map(|batch| batch.pieces.len()).collect();
        assert_eq!(sizes, [5, 5, 2]);
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_lines(
            texts in prop::collection::vec("[ax \r\n]{0,60}", 1..6),
            batch in 1_usize..50,
            chunk in 1_usize..50,
            line in 1_usize..20,
        ) {
            let bodies: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
            let batches = cut(&bodies, limits(batch, line, chunk));
            prop_assert_eq!(lines_of(&batches), model(&bodies, line));
            for batch_got in &batches {
                prop_assert!(batch_got.bytes.len() <= batch + chunk + line);
            }
        }
    }
}
