//! Comma-separated values.

use polars::prelude::DataFrame;

use super::{internal, text};
use crate::Result;

pub(super) fn render(frame: &DataFrame) -> Result<String> {
    // A line without a field is nothing to a reader of CSV.
    if frame.width() == 0 {
        return Ok(String::new());
    }
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let names = frame.columns().iter().map(|column| column.name().as_str());
    writer.write_record(names).map_err(internal)?;
    for row in text::rows(frame) {
        let cells = row.iter().map(|value| value.as_deref().unwrap_or_default());
        writer.write_record(cells).map_err(internal)?;
    }
    let bytes = writer.into_inner().map_err(internal)?;
    String::from_utf8(bytes).map_err(internal)
}
