//! What came of a body, and what is missing of it.

use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt;
use object_store::{Error, GetResult};

/// The first bytes of what was asked for, or all of them.
#[derive(Debug)]
pub(super) struct Came {
    bytes: Vec<u8>,
    /// What of the object it is, once it is whole.
    range: Range<u64>,
    /// The ETag of the content that it is of.
    pub etag: Option<String>,
    /// The object's bytes.
    pub size: u64,
}

/// Why a body is not whole.
#[derive(Debug)]
pub(super) enum Cut {
    /// It broke off.
    Broken(Error),
    /// It ended early, or was too long, without an error.
    Short(Error),
}

impl Came {
    /// Reads an answer's body; what came of it, and why it is not all. It is in a
    /// buffer of its own: a small one would keep all of the connection's.
    pub(super) async fn read(answer: GetResult) -> (Came, Option<Cut>) {
        let range = answer.range.clone();
        let (etag, size) = (answer.meta.e_tag.clone(), answer.meta.size);
        let bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut came = Came { bytes, range, etag, size };
        let mut frames = answer.into_stream();
        while let Some(frame) = frames.next().await {
            match frame {
                Ok(frame) if frame.len() as u64 <= came.missing() => {
                    came.bytes.extend_from_slice(&frame);
                }
                Ok(_) => {
                    // Whatever it is, its start is not to be relied on.
                    came.bytes.clear();
                    return (came, Some(short("more bytes came than were announced".into())));
                }
                Err(_) if came.missing() == 0 => break,
                Err(e) => return (came, Some(Cut::Broken(e))),
            }
        }
        let (missing, got) = (came.missing(), came.bytes.len() as u64);
        let cut = (missing > 0).then(|| short(format!("{got} of {} bytes came", got + missing)));
        (came, cut)
    }

    fn missing(&self) -> u64 {
        let rest = self.rest();
        rest.end - rest.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What of the object is still to be asked for.
    pub(super) fn rest(&self) -> Range<u64> {
        self.range.start + self.bytes.len() as u64..self.range.end
    }

    /// Puts what came of the rest after what had come before.
    pub(super) fn after(self, before: Option<Came>) -> Came {
        match before {
            Some(mut before) => {
                before.bytes.extend_from_slice(&self.bytes);
                before
            }
            None => self,
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

fn short(why: String) -> Cut {
    Cut::Short(Error::Generic { store: "fetch", source: why.into() })
}
