//! JSON strings.

use std::borrow::Cow;

use memchr::memchr;
use sonic_rs::JsonInput;

/// The text of a JSON string, unescaped; `None` if an escape is no character.
pub fn unescape(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(inner.into());
    }
    let bytes = json.to_json_slice();
    sonic_rs::from_slice::<String>(bytes.as_ref()).ok().map(Into::into)
}
