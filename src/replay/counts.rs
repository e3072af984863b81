//! What became of open rejects.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// What became of the open rejects of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open rejects read.
    pub open: u64,
    /// Rejects that land.
    pub landed: u64,
    /// Rows that they give.
    pub rows: u64,
    /// Rejects that stay, by code and column; the column is empty if the record
    /// as a whole is wrong.
    pub codes: BTreeMap<(String, String), u64>,
    /// Those among them that have no id: they are older than ids are.
    pub without_id: u64,
}

impl Counts {
    /// Rejects that stay.
    pub fn stayed(&self) -> u64 {
        self.codes.values().sum()
    }

    /// Counts a reject that stays.
    pub(super) fn stay(&mut self, code: &str, column: Option<&str>) {
        let key = (code.to_owned(), column.unwrap_or_default().to_owned());
        *self.codes.entry(key).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: Counts) {
        self.open += other.open;
        self.landed += other.landed;
        self.rows += other.rows;
        self.without_id += other.without_id;
        for (key, n) in other.codes {
            *self.codes.entry(key).or_default() += n;
        }
    }

    /// Proves that no reject was lost or doubled. The files hold so many rows and
    /// so many different ids.
    ///
    /// # Errors
    /// [`Error::Balance`] if the sum does not hold; [`Error::Internal`] if the
    /// counts and the files disagree.
    pub(super) fn balance(&self, table: &str, (rows, ids): (u64, u64)) -> Result<()> {
        let stayed = self.stayed();
        if self.open != self.landed + stayed {
            return Err(Error::Balance {
                table: table.to_owned(),
                read: self.open,
                written: self.landed,
                quarantined: stayed,
                duplicate: 0,
            });
        }
        if (rows, ids) != (self.rows, self.landed) {
            let (counted, landed) = (self.rows, self.landed);
            let message = format!(
                "{table}: {rows} rows in files for {counted}, {ids} ids for {landed} rejects"
            );
            return Err(Error::Internal { stage: "replay", message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_that_is_lost_or_doubled_stops_the_commit() {
        let mut counts = Counts { open: 5, landed: 3, rows: 4, ..Counts::default() };
        counts.stay("type", Some("ind"));
        assert!(matches!(counts.balance("pin", (4, 3)), Err(Error::Balance { .. })));
        counts.stay("type", None);
        counts.balance("pin", (4, 3)).unwrap();
        for files in [(3, 3), (4, 2), (5, 3), (4, 4)] {
            assert!(matches!(counts.balance("pin", files), Err(Error::Internal { .. })));
        }
    }
}
