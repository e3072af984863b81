//! Records and objects, written by hand and read without pinclean.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

pub const GEO: &str = "u.geo";
pub const PIN: &str = "u.pin";

/// A sound record of the geo topic.
pub fn geo(ind: u64) -> String {
    format!(
        r#"{{"ind":{ind},"timestamp":"2018-05-27 02:07:31","latitude":1.5,"longitude":-2.5,"country":"Peru"}}"#
    )
}

/// Sound records of the geo topic, a line each.
pub fn geos(inds: impl IntoIterator<Item = u64>) -> String {
    inds.into_iter().map(|ind| geo(ind) + "\n").collect()
}

/// A record of the pin topic with so many followers.
pub fn pin(ind: u64, followers: &str) -> String {
    format!(r#"{{"index":{ind},"unique_id":"{ind:x}","follower_count":"{followers}"}}"#)
}

/// The key of an object of the default partitioner.
pub fn key(topic: &str, partition: u32, start: u64) -> String {
    format!("topics/{topic}/partition={partition}/{topic}+{partition}+{start:010}.json")
}

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What an object holds, as far as it can be read.
pub fn plain(body: &[u8]) -> Vec<u8> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return body.to_vec();
    }
    let mut text = Vec::new();
    // A stream that was cut gives what comes before the cut.
    _ = GzDecoder::new(body).read_to_end(&mut text);
    text
}

/// The numbers of the records in a line, also of those in envelopes.
pub fn inds(line: &[u8]) -> Vec<i64> {
    let line = String::from_utf8_lossy(line).replace('\\', "");
    let after = |name: &str| -> Vec<i64> {
        let rests = line.split(name).skip(1);
        let digits = rests.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
        digits.filter_map(|digits| digits.parse().ok()).collect()
    };
    [after("\"ind\":"), after("\"index\":")].concat()
}
