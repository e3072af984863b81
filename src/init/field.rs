//! One field of the sampled records: what its values are.

use sonic_rs::to_array_iter;

use super::records::Record;
use super::values::{Json, Reader, Values};

/// What was seen of a field.
#[derive(Debug, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Records that have it.
    pub present: u64,
    /// Those in which it is null.
    pub nulls: u64,
    /// Those in which it holds an object, or an array of other things than
    /// scalars: no column's type is like that.
    pub nested: u64,
    /// Those in which it holds an array of scalars.
    pub arrays: u64,
    /// The scalars.
    pub scalars: Values,
    /// The elements of the arrays.
    pub elements: Values,
    is_time: bool,
}

/// What was seen of all fields.
pub struct Fields {
    reader: Reader,
    /// In the order in which they appeared.
    pub list: Vec<Field>,
    /// Records.
    pub records: u64,
    /// Whether there are more than are in the list: keys that are data.
    pub more: bool,
}

/// How many fields are told apart.
pub const FIELDS: usize = 500;

impl Fields {
    /// Nothing seen yet.
    pub fn new() -> Fields {
        Fields { reader: Reader::new(), list: Vec::new(), records: 0, more: false }
    }

    /// Adds a record.
    pub fn add(&mut self, record: &Record<'_>) {
        self.records += 1;
        for (position, (name, json)) in record.fields.iter().enumerate() {
            match self.find(position, name) {
                Some(at) => self.list[at].add(json, &self.reader),
                None => self.more = true,
            }
        }
    }

    /// Fields mostly come in the same order.
    fn find(&mut self, position: usize, name: &str) -> Option<usize> {
        if self.list.get(position).is_some_and(|field| field.name == name) {
            return Some(position);
        }
        let known = self.list.iter().position(|field| field.name == name);
        if known.is_some() || self.list.len() == FIELDS {
            return known;
        }
        let is_time = names_a_time(name);
        self.list.push(Field { name: name.to_owned(), is_time, ..Field::default() });
        Some(self.list.len() - 1)
    }
}

impl Field {
    fn add(&mut self, json: &str, reader: &Reader) {
        self.present += 1;
        match json.as_bytes().first() {
            Some(b'n') => self.nulls += 1,
            Some(b'[') if self.elements(json, reader).is_some() => self.arrays += 1,
            Some(b'[' | b'{') => self.nested += 1,
            _ => add_scalar(&mut self.scalars, json, reader, self.is_time),
        }
    }

    fn elements(&mut self, array: &str, reader: &Reader) -> Option<()> {
        let elements: Option<Vec<String>> = to_array_iter(array)
            .map(|element| Some(element.ok()?.as_raw_str().trim_ascii().to_owned()))
            .collect();
        let elements = elements?;
        if elements.iter().any(|element| element.starts_with(['[', '{'])) {
            return None;
        }
        for element in elements.iter().filter(|element| *element != "null") {
            add_scalar(&mut self.elements, element, reader, false);
        }
        Some(())
    }

    /// Records in which it holds a value.
    pub fn filled(&self) -> u64 {
        self.present - self.nulls
    }
}

fn add_scalar(values: &mut Values, json: &str, reader: &Reader, is_time: bool) {
    if !json.starts_with('"') {
        values.add(Json::Bare(json), reader, is_time);
    } else if let Ok(text) = sonic_rs::from_str::<String>(json) {
        values.add(Json::Text(&text), reader, is_time);
    }
}

/// Whether a field of this name holds times, so that a number may be one.
fn names_a_time(name: &str) -> bool {
    let lower = name.to_lowercase();
    let words = ["ts", "at", "created", "updated", "modified", "joined", "expires", "when"];
    lower.contains("time")
        || lower.contains("date")
        || name.ends_with("At")
        || lower.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_field_tells_of_times() {
        for (name, expected) in [
            ("timestamp", true),
            ("date_joined", true),
            ("createdAt", true),
            ("created_at", true),
            ("ts", true),
            ("eventTime", true),
            ("attributes", false),
            ("format", false),
            ("index", false),
        ] {
            assert_eq!(names_a_time(name), expected, "{name}");
        }
    }
}
