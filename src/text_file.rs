//! Texts that people write into files.

/// The text of a file: UTF-8, without the mark that some editors of Windows put
/// at its beginning.
///
/// # Errors
/// What is wrong, in words.
pub fn decode(bytes: Vec<u8>) -> Result<String, &'static str> {
    let mut text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8")?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_at_the_beginning_is_no_text() {
        for (bytes, text) in
            [("é", "é"), ("\u{feff}é\u{feff}", "é\u{feff}"), ("\u{feff}", ""), ("", "")]
        {
            assert_eq!(decode(bytes.into()), Ok(text.to_owned()), "{bytes:?}");
        }
        assert_eq!(decode(b"\xff".to_vec()), Err("it is no UTF-8"));
    }
}
