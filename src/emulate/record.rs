//! One record of each table: what it says, and its bytes.

use super::draw::{Draw, Stream, scale};
use super::moment::{JOINED, Moment, POSTED};
use super::text::{self, decimal, hex};
use super::words::{CATEGORIES, COUNTRIES, FIRST_NAMES, LAST_NAMES};

/// The tables of the documented pipeline; a topic is named `<user>.<table>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Pin,
    Geo,
    User,
}

impl Table {
    pub const ALL: [Table; 3] = [Table::Pin, Table::Geo, Table::User];

    pub fn name(self) -> &'static str {
        match self {
            Table::Pin => "pin",
            Table::Geo => "geo",
            Table::User => "user",
        }
    }

    /// The field that the field partitioner names directories after.
    pub fn partition_field(self) -> &'static str {
        match self {
            Table::Pin => "category",
            Table::Geo => "country",
            Table::User => "age",
        }
    }

    /// About how many bytes a record has.
    pub fn mean_record(self) -> u64 {
        match self {
            Table::Pin => 720,
            Table::Geo => 115,
            Table::User => 105,
        }
    }
}

/// What a record's directory can be named after.
pub(super) struct Facts {
    /// When it was posted; of a user, when they joined.
    pub moment: Moment,
    /// The value of the table's partition field.
    pub value: Value,
}

/// The value of a partition field.
pub(super) enum Value {
    Text(&'static str),
    Number(u32),
}

/// Which record: all that it depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub table: Table,
    pub seed: u64,
    /// Row of the table's endless stream; below 2^31.
    pub row: u64,
}

/// Appends a record and a newline.
///
/// One row in ten repeats an earlier row, as a producer does that replays its
/// draws after a restart; the three tables repeat the same rows.
pub(super) fn write(place: Place, out: &mut Vec<u8>) -> Facts {
    let seed = place.seed;
    let subject = subject(seed, place.row);
    let facts = match place.table {
        Table::Pin => pin(seed, subject, out),
        Table::Geo => geo(seed, subject, out),
        Table::User => user(seed, subject, out),
    };
    out.push(b'\n');
    facts
}

/// Which subject a row shows: itself, or an earlier one.
fn subject(seed: u64, row: u64) -> u64 {
    let mut draw = Draw::new(seed, Stream::Subject, row);
    if draw.chance(1050) { earlier(&mut draw, row) } else { row }
}

/// One of the numbers below `number`; 0 if there is none. Numbers are below 2^31.
fn earlier(draw: &mut Draw, number: u64) -> u64 {
    u64::from(scale(draw.bits(), number as u32))
}

/// The key that joins the tables: unique to the subject and out of order, as
/// rows drawn at random from a table are. A bijection in blocks of 2^14.
fn ind(subject: u64) -> u64 {
    const BLOCK: u64 = 1 << 14;
    let place = subject % BLOCK;
    subject - place + (place * 9_973 + 4_357) % BLOCK
}

fn pin(seed: u64, subject: u64, out: &mut Vec<u8>) -> Facts {
    let mut draw = Draw::new(seed, Stream::Pin, subject);
    let draw = &mut draw;
    let kind = Kind::draw(draw);
    out.extend_from_slice(b"{\"index\":");
    decimal(ind(subject), 1, out);
    out.extend_from_slice(b",\"unique_id\":\"");
    text::uuid(draw, out);
    out.extend_from_slice(b"\",\"title\":\"");
    match (kind.unknown_user, draw.chance(4)) {
        (true, _) => out.extend_from_slice(b"No Title Data Available"),
        (false, true) => {}
        (false, false) => text::title(draw, out),
    }
    out.extend_from_slice(b"\",\"description\":\"");
    match kind.media {
        Media::Story => out.extend_from_slice(b"No description available Story format"),
        _ if draw.chance(160) => out.extend_from_slice(b"No description available"),
        _ => text::description(draw, out),
    }
    out.extend_from_slice(b"\",\"poster_name\":\"");
    if kind.unknown_user {
        out.extend_from_slice(b"User Info Error\",\"follower_count\":\"User Info Error");
    } else {
        text::poster(draw, out);
        out.extend_from_slice(b"\",\"follower_count\":\"");
        text::followers(draw, out);
    }
    out.extend_from_slice(b"\",\"tag_list\":\"");
    if kind.unknown_user || draw.chance(84) {
        out.extend_from_slice(b"N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e");
    } else {
        text::tags(draw, out);
    }
    out.extend_from_slice(b"\",\"is_image_or_video\":\"");
    out.extend_from_slice(match kind.media {
        Media::Image => b"image",
        Media::Video => b"video",
        Media::Story => b"multi-video(story page format)".as_slice(),
    });
    out.extend_from_slice(b"\",\"image_src\":\"");
    image(&kind, draw, out);
    out.extend_from_slice(b"\",\"downloaded\":");
    out.push(if kind.downloaded { b'1' } else { b'0' });
    let category = draw.pick(CATEGORIES);
    out.extend_from_slice(b",\"save_location\":\"Local save in /data/");
    out.extend_from_slice(category.as_bytes());
    out.extend_from_slice(b"\",\"category\":\"");
    out.extend_from_slice(category.as_bytes());
    out.extend_from_slice(b"\"}");
    Facts { moment: posted(seed, subject).1, value: Value::Text(category) }
}

/// What of a pin goes together: only story pins may lack their image, and only
/// those without an image may lack their user, title and tags.
struct Kind {
    media: Media,
    downloaded: bool,
    unknown_user: bool,
}

enum Media {
    Image,
    Video,
    Story,
}

impl Kind {
    /// Of 4,583 pins: 349 stories, 137 videos; 112 without their image, of
    /// which 34 without their user.
    fn draw(draw: &mut Draw) -> Kind {
        let n = draw.below(4583);
        let media = match n {
            0..349 => Media::Story,
            349..486 => Media::Video,
            _ => Media::Image,
        };
        Kind { media, downloaded: n >= 112, unknown_user: n < 34 }
    }
}

fn image(kind: &Kind, draw: &mut Draw, out: &mut Vec<u8>) {
    if !kind.downloaded {
        return out.extend_from_slice(b"Image src error.");
    }
    out.extend_from_slice(b"https://images.example.com/");
    let still = matches!(kind.media, Media::Image);
    out.extend_from_slice(if still { b"originals/" } else { b"videos/thumbnails/originals/" });
    let (high, low) = (draw.bits(), draw.bits());
    for shift in [56, 48, 40] {
        hex(high >> shift, 2, out);
        out.push(b'/');
    }
    hex(high, 16, out);
    hex(low, 16, out);
    out.extend_from_slice(match (still, draw.below(100)) {
        (false, _) => b".0000001.jpg".as_slice(),
        (true, 0..83) => b".jpg",
        (true, 83..99) => b".png",
        (true, _) => b".webp",
    });
}

fn geo(seed: u64, subject: u64, out: &mut Vec<u8>) -> Facts {
    let (mut draw, moment) = posted(seed, subject);
    out.extend_from_slice(b"{\"ind\":");
    decimal(ind(subject), 1, out);
    out.extend_from_slice(b",\"timestamp\":\"");
    moment.write(draw.below(2) == 0, out);
    out.extend_from_slice(b"\",\"latitude\":");
    degrees(90, &mut draw, out);
    out.extend_from_slice(b",\"longitude\":");
    degrees(180, &mut draw, out);
    let country = draw.pick(COUNTRIES);
    out.extend_from_slice(b",\"country\":\"");
    out.extend_from_slice(country.as_bytes());
    out.extend_from_slice(b"\"}");
    Facts { moment, value: Value::Text(country) }
}

/// When a subject was posted, and the stream that says where.
fn posted(seed: u64, subject: u64) -> (Draw, Moment) {
    let mut draw = Draw::new(seed, Stream::Geo, subject);
    let moment = Moment::draw(&mut draw, POSTED);
    (draw, moment)
}

/// A coordinate of six digits, as the shortest decimal: no zeros at its end.
fn degrees(limit: u32, draw: &mut Draw, out: &mut Vec<u8>) {
    if draw.below(2) == 0 {
        out.push(b'-');
    }
    let micro = draw.below(limit * 1_000_000);
    let (whole, fraction) = (micro / 1_000_000, micro % 1_000_000);
    let (mut width, mut digits) = match whole {
        0..10 => (5, fraction / 10),
        10..100 => (4, fraction / 100),
        _ => (3, fraction / 1000),
    };
    while width > 1 && digits % 10 == 0 {
        digits /= 10;
        width -= 1;
    }
    decimal(u64::from(whole), 1, out);
    out.push(b'.');
    decimal(u64::from(digits), width, out);
}

fn user(seed: u64, subject: u64, out: &mut Vec<u8>) -> Facts {
    let mut own = Draw::new(seed, Stream::User, subject);
    // Half as many people as rows, and fewer names than people.
    let person = if own.chance(5000) { earlier(&mut own, subject) } else { subject };
    let mut draw = Draw::new(seed, Stream::Person, person);
    let moment = Moment::draw(&mut draw, JOINED);
    let age = 20 + draw.below(40);
    out.extend_from_slice(b"{\"ind\":");
    decimal(ind(subject), 1, out);
    out.extend_from_slice(b",\"first_name\":\"");
    out.extend_from_slice(draw.pick(FIRST_NAMES).as_bytes());
    out.extend_from_slice(b"\",\"last_name\":\"");
    out.extend_from_slice(draw.pick(LAST_NAMES).as_bytes());
    out.extend_from_slice(b"\",\"age\":");
    decimal(u64::from(age), 1, out);
    out.extend_from_slice(b",\"date_joined\":\"");
    moment.write(own.below(2) == 0, out);
    out.extend_from_slice(b"\"}");
    Facts { moment, value: Value::Number(age) }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value as Json;

    use super::*;

    fn lines(table: Table, rows: u64) -> Vec<String> {
        let line = |row| {
            let mut out = Vec::new();
            write(Place { table, seed: 42, row }, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..rows).map(line).collect()
    }

    fn records(table: Table, rows: u64) -> Vec<Json> {
        lines(table, rows).iter().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    #[test]
    fn every_line_is_an_object_with_the_documented_keys_in_order() {
        let cases: [(Table, &[&str]); 3] = [
            (
                Table::Pin,
                &[
                    "index",
                    "unique_id",
                    "title",
                    "description",
                    "poster_name",
                    "follower_count",
                    "tag_list",
                    "is_image_or_video",
                    "image_src",
                    "downloaded",
                    "save_location",
                    "category",
                ],
            ),
            (Table::Geo, &["ind", "timestamp", "latitude", "longitude", "country"]),
            (Table::User, &["ind", "first_name", "last_name", "age", "date_joined"]),
        ];
        for (table, keys) in cases {
            for line in lines(table, 5000) {
                let record: Json = serde_json::from_str(&line).unwrap();
                assert_eq!(record.as_object().unwrap().len(), keys.len(), "{line}");
                let at: Vec<_> = keys.iter().map(|k| line.find(&format!("\"{k}\":"))).collect();
                assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{line}");
                assert!(line.ends_with("\"}\n") && line.matches('\n').count() == 1, "{line}");
            }
        }
    }

    #[test]
    fn the_three_tables_join_one_to_one() {
        let inds = |table, key: &str| -> Vec<u64> {
            records(table, 2525).iter().map(|r| r[key].as_u64().unwrap()).collect()
        };
        let pins = inds(Table::Pin, "index");
        assert_eq!(pins, inds(Table::Geo, "ind"));
        assert_eq!(pins, inds(Table::User, "ind"));
        let distinct = pins.iter().collect::<HashSet<_>>().len();
        assert!((2200..2320).contains(&distinct), "{distinct}");
    }

    #[test]
    fn no_two_subjects_share_a_key() {
        let keys: HashSet<u64> = (0..100_000).map(ind).collect();
        assert_eq!(keys.len(), 100_000);
        assert!(keys.iter().all(|k| *k < 114_688));
    }

    #[test]
    fn placeholders_are_as_frequent_as_in_real_pins() {
        let pins = records(Table::Pin, 40_000);
        let count = |field: &str, text: &str| {
            pins.iter().filter(|p| p[field].as_str() == Some(text)).count()
        };
        let cases = [
            ("title", "No Title Data Available", 34),
            ("description", "No description available Story format", 349),
            ("description", "No description available", 68),
            ("poster_name", "User Info Error", 34),
            ("follower_count", "User Info Error", 34),
            ("tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", 72),
            ("image_src", "Image src error.", 112),
            ("is_image_or_video", "video", 137),
            ("is_image_or_video", "image", 4100),
        ];
        for (field, text, of_4583) in cases {
            let expected = of_4583 * 40_000 / 4583;
            let found = count(field, text);
            assert!(
                found * 10 > expected * 7 && found * 10 < expected * 13,
                "{field} {text}: {found}"
            );
        }
        assert!((5..40).contains(&count("title", "")));
    }

    #[test]
    fn placeholders_go_together_as_in_real_pins() {
        for pin in records(Table::Pin, 20_000) {
            let is = |field: &str, text: &str| pin[field].as_str() == Some(text);
            let story = is("is_image_or_video", "multi-video(story page format)");
            assert_eq!(story, is("description", "No description available Story format"), "{pin}");
            assert_eq!(pin["downloaded"] == 0, is("image_src", "Image src error."), "{pin}");
            let unknown = is("poster_name", "User Info Error");
            assert_eq!(unknown, is("follower_count", "User Info Error"), "{pin}");
            assert_eq!(unknown, is("title", "No Title Data Available"), "{pin}");
            let category = pin["category"].as_str().unwrap();
            assert!(is("save_location", &format!("Local save in /data/{category}")), "{pin}");
        }
    }

    #[test]
    fn sizes_are_those_of_real_records() {
        for (table, low, high) in
            [(Table::Pin, 680, 750), (Table::Geo, 105, 118), (Table::User, 95, 110)]
        {
            let bytes: usize = lines(table, 10_000).iter().map(String::len).sum();
            let mean = bytes / 10_000;
            assert!((low..high).contains(&mean), "{table:?}: {mean}");
        }
    }

    #[test]
    fn pins_hold_the_characters_that_are_hard_to_read() {
        let all: String = lines(Table::Pin, 20_000).concat();
        for hard in ["\u{a0}\"", "\\uD83D", "\u{200d}", "\\\"", "\\\\", "\\n", "أفكار", "手工"]
        {
            assert!(all.contains(hard), "{hard:?}");
        }
    }

    #[test]
    fn coordinates_have_six_digits_and_survive_a_double() {
        for line in lines(Table::Geo, 5000) {
            let geo: Json = serde_json::from_str(&line).unwrap();
            for (field, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
                let value = geo[field].as_f64().unwrap();
                assert!(value.abs() < limit, "{line}");
                assert!(line.contains(&format!("\"{field}\":{value:?},")), "{line}");
                let digits = format!("{:?}", value.abs()).replace('.', "");
                assert!(digits.len() <= 6, "{line}");
            }
        }
    }

    #[test]
    fn there_are_half_as_many_people_as_rows() {
        let mut people = HashMap::new();
        for user in records(Table::User, 10_000) {
            let age = user["age"].as_u64().unwrap();
            assert!((20..60).contains(&age));
            let date = user["date_joined"].as_str().unwrap().replace(' ', "T");
            assert!(date.as_str() >= "2015-10-01T00:00:00" && date.as_str() < "2017-11");
            *people.entry((user["first_name"].to_string(), age, date)).or_insert(0) += 1;
        }
        assert!((4000..6500).contains(&people.len()), "{}", people.len());
    }
}
