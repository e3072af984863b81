//! Records by hand, in which every case is there that people count differently:
//! ties, even groups, nulls, rows drawn twice, ages at the bounds of groups.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::succeed;

const USER: &str = "0a1b2c3d4e5f";

/// Index, unique id, category, followers, poster. An empty text is null.
const PINS: &[(&str, &str, &str, &str, &str)] = &[
    ("1", "p1", "art", "1k", "Ana"),
    ("2", "p2", "art", "2k", "Bo"),
    // Drawn twice.
    ("2", "p2", "art", "2k", "Bo"),
    ("3", "p3", "music", "3k", "Cy"),
    ("3", "p3", "music", "3k", "Cy"),
    ("4", "p4", "art", "5k", "Di"),
    // Another row of the same index.
    ("4", "p4b", "music", "8k", "Ed"),
    ("5", "p5", "music", "", ""),
    ("6", "p6", "art", "", ""),
    ("7", "p7", "", "8k", "Flo"),
    ("8", "p8", "art", "9M", "Gil"),
    ("9", "p9", "music", "9M", "Hui"),
    ("11", "p11", "music", "4k", "Bo"),
    ("12", "p12", "tech", "10k", "Ana"),
    ("13", "p13", "art", "6k", "Ivo"),
    ("15", "p15", "tech", "1", "Jo"),
    // The post of another index.
    ("16", "p2", "art", "2k", "Bo"),
    // Without an index it joins nobody.
    ("", "p18", "tech", "11M", "Kai"),
    ("19", "p19", "art", "6k", "Lu"),
    ("20", "p20", "music", "7k", ""),
];

/// Index, country, time.
const PLACES: &[(&str, &str, &str)] = &[
    ("1", "Chad", "2018-01-01T00:00:00"),
    ("2", "Chad", "2018-12-31T23:59:59"),
    ("2", "Chad", "2018-12-31T23:59:59"),
    ("3", "Chad", "2018-06-01T12:00:00"),
    ("4", "Peru", "2019-02-02T02:02:02"),
    ("5", "Peru", "2019-03-03T03:03:03"),
    ("5", "Peru", "2019-03-03T03:03:03"),
    ("6", "", "2019-04-04T04:04:04"),
    ("7", "Peru", "2022-12-31T23:59:59"),
    ("8", "Oman", "2023-01-01T00:00:00"),
    ("9", "Fiji", "2017-12-31T23:59:59"),
    ("11", "Oman", "2020-05-05T05:05:05"),
    ("12", "Oman", ""),
    ("13", "Fiji", "2020-06-06T06:06:06"),
    ("15", "Niue", "2016-07-07T07:07:07"),
    ("16", "Chad", "2018-08-08T08:08:08"),
    ("", "Chad", "2018-09-09T09:09:09"),
    // Without a post.
    ("21", "Mali", "2018-09-09T09:09:09"),
    ("19", "Togo", "2021-10-10T10:10:10"),
    ("20", "Togo", "2021-10-10T10:10:10"),
];

/// Index, first and last name, age, date of joining.
const USERS: &[(&str, &str, &str, &str, &str)] = &[
    ("1", "Ann", "A", "17", "2015-10-01T00:00:00"),
    ("2", "Bob", "B", "18", "2015-12-31T23:59:59"),
    ("2", "Bob", "B", "18", "2015-12-31T23:59:59"),
    ("3", "Cat", "C", "24", "2016-01-01T00:00:00"),
    ("4", "Dan", "D", "25", "2016-06-01T00:00:00"),
    ("5", "Eve", "E", "35", "2017-03-03T00:00:00"),
    ("6", "Fay", "F", "36", "2017-01-01T00:00:00"),
    ("7", "Gus", "G", "50", "2017-05-05T00:00:00"),
    ("8", "Hal", "H", "51", "2017-06-06T00:00:00"),
    ("9", "Ida", "I", "", "2017-07-07T00:00:00"),
    // The first person again.
    ("10", "Ann", "A", "17", "2015-10-01T00:00:00"),
    // Others of the same name.
    ("11", "Bob", "B", "40", "2016-02-02T00:00:00"),
    ("17", "Ann", "A", "19", "2015-10-02T00:00:00"),
    ("12", "Jim", "J", "20", ""),
    // A person without a name.
    ("13", "", "M", "60", "2017-08-08T00:00:00"),
    // Without a post.
    ("14", "Kim", "K", "30", "2015-11-11T00:00:00"),
    ("18", "Max", "M", "18", "2017-09-09T00:00:00"),
    ("22", "Ned", "N", "36", "2017-09-09T00:00:00"),
    ("23", "Oda", "O", "25", "2017-09-09T00:00:00"),
    ("", "Lee", "L", "22", "2016-03-03T00:00:00"),
];

/// Writes the records and cleans them, into Delta tables in a folder.
pub fn clean(folder: &Path, out: &str) {
    let pins = PINS.iter().map(|(index, id, category, followers, poster)| {
        json!({
            "index": number(index), "unique_id": id, "category": text(category),
            "follower_count": text(followers), "poster_name": text(poster),
        })
    });
    let places = PLACES.iter().map(|(ind, country, time)| {
        json!({
            "ind": number(ind), "timestamp": text(time), "latitude": 1.5, "longitude": -2.5,
            "country": text(country),
        })
    });
    let users = USERS.iter().map(|(ind, first, last, age, joined)| {
        json!({
            "ind": number(ind), "first_name": text(first), "last_name": last,
            "age": number(age), "date_joined": text(joined),
        })
    });
    let tables: [(&str, Vec<Value>); 3] =
        [("pin", pins.collect()), ("geo", places.collect()), ("user", users.collect())];
    for (table, records) in tables {
        object(folder, table, &records);
    }
    succeed(folder, &["run", "--source", "by-hand", "--out", out, "--max-rejects", "0"]);
}

fn object(folder: &Path, table: &str, records: &[Value]) {
    let topic = format!("{USER}.{table}");
    let partition = folder.join(format!("by-hand/topics/{topic}/partition=0"));
    fs::create_dir_all(&partition).unwrap();
    let mut lines = String::new();
    for record in records {
        writeln!(lines, "{record}").unwrap();
    }
    fs::write(partition.join(format!("{topic}+0+0000000000.json")), lines).unwrap();
}

fn number(digits: &str) -> Value {
    digits.parse::<i64>().map_or(Value::Null, Value::from)
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}
