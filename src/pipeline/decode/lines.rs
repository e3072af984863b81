//! The lines of a piece.

use std::ops::Range;

use memchr::memchr;

use super::record;
use crate::pipeline::fetch::{BodyFault, Piece, RawBatch};

/// One line of a piece.
pub(super) struct PieceLine<'t> {
    /// Its text, without the white space around it.
    pub text: &'t [u8],
    /// Where the text lies in the batch.
    pub range: Range<usize>,
    /// Where the next line begins.
    pub next: usize,
    /// Whether it is a record: it is not blank.
    pub is_record: bool,
    /// What cut the line off, if it has no end.
    pub fault: Option<BodyFault>,
    /// Whether these are all bytes of the record.
    pub is_whole: bool,
}

impl<'t> PieceLine<'t> {
    /// The line that begins at a place of the batch's bytes.
    pub fn at(bytes: &'t [u8], piece: &Piece, start: usize) -> PieceLine<'t> {
        let rest = &bytes[start..piece.range.end];
        let end = memchr(b'\n', rest);
        let (line, next) = match end {
            Some(end) => (&rest[..end], start + end + 1),
            None => (rest, piece.range.end),
        };
        let text = record::trim(line);
        let indent = start + record::range_in(line, text).start;
        let fault = (end.is_none()).then_some(piece.fault).flatten();
        // An object that the fault did not cut off has its closing brace.
        let is_cut_off = fault.is_some() && !(text.ends_with(b"}") && record::check(text).is_ok());
        PieceLine {
            text,
            range: indent..indent + text.len(),
            next,
            is_record: !line.trim_ascii().is_empty() || piece.cut.is_some(),
            fault,
            is_whole: piece.cut.is_none() && !is_cut_off,
        }
    }
}

/// Visits the records of a piece that are whole: their offsets and texts.
pub(super) fn whole_records(raw: &RawBatch, piece: &Piece, mut record: impl FnMut(u64, &[u8])) {
    let mut offset = raw.object(piece).start + piece.records_before;
    let mut start = piece.range.start;
    while start < piece.range.end {
        let line = PieceLine::at(&raw.bytes, piece, start);
        if line.is_record {
            if line.is_whole {
                record(offset, line.text);
            }
            offset += 1;
        }
        start = line.next;
    }
}
