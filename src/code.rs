//! Reject codes: why a record or a value was not taken.

/// Why a record or value was rejected. Its text is stable: it is in the
/// quarantine and the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Not JSON, or cut short.
    InvalidJson,
    /// JSON, and more after it.
    TrailingText,
    /// JSON, but an array, number, string, boolean or null.
    NotAnObject,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// An escape that is no character, such as a lone surrogate.
    InvalidEscape,
    /// A field that is there twice.
    DuplicateKey,
    /// Nested deeper than 128.
    TooDeep,
    /// A line of over 16 MiB.
    TooLong,
    /// None of the transform's fields.
    NoKnownField,
    /// The gzip stream ended early.
    GzipTruncated,
    /// The gzip stream is damaged.
    GzipCorrupt,
    /// The gzip stream inflates more than 1,000 times.
    GzipRatio,
    /// The object is larger than 1 GiB.
    ObjectTooLarge,
    /// The object was listed and is gone.
    ObjectGone,
    /// Not of the column's type.
    Type,
    /// Of the column's type, but too large or too small for it, or with more digits
    /// than it keeps.
    Overflow,
    /// NaN or an infinity.
    NotFinite,
    /// A timestamp or date in none of the formats.
    Format,
    /// Outside the column's range.
    Range,
    /// Not among the allowed values.
    NotAllowed,
    /// Null in a required column.
    Required,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 21] = [
        Code::InvalidJson,
        Code::TrailingText,
        Code::NotAnObject,
        Code::InvalidUtf8,
        Code::InvalidEscape,
        Code::DuplicateKey,
        Code::TooDeep,
        Code::TooLong,
        Code::NoKnownField,
        Code::GzipTruncated,
        Code::GzipCorrupt,
        Code::GzipRatio,
        Code::ObjectTooLarge,
        Code::ObjectGone,
        Code::Type,
        Code::Overflow,
        Code::NotFinite,
        Code::Format,
        Code::Range,
        Code::NotAllowed,
        Code::Required,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidJson => "invalid_json",
            Code::TrailingText => "trailing_text",
            Code::NotAnObject => "not_an_object",
            Code::InvalidUtf8 => "invalid_utf8",
            Code::InvalidEscape => "invalid_escape",
            Code::DuplicateKey => "duplicate_key",
            Code::TooDeep => "too_deep",
            Code::TooLong => "too_long",
            Code::NoKnownField => "no_known_field",
            Code::GzipTruncated => "gzip_truncated",
            Code::GzipCorrupt => "gzip_corrupt",
            Code::GzipRatio => "gzip_ratio",
            Code::ObjectTooLarge => "object_too_large",
            Code::ObjectGone => "object_gone",
            Code::Type => "type",
            Code::Overflow => "overflow",
            Code::NotFinite => "not_finite",
            Code::Format => "format",
            Code::Range => "range",
            Code::NotAllowed => "not_allowed",
            Code::Required => "required",
        }
    }

    /// Whether a reject of this code keeps all bytes of its record: it can be
    /// cleaned again.
    pub fn keeps_record(self) -> bool {
        !matches!(
            self,
            Code::TooLong
                | Code::GzipTruncated
                | Code::GzipCorrupt
                | Code::GzipRatio
                | Code::ObjectTooLarge
                | Code::ObjectGone
        )
    }

    /// The code of a stable name.
    pub fn parse(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_found_by_its_name() {
        for (i, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert_eq!(code as usize, i, "ALL is in the order of the variants");
        }
        assert_eq!(Code::parse("nonsense"), None);
    }
}
