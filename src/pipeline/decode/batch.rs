//! One batch of lines under way.

use super::cells::Cells;
use super::columns::Columns;
use super::envelope;
use super::fields::Fields;
use super::lines::PieceLine;
use super::overlap::{Bounds, Overlap, Standing};
use super::{Bad, DecodeCounts, Held, Origin, Reject, SlotFault, object_code, record};
use crate::code::Code;
use crate::pipeline::fetch::{BodyFault, Piece};

/// One batch under way.
pub(super) struct Batch<'a> {
    pub fields: &'a mut Fields,
    pub overlap: &'a mut Overlap,
    pub cells: Cells,
    pub columns: Columns,
    pub rows: Vec<Origin>,
    pub faults: Vec<SlotFault>,
    pub rejects: Vec<Reject>,
    pub counts: DecodeCounts,
    pub unescaped: Vec<u8>,
    /// Bytes of the raw batch; origins past it are in `unescaped`.
    pub held: usize,
}

impl Batch<'_> {
    /// Takes a piece. `whole` is the batch, if it is UTF-8 throughout.
    pub fn piece(&mut self, raw: &Held, piece: &Piece, whole: Option<&str>) {
        let object = &raw.shard.objects[piece.object];
        let quick = whole.and_then(|whole| whole.get(..piece.range.end));
        let quick = quick.filter(|_| piece.cut.is_none());
        let bounds = self.overlap.bounds(&raw.shard, piece.object);
        let mut at = Origin {
            object: piece.object as u32,
            line: piece.lines_before,
            offset: object.start + piece.records_before,
            start: piece.range.start,
            len: 0,
        };
        while at.start < piece.range.end {
            at.line += 1;
            if let Some(rest) = quick.and_then(|text| text.get(at.start..))
                && let Some(next) = self.quick(rest, at, &bounds)
            {
                at = Origin { offset: at.offset + 1, start: at.start + next, ..at };
                continue;
            }
            let line = PieceLine::at(&raw.bytes, piece, at.start);
            if line.is_record {
                let origin = Origin { start: line.range.start, len: line.range.len(), ..at };
                self.line(&line, origin, (piece, &bounds));
                at.offset += 1;
            }
            at.start = line.next;
        }
        if let Some(fault) = piece.fault {
            self.object_fault(fault, Origin { line: 0, start: 0, len: 0, ..at });
        }
        if piece.last {
            self.counts.ended.push((piece.object, at.offset - object.start));
        }
    }

    /// Takes the record at the start of a text, if it is a usual one on a line of
    /// its own, and gives the start of the next line.
    fn quick(&mut self, rest: &str, at: Origin, bounds: &Bounds) -> Option<usize> {
        let len = self.cells.walk(rest, self.fields)?;
        let (text, end) = rest.split_at_checked(len)?;
        let next = match end.as_bytes() {
            [] => len,
            [b'\n', ..] => len + 1,
            [b'\r', b'\n', ..] => len + 2,
            _ => return None,
        };
        let standing = self.overlap.meet(bounds, at.offset, text.as_bytes());
        if self.is_kept(standing) {
            self.take(text, Origin { len, ..at });
        }
        Some(next)
    }

    fn line(&mut self, line: &PieceLine<'_>, origin: Origin, (piece, bounds): (&Piece, &Bounds)) {
        let text = line.text;
        let standing = match line.is_whole {
            true => self.overlap.meet(bounds, origin.offset, text),
            false => self.overlap.meet_unproven(bounds, origin.offset),
        };
        if !self.is_kept(standing) {
            return;
        }
        if let Some(length) = piece.cut {
            let message = format!("a line of {length} bytes; the first {} are kept", text.len());
            self.reject(origin, Bad { code: Code::TooLong, message }, text);
        } else if let Some(fault) = line.fault
            && record::check(text).is_err()
        {
            // A line that the fault cut off is one record with the fault's code.
            self.reject(origin, Bad::of_object(fault), text);
        } else {
            envelope::open(self, text, origin);
        }
    }

    /// Whether a record is kept; counts one that is not.
    #[inline]
    fn is_kept(&mut self, standing: Standing) -> bool {
        match standing {
            Standing::New => true,
            Standing::Duplicate => {
                self.counts.read += 1;
                self.counts.duplicate += 1;
                false
            }
            Standing::Contradiction => {
                self.counts.contradicted = true;
                true
            }
        }
    }

    fn object_fault(&mut self, fault: BodyFault, origin: Origin) {
        let told = self.rejects.last().is_some_and(|reject| {
            reject.object == origin.object && reject.code == object_code(fault) && reject.line > 0
        });
        if !told {
            self.reject(origin, Bad::of_object(fault), &[]);
        }
    }

    /// The record in the cells becomes a row.
    #[inline]
    pub fn take(&mut self, text: &str, origin: Origin) {
        self.cells.count_unknown(self.fields);
        self.counts.read += 1;
        let row = self.rows.len();
        self.columns.push(&self.cells, text, &mut |slot, code, value| {
            self.faults.push(SlotFault { row, slot, code, value });
        });
        self.rows.push(origin);
    }

    pub fn reject(&mut self, origin: Origin, bad: Bad, text: &[u8]) {
        self.counts.read += 1;
        self.rejects.push(Reject {
            object: origin.object,
            line: origin.line,
            offset: origin.offset,
            column: None,
            code: bad.code,
            message: bad.message,
            raw: text.to_vec(),
        });
    }
}
