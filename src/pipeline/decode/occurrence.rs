//! Which fields were there at all.

use std::collections::BTreeSet;

use polars::prelude::DataFrame;

use super::SlotFault;
use super::cells::Cells;
use super::fields::Fields;

/// Returns the slots whose field was in some record of a batch: with a value, with one
/// that its slot does not take, or as null. It looks at whole columns, as a look at each
/// record would slow the walk down.
pub fn slots(
    frame: &DataFrame,
    faults: &[SlotFault],
    cells: &Cells,
    fields: &Fields,
) -> BTreeSet<usize> {
    let columns = frame.columns().iter().take(fields.slots).enumerate();
    let with_values = columns.filter(|(_, column)| column.null_count() < column.len());
    let with_faults = faults.iter().map(|fault| fault.slot);
    with_values.map(|(slot, _)| slot).chain(with_faults).chain(cells.null_slots(fields)).collect()
}

#[cfg(test)]
mod tests {
    use crate::spec::parse;
    use crate::trial::Trial;

    const TRANSFORM: &str = "version = 1\ntable = \"t\"\ntopics = [\"t\"]\n\
        [[column]]\nname = \"a\"\ntype = \"int32\"\nfield = [\"a\", \"x\"]\n\
        [[column]]\nname = \"b\"\ntype = \"string\"\nfield = \"b\"\n\
        [[column]]\nname = \"c\"\ntype = \"list<int32>\"\nfield = \"c\"\n\
        [[column]]\nname = \"n\"\ntype = \"int32\"\nfield = \"n\"\nnull_values = [\"-\"]\n";

    #[test]
    fn a_field_is_there_with_a_value_or_a_wrong_one_or_as_null() {
        let spec = parse("t.toml", TRANSFORM).unwrap();
        let cases: [(&str, &[&str]); 11] = [
            ("", &[]),
            ("{\"a\":1}", &["a"]),
            ("{\"x\":1}", &["a"]),
            ("{\"a\":null}", &["a"]),
            ("{\"x\":null,\"b\":\"\"}", &["a", "b"]),
            ("{\"a\":{}}", &["a"]),
            ("{\"a\":1,\"c\":7}", &["a", "c"]),
            ("{\"a\":1,\"c\":[]}\n{\"b\":\"y\"}", &["a", "b", "c"]),
            ("{\"a\":1,\"B\":2,\"cc\":3}", &["a"]),
            ("{\"a\":1,\"n\":\"-\"}", &["a", "n"]),
            // Of a record that is wrapped the fields inside count.
            ("{\"value\":{\"b\":\"y\"},\"key\":1}", &["b"]),
        ];
        for (lines, expected) in cases {
            let batch = Trial::new(&spec).unwrap().run(lines.as_bytes()).unwrap();
            let names: Vec<&str> =
                batch.counts.slots.iter().map(|slot| spec.slots[*slot].names[0].as_str()).collect();
            assert_eq!(names, expected, "{lines}");
        }
    }
}
