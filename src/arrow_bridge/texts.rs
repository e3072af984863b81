//! A column of texts that lie in a buffer already, without a copy of them.

use polars::prelude::{PlSmallStr, StringChunked};
use polars_arrow::array::{Utf8ViewArray, View};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

/// Arrow counts the bytes of a view's buffer in signed 32 bits.
const BUFFER_LIMIT: usize = i32::MAX as usize;

/// Texts that fit a view are in the view.
const INLINE: usize = View::MAX_INLINE_SIZE as usize;

/// A column of texts under way.
///
/// A text that is a part of the shared buffer is pointed at, any other is copied.
pub struct TextColumn {
    shared: Buffer<u8>,
    views: Vec<View>,
    /// As long as the views, once there is a null.
    validity: Option<MutableBitmap>,
    /// Texts of the column's own, and before them those that are full.
    own: Vec<u8>,
    full: Vec<Buffer<u8>>,
    /// Bytes of all texts.
    bytes: usize,
}

impl TextColumn {
    /// An empty column for about `rows` texts, most of which lie in `shared`.
    pub fn new(shared: &Buffer<u8>, rows: usize) -> TextColumn {
        // What a view cannot point at is copied like any other text.
        let shared = if shared.len() > BUFFER_LIMIT { Buffer::new() } else { shared.clone() };
        TextColumn {
            shared,
            views: Vec::with_capacity(rows),
            validity: None,
            own: Vec::new(),
            full: Vec::new(),
            bytes: 0,
        }
    }

    /// Appends a text. One of more than 2 GiB becomes null: no view can hold it.
    #[inline]
    pub fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let view = match bytes.len() {
            ..=INLINE => inline(bytes),
            _ => {
                let at = (bytes.as_ptr() as usize).wrapping_sub(self.shared.as_ptr() as usize);
                if at.checked_add(bytes.len()).is_some_and(|end| end <= self.shared.len()) {
                    View::new_from_bytes(bytes, 0, at as u32)
                } else if bytes.len() <= BUFFER_LIMIT {
                    self.copy(bytes)
                } else {
                    return self.push_null();
                }
            }
        };
        self.bytes += bytes.len();
        self.views.push(view);
        if let Some(validity) = &mut self.validity {
            validity.push(true);
        }
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        let before = self.views.len();
        self.views.push(View::default());
        let validity = self.validity.get_or_insert_with(|| {
            let mut validity = MutableBitmap::with_capacity(before + 1);
            validity.extend_constant(before, true);
            validity
        });
        validity.push(false);
    }

    fn copy(&mut self, bytes: &[u8]) -> View {
        if self.own.len() + bytes.len() > BUFFER_LIMIT {
            self.full.push(std::mem::take(&mut self.own).into());
        }
        let at = self.own.len() as u32;
        self.own.extend_from_slice(bytes);
        // The shared buffer is the first, the full ones are next.
        View::new_from_bytes(bytes, 1 + self.full.len() as u32, at)
    }

    /// The finished column.
    #[allow(unsafe_code, reason = "the safe constructor reads every text once more")]
    pub fn finish(mut self, name: PlSmallStr) -> StringChunked {
        let mut buffers = vec![self.shared];
        buffers.append(&mut self.full);
        buffers.push(self.own.into());
        let held = buffers.iter().map(|buffer| buffer.len()).sum();
        // SAFETY: a view is made by `push` and `push_null` alone. It holds the
        // bytes of a `str`, or says where they lie in one of these buffers, in
        // this order: where `copy` put them, or in `shared`, if the `str` lay
        // within its memory. Nothing else can lie there, as `self` has held that
        // buffer all the time, and nothing can have changed there since, as a
        // buffer that is held is not written to. So all views are in bounds and
        // UTF-8. Whoever pushes a view pushes its bit too, if there are bits.
        let array = unsafe {
            Utf8ViewArray::new_unchecked(
                ArrowDataType::Utf8View,
                self.views.into(),
                Buffer::from(buffers),
                self.validity.map(Into::into),
                Some(self.bytes),
                held,
            )
        };
        StringChunked::with_chunk(name, array)
    }
}

/// A view that holds at most [`INLINE`] bytes.
#[inline]
fn inline(bytes: &[u8]) -> View {
    // The words overlap, so that no length takes a loop or a call.
    let (low, high) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let rest = (bytes.len() - 8) * 8;
            let last = u64::from_le_bytes(*last);
            (u64::from_le_bytes(*first), last.checked_shr(64 - rest as u32).unwrap_or(0) as u32)
        }
        _ => (short(bytes), 0),
    };
    View {
        length: bytes.len() as u32,
        prefix: (low as u32).to_le(),
        buffer_idx: ((low >> 32) as u32).to_le(),
        offset: high.to_le(),
    }
}

/// Fewer than eight bytes as a number, the first one lowest.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let shift = (bytes.len() - 4) * 8;
        return u64::from(u32::from_le_bytes(*first))
            | u64::from(u32::from_le_bytes(*last)) << shift;
    }
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_view_holds_the_bytes_and_zeros() {
        let text = b"abcdefghijkl";
        for length in 0..=INLINE {
            let text = &text[..length];
            assert_eq!(inline(text), View::new_inline(text), "{length}");
        }
    }

    #[test]
    fn texts_come_back_whether_they_are_shared_copied_short_or_null() {
        let shared = Buffer::from("0123456789abcdéfghijklmnop".as_bytes().to_vec());
        let whole = std::str::from_utf8(&shared).unwrap();
        let other = "a text that lies elsewhere";
        let texts = [
            Some(&whole[3..]),
            Some(""),
            Some(other),
            None,
            Some(whole),
            Some(&whole[14..16]),
            Some(&whole[1..13]),
            Some(&whole[1..14]),
            None,
            Some(&other[2..]),
        ];
        for start in 0..texts.len() {
            let texts = &texts[start..];
            let mut column = TextColumn::new(&shared, 0);
            for text in texts {
                match text {
                    Some(text) => column.push(text),
                    None => column.push_null(),
                }
            }
            let column = column.finish("c".into());
            assert_eq!(column.iter().collect::<Vec<_>>(), texts);
            assert_eq!(column.null_count(), texts.iter().filter(|text| text.is_none()).count());
            let array = column.downcast_iter().next().unwrap();
            array.to_binview().validate_utf8().unwrap();
            let bytes: usize = texts.iter().flatten().map(|text| text.len()).sum();
            assert_eq!(array.total_bytes_len(), bytes);
        }
    }

    #[test]
    fn a_part_of_the_shared_buffer_is_not_copied() {
        let shared = Buffer::from(b"a text of more than twelve bytes".to_vec());
        let mut column = TextColumn::new(&shared, 1);
        column.push(std::str::from_utf8(&shared[2..]).unwrap());
        let column = column.finish("c".into());
        let array = column.downcast_iter().next().unwrap();
        assert_eq!(array.value(0).as_ptr(), shared[2..].as_ptr());
    }
}
