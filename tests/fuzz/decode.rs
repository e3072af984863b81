//! The decoder against its model: the same rows, rejects and counts, whatever
//! the bytes and however they are cut into pieces and batches.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use pinclean::Error;
use pinclean::code::Code;
use pinclean::key::{Extension, Layout, Source, Topic};
use pinclean::pipeline::clean::Cleaner;
use pinclean::pipeline::decode::{Ahead, DecodedBatch, Decoder, Repeats};
use pinclean::pipeline::discover::Object;
use pinclean::pipeline::fetch::{BodyFault, Piece, RawBatch};
use pinclean::pipeline::plan::{Following, Shard};
use pinclean::spec::{RESCUED, Spec, Unknown, Wire};

use crate::choices::Choices;
use crate::json;
use crate::model::{Cell, Fate, Line, is_sound, members};

const TRANSFORMS: &str = r#"
version = 1
table = "t"
topics = ["t"]
unknown = "keep"
ignore = ["skip"]
column = [
    { name = "i", type = "int64", field = ["i", "j"] },
    { name = "j", type = "int32", field = "j" },
    { name = "f", type = "float64", field = "f" },
    { name = "b", type = "bool", field = "b" },
    { name = "n", type = "int32", field = "n", null_values = ["", "-1", "n/a"] },
    { name = "m", type = "bool", field = ["m", "b"], null_values = ["", "no", "n/a", "2"] },
    { name = "n_float", type = "float64", field = "n", null_values = [""] },
    { name = "s", type = "string", field = ["s", "r", "é"] },
    { name = "l", type = "list<int64>", field = "l" },
    { name = "i_text", type = "string", field = "i" },
    { name = "t", type = "string", field = "timestamp" },
    # payload
]
"#;
/// In some cases there is a column that reads what is an envelope in others.
const PAYLOAD: &str = r#"{ name = "p", type = "string", field = "payload" },"#;

const START: u64 = 100;
const FAULTS: [(BodyFault, Code); 3] = [
    (BodyFault::GzipTruncated, Code::GzipTruncated),
    (BodyFault::GzipRatio, Code::GzipRatio),
    (BodyFault::ObjectTooLarge, Code::ObjectTooLarge),
];

/// A record as the decoder gives it, or as it must: line, offset, bytes, fate.
type Record = (u64, u64, String, Fate);

/// What is made of a body.
#[derive(Debug, Default, PartialEq)]
struct Made {
    rows: Vec<Record>,
    rejects: Vec<Record>,
    duplicate: u64,
    read: u64,
    ended: u64,
    envelopes: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    contradicted: bool,
}

/// One object's body and what is known of it.
struct Case {
    spec: &'static Spec,
    body: Vec<u8>,
    /// What the object after it holds, of another shard.
    ahead: Vec<u8>,
    shard: Arc<Shard>,
    fault: Option<(BodyFault, Code)>,
    /// Where the body is cut into pieces, and which of them begin a batch.
    cuts: Vec<(usize, bool)>,
    /// Whether the batches are cleaned too, which takes its time.
    clean: bool,
}

impl Case {
    /// A body in one piece, of which nothing is known.
    fn of(body: Vec<u8>) -> Case {
        let (spec, ahead, shard) = (spec(false), Vec::new(), shard(0, None));
        Case { spec, body, ahead, shard, fault: None, cuts: Vec::new(), clean: true }
    }
}

/// One random body.
pub fn check(choices: &mut Choices<'_>) {
    let fault = choices.once_in(8).then(|| choices.pick(&FAULTS));
    let floor = if choices.once_in(8) { START + choices.below(4) as u64 } else { 0 };
    let next_start = choices.once_in(8).then(|| START + choices.below(5) as u64);
    let clean = choices.once_in(32);
    let spec = spec(choices.once_in(4));
    let spoils_ahead = choices.once_in(4);
    let chances = [(); 6].map(|()| choices.below(8));
    let body = json::body(choices);
    let ends = body.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    let cut = |(n, at): (usize, usize)| (chances[n % 6] < 3).then_some((at, chances[n % 6] < 2));
    let cuts = ends.enumerate().filter_map(cut).collect();
    let ahead = next_start.map_or_else(Vec::new, |next| {
        let mut ahead = records(&body, next).concat();
        if spoils_ahead {
            choices.mutate(&mut ahead);
        }
        ahead
    });
    compare(&Case { spec, body, ahead, shard: shard(floor, next_start), fault, cuts, clean });
}

fn shard(floor: u64, next_start: Option<u64>) -> Arc<Shard> {
    let source =
        Source { topic: Topic::parse("t").unwrap(), directory: "partition=0".into(), partition: 0 };
    let object =
        Object { start: START, size: 0, width: 10, extension: Extension::Json, etag: None };
    let after = next_start.map(|start| Object { start, ..object.clone() });
    let following = Following { objects: after.into_iter().collect(), more: false };
    Arc::new(Shard { source: Arc::new(source), table: 0, objects: vec![object], following, floor })
}

fn spec(reads_payload: bool) -> &'static Spec {
    static SPECS: OnceLock<[Spec; 2]> = OnceLock::new();
    let parse = |text: &str| pinclean::spec::parse("t.toml", text).unwrap();
    let both = || [parse(TRANSFORMS), parse(&TRANSFORMS.replace("# payload", PAYLOAD))];
    &SPECS.get_or_init(both)[usize::from(reads_payload)]
}

/// The records of a body from an offset on, each with a line end.
fn records(body: &[u8], from: u64) -> Vec<Vec<u8>> {
    let lines = body.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let records = lines.skip((from - START) as usize);
    records.map(|line| [line, b"\n"].concat()).collect()
}

fn compare(case: &Case) {
    let mut made = decoded(case);
    let expected = expected(case);
    // A text that is no JSON has one of several codes, by what is found first.
    for (record, wanted) in made.rejects.iter_mut().zip(&expected.rejects) {
        if wanted.3 == Fate::NoJson && matches!(record.3, Fate::Reject(code) if is_no_json(code)) {
            record.3 = Fate::NoJson;
        }
    }
    assert!(
        made == expected,
        "body b\"{}\"\nfault {:?}, cuts {:?}, floor {}, next {:?}\nmade     {made:?}\nexpected {expected:?}",
        shown(&case.body),
        case.fault,
        case.cuts,
        case.shard.floor,
        case.shard.next_start(),
    );
    assert_eq!(made.read, made.rows.len() as u64 + made.rejects.len() as u64 + made.duplicate);
}

fn is_no_json(code: Code) -> bool {
    use Code::{DuplicateKey, InvalidEscape, InvalidJson, InvalidUtf8, TooDeep, TrailingText};
    matches!(
        code,
        DuplicateKey | InvalidEscape | InvalidJson | InvalidUtf8 | TooDeep | TrailingText
    )
}

fn expected(case: &Case) -> Made {
    let mut made = Made::default();
    let (mut offset, mut line) = (START, 0);
    let next = case.shard.next_start().unwrap_or(u64::MAX);
    let ahead: Vec<Vec<u8>> =
        records(&case.ahead, START).iter().map(|record| trim(record).to_vec()).collect();
    let mut told = false;
    let mut lines = case.body.split(|b| *b == b'\n').peekable();
    while let Some(text) = lines.next() {
        line += 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let text = trim(text);
        let unended = case.fault.filter(|_| lines.peek().is_none());
        let cut_off = unended.filter(|_| !is_sound(text));
        // The record of its offset in the next shard.
        let is_whole = unended.is_none() || (cut_off.is_none() && text.ends_with(b"}"));
        let nth = offset.checked_sub(next).filter(|_| is_whole);
        let other = nth.and_then(|nth| ahead.get(nth as usize));
        let is_committed = offset < case.shard.floor;
        if is_committed || other.is_some_and(|other| other == text) {
            made.duplicate += 1;
            made.read += 1;
            offset += 1;
            continue;
        }
        made.contradicted |= other.is_some();
        if let Some((_, code)) = cut_off {
            told = true;
            made.push((line, offset, shown(text), Fate::Reject(code)));
        } else {
            let of_line = Line::of(case.spec, text);
            for (kind, count) in of_line.envelopes {
                *made.envelopes.entry(kind.to_owned()).or_default() += count;
            }
            for (text, fate) in of_line.records {
                made.push((line, offset, shown(&text), fate));
            }
        }
        offset += 1;
    }
    if let Some((_, code)) = case.fault.filter(|_| !told) {
        made.push((0, offset, String::new(), Fate::Reject(code)));
    }
    made.ended = offset - START;
    made
}

/// Bytes as a failure prints them.
fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}

/// Removes JSON's white space at both ends.
fn trim(mut text: &[u8]) -> &[u8] {
    let is_space = |b: &u8| b" \t\r\n".contains(b);
    while text.first().is_some_and(is_space) {
        text = &text[1..];
    }
    while text.last().is_some_and(is_space) {
        text = &text[..text.len() - 1];
    }
    text
}

impl Made {
    fn push(&mut self, record: Record) {
        self.read += 1;
        match &record.3 {
            Fate::Row(_, unknown) => {
                for (name, _) in unknown {
                    *self.unknown.entry(name.clone()).or_default() += 1;
                }
                self.rows.push(record);
            }
            _ => self.rejects.push(record),
        }
    }

    fn add(&mut self, spec: &Spec, batch: &DecodedBatch) {
        self.contradicted |= batch.counts.contradicted;
        for (row, origin) in batch.rows.iter().enumerate() {
            let fate = Fate::Row(cells(spec, batch, row), rescued(batch, row));
            let text = shown(batch.record(origin));
            self.rows.push((origin.line, origin.offset, text, fate));
        }
        for reject in &batch.rejects {
            assert_eq!(reject.column, None);
            assert!(!reject.message.is_empty());
            let fate = Fate::Reject(reject.code);
            self.rejects.push((reject.line, reject.offset, shown(&reject.raw), fate));
        }
        self.duplicate += batch.counts.duplicate;
        self.read += batch.counts.read;
        self.ended += batch.counts.ended.iter().map(|(_, records)| records).sum::<u64>();
        for (kind, count) in &batch.counts.envelopes {
            *self.envelopes.entry((*kind).to_owned()).or_default() += count;
        }
        for (name, count) in &batch.counts.unknown_fields {
            *self.unknown.entry(name.clone()).or_default() += count;
        }
    }
}

fn decoded(case: &Case) -> Made {
    let mut made = Made::default();
    let mut decoder = Decoder::new(case.spec);
    decoder.begin(Repeats::Drop);
    if !case.shard.following.objects.is_empty() {
        decoder.begin_knowing(ahead(case));
    }
    for raw in batches(case) {
        let batch = decoder.decode(raw).unwrap();
        assert_eq!(batch.frame.height(), batch.rows.len());
        made.add(case.spec, &batch);
        if case.clean {
            balances(case.spec, batch).unwrap();
        }
    }
    made
}

/// What the next shard holds.
fn ahead(case: &Case) -> Ahead {
    let mut ahead = Ahead::new(&case.shard);
    let mut shard = (*case.shard).clone();
    shard.objects = shard.following.objects.clone();
    let piece = Piece {
        object: 0,
        range: 0..case.ahead.len(),
        lines_before: 0,
        records_before: 0,
        cut: None,
        last: true,
        fault: None,
    };
    let (shard, bytes) = (Arc::new(shard), case.ahead.clone());
    ahead.add(&RawBatch { shard, bytes, pieces: vec![piece], sizes: Vec::new() });
    ahead
}

/// Cleans a batch: whatever was read is a row, a reject or a duplicate.
fn balances(spec: &Spec, batch: DecodedBatch) -> Result<(), Error> {
    let batch = match Cleaner::new(spec)?.clean(batch, &Layout::default()) {
        // A column may say that the run fails.
        Err(Error::RecordFailed { .. }) => return Ok(()),
        cleaned => cleaned?,
    };
    let rows = (batch.frame.height() + batch.rejects.len()) as u64;
    assert_eq!(batch.counts.read, rows + batch.counts.duplicate);
    let written = spec.columns.iter().filter(|column| !column.hidden).map(|c| c.name.as_str());
    let rescued = (spec.unknown == Unknown::Keep).then_some(RESCUED);
    let names: Vec<_> = batch.frame.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, written.chain(rescued).collect::<Vec<_>>());
    Ok(())
}

/// Reads and cleans a body as a run with these transforms would.
pub fn run(spec: &Spec, body: &[u8]) -> Result<(), Error> {
    let mut decoder = Decoder::new(spec);
    let mut batches = batches(&Case::of(body.to_vec())).into_iter();
    batches.try_for_each(|raw| balances(spec, decoder.decode(raw)?))
}

/// The body as a reader would hand it on.
fn batches(case: &Case) -> Vec<RawBatch> {
    let empty = || RawBatch {
        shard: case.shard.clone(),
        bytes: Vec::new(),
        pieces: Vec::new(),
        sizes: Vec::new(),
    };
    let mut batches = vec![empty()];
    let (mut from, mut lines_before, mut records_before) = (0, 0, 0);
    let end = (case.body.len(), false);
    for (to, next_batch) in case.cuts.iter().copied().filter(|cut| cut.0 < end.0).chain([end]) {
        let text = &case.body[from..to];
        let batch = batches.last_mut().unwrap();
        // A byte that is in no piece means nothing.
        batch.bytes.push(b'"');
        let start = batch.bytes.len();
        batch.bytes.extend(text);
        batch.pieces.push(Piece {
            object: 0,
            range: start..batch.bytes.len(),
            lines_before,
            records_before,
            cut: None,
            last: to == end.0,
            fault: case.fault.filter(|_| to == end.0).map(|(fault, _)| fault),
        });
        let lines = text.split_inclusive(|b| *b == b'\n');
        lines_before += lines.clone().count() as u64;
        records_before += lines.filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        from = to;
        if next_batch {
            batches.push(empty());
        }
    }
    batches
}

fn cells(spec: &Spec, batch: &DecodedBatch, row: usize) -> Vec<Cell> {
    let cell = |(slot, wire): (usize, Wire)| {
        if let Some(fault) = batch.faults.iter().find(|f| f.row == row && f.slot == slot) {
            return Cell::Fault(fault.code);
        }
        let column = batch.frame.column(&slot.to_string()).unwrap();
        let cell = match wire {
            Wire::Text | Wire::Array => {
                column.str().unwrap().get(row).map(|text| Cell::Text(text.to_owned()))
            }
            Wire::Int => column.i64().unwrap().get(row).map(Cell::Int),
            Wire::Float => column.f64().unwrap().get(row).map(|f| Cell::Float(f.to_bits())),
            Wire::Bool => column.bool().unwrap().get(row).map(Cell::Bool),
        };
        cell.unwrap_or(Cell::Null)
    };
    spec.slots.iter().map(|slot| slot.wire).enumerate().map(cell).collect()
}

fn rescued(batch: &DecodedBatch, row: usize) -> Vec<(String, String)> {
    let column = batch.frame.column(RESCUED).unwrap();
    let Some(text) = column.str().unwrap().get(row) else { return Vec::new() };
    assert!(is_sound(text.as_bytes()), "{text:?}");
    members(text).into_iter().map(|(name, json)| (name.unwrap(), json.to_owned())).collect()
}

/// Bodies that were found to be read wrongly once, and others worth a look.
#[test]
fn bodies_that_were_found_before_are_read_as_the_model_says() {
    crate::with_a_large_stack(finds);
}

fn finds() {
    let deep = "[".repeat(100_000);
    let finds: Vec<String> = [
        // An escape that is none, unnoticed where no slot reads the value.
        r#"{"i":1,"x":"\uZZZZ"}"#,
        r#"{"i":1,"l":["\u12"]}"#,
        // Its four digits swallowed the end of the string.
        r#"{"x":"\u","i":1,"j":"2"}"#,
        // A name that is no text was called trailing text.
        r#"{"i":1,"\uD800":2}"#,
        r#"{"\uDC00":2,"i":1}"#,
        // A lone surrogate in a value that no slot reads harms no one.
        r#"{"i":1,"skip":"\uD800","x":1}"#,
        // White space before an envelope shifted the bytes of its record.
        "  {\"value\":{\"i\":1}}\r",
        "\t{\"records\":[{\"i\":1},{\"x\":2}]}",
        // Of two records under one name the first was lost.
        r#"{"value":{"i":1},"value":{"i":2}}"#,
        r#"{"records":[{"i":1}],"records":[{"i":2}]}"#,
        // A form feed is no white space of JSON.
        "{\"i\":1}\u{c}",
        "{\"i\":1,\u{c}\"j\":2}",
        "\"{\\\"i\\\":1}\\f\"",
        // A whole number in more digits than 128 bits hold.
        r#"{"i":100000000000000000000000000000000000000000000e-44}"#,
        "{}",
        "{ }",
        r#"{"":1}"#,
        r#"{"value":null}"#,
        r#"{"records":[]}"#,
        // Metadata that is called like a field hid the record beside it.
        r#"{"key":"k","value":{"i":2,"s":"a"},"timestamp":"x","offset":6}"#,
        r#"{"records":[{"value":{"i":2,"s":"a"},"timestamp":"x"}]}"#,
        r#"{"schema":{},"payload":"{\"i\":2,\"s\":\"a\"}","timestamp":"x"}"#,
        r#"{"before":{"i":1,"s":"a"},"after":{"i":2,"s":"b"},"op":"u","timestamp":"x"}"#,
        // And what held no record at all was a row of nulls.
        r#"{"key":"k","value":null,"timestamp":"x","offset":6}"#,
        r#"{"before":{"i":1,"s":"a"},"after":null,"op":"d","timestamp":"x"}"#,
    ]
    .map(str::to_owned)
    .into_iter()
    // The depth was taken from strings that end elsewhere.
    .chain([format!(r#"{{"x":"\u",12",":{deep}"#), format!(r#"{{"x":"\u",12","k":{deep}"#)])
    .collect();
    for body in finds {
        for end in ["", "\n"] {
            let body = format!("{{\"i\":0}}\n{body}{end}").into_bytes();
            compare(&Case::of(body));
        }
    }
}
