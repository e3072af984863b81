//! The names of fields that may hold the record of an envelope.

/// A field that wraps a record, if no column reads it.
///
/// If two of them hold as much of a table's fields, the first of these is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// The records of a request to Kafka's REST proxy.
    Records,
    /// The record of Connect's JsonConverter, or a change event.
    Payload,
    /// The record beside its key, offset or timestamp.
    Value,
    /// The record of a Kinesis request.
    Data,
    /// The row of a change event after the change.
    After,
    /// The row of a change event before the change. It is never opened: it only
    /// shows that the event is a deletion.
    Before,
}

impl Wrapper {
    /// All of them.
    pub const ALL: [Wrapper; 6] = [
        Wrapper::Records,
        Wrapper::Payload,
        Wrapper::Value,
        Wrapper::Data,
        Wrapper::After,
        Wrapper::Before,
    ];

    /// The field's name.
    pub fn name(self) -> &'static str {
        match self {
            Wrapper::Records => "records",
            Wrapper::Payload => "payload",
            Wrapper::Value => "value",
            Wrapper::Data => "Data",
            Wrapper::After => "after",
            Wrapper::Before => "before",
        }
    }

    /// Returns whether the JSON value at the start of a text can hold a record, or
    /// say that there is none. Looks at two bytes, and is true if in doubt.
    #[inline]
    pub fn may_hold(self, json: &[u8]) -> bool {
        match json {
            [b'{', ..] => true,
            [b'[', ..] => self == Wrapper::Records,
            [b'n', ..] => self != Wrapper::Before,
            // JSON text: an object, perhaps behind white space or an escape. Or
            // an empty string.
            [b'"', b'{' | b' ' | b'\\' | b'"', ..] => true,
            _ => false,
        }
    }
}
