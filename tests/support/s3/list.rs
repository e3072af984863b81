//! ListObjectsV2: pages cut out of an ordered map by range, so that a page
//! costs its own length whatever the bucket holds.

use std::ops::Bound;
use std::sync::Arc;

use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object as Listed,
};
use s3s::{S3Result, s3_error};

use super::store::{Bucket, Object, Objects, hex};

/// S3 never gives more in one answer.
const PAGE: usize = 1000;

/// One entry of a page, in the order of the listing.
enum Item {
    Object(String, Arc<Object>),
    Prefix(String),
}

/// What a request asks for.
struct Query<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    limit: usize,
}

/// Where a page starts; kept in the continuation token.
enum Start {
    First,
    /// After this key.
    Key(String),
    /// After all keys that start with this.
    Prefix(String),
}

impl Start {
    fn parse(token: &str) -> Option<Start> {
        let text = String::from_utf8(unhex(token)?).ok()?;
        let rest = text.get(1..)?.to_owned();
        match text.as_bytes().first()? {
            b'k' => Some(Start::Key(rest)),
            b'p' => Some(Start::Prefix(rest)),
            _ => None,
        }
    }

    fn after(item: &Item) -> Start {
        match item {
            Item::Object(key, _) => Start::Key(key.clone()),
            Item::Prefix(prefix) => Start::Prefix(prefix.clone()),
        }
    }

    fn token(&self) -> Option<String> {
        match self {
            Start::First => None,
            Start::Key(key) => Some(hex(format!("k{key}").as_bytes())),
            Start::Prefix(prefix) => Some(hex(format!("p{prefix}").as_bytes())),
        }
    }

    /// `None` if nothing can follow.
    fn bound(&self) -> Option<Bound<String>> {
        match self {
            Start::First => Some(Bound::Unbounded),
            Start::Key(key) => Some(Bound::Excluded(key.clone())),
            Start::Prefix(prefix) => after_prefix(prefix).map(Bound::Included),
        }
    }
}

pub fn list(bucket: &Bucket, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let limit = match input.max_keys {
        None => PAGE,
        Some(asked) => usize::try_from(asked)
            .map_err(|_| s3_error!(InvalidArgument, "max-keys is negative"))?
            .min(PAGE),
    };
    let from = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => Start::parse(token)
            .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token is incorrect"))?,
        (None, Some(key)) => Start::Key(key.clone()),
        (None, None) => Start::First,
    };
    let delimiter = input.delimiter.as_deref().filter(|text| !text.is_empty());
    let query = Query { prefix: input.prefix.as_deref().unwrap_or(""), delimiter, limit };
    let (items, next) = bucket.read(|objects| page(objects, &query, &from));
    Ok(output(input, limit, items, next))
}

/// Up to `limit` items, and where the next page starts if there is more.
fn page(objects: &Objects, query: &Query<'_>, from: &Start) -> (Vec<Item>, Option<Start>) {
    let mut items = Vec::new();
    let Some(mut lower) = from.bound() else { return (items, None) };
    if query.limit == 0 {
        return (items, None);
    }
    lower = later(lower, query.prefix);
    'seek: loop {
        for (key, object) in objects.range((lower.clone(), Bound::Unbounded)) {
            if !key.starts_with(query.prefix) {
                return (items, None);
            }
            if items.len() == query.limit {
                let next = items.last().map(Start::after);
                return (items, next);
            }
            let Some(group) = group(key, query) else {
                items.push(Item::Object(key.clone(), Arc::clone(object)));
                continue;
            };
            let behind = after_prefix(group);
            items.push(Item::Prefix(group.to_owned()));
            match behind {
                Some(behind) => lower = Bound::Included(behind),
                None => return (items, None),
            }
            continue 'seek;
        }
        return (items, None);
    }
}

/// The later of a bound and the start of a prefix.
fn later(bound: Bound<String>, prefix: &str) -> Bound<String> {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) if key.as_str() < prefix => {
            Bound::Included(prefix.to_owned())
        }
        Bound::Unbounded => Bound::Included(prefix.to_owned()),
        bound => bound,
    }
}

/// The common prefix that stands for a key, if the delimiter is in it.
fn group<'a>(key: &'a str, query: &Query<'_>) -> Option<&'a str> {
    let delimiter = query.delimiter?;
    let at = key[query.prefix.len()..].find(delimiter)?;
    Some(&key[..query.prefix.len() + at + delimiter.len()])
}

/// The smallest string above everything that starts with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The surrogates between these two are not characters.
        let next =
            if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn output(
    input: ListObjectsV2Input,
    limit: usize,
    items: Vec<Item>,
    next: Option<Start>,
) -> ListObjectsV2Output {
    let url = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == EncodingType::URL);
    let text = |text: String| if url { encode(&text) } else { text };
    let count = items.len();
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(text(prefix)) });
            }
            Item::Object(key, object) => contents.push(Listed {
                key: Some(text(key)),
                e_tag: Some(object.e_tag()),
                size: Some(object.body.len() as i64),
                last_modified: Some(object.modified.into()),
                ..Listed::default()
            }),
        }
    }
    ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(text(input.prefix.unwrap_or_default())),
        max_keys: Some(limit as i32),
        key_count: Some(count as i32),
        is_truncated: Some(next.is_some()),
        next_continuation_token: next.and_then(|from| from.token()),
        continuation_token: input.continuation_token,
        start_after: input.start_after.map(text),
        delimiter: input.delimiter.map(text),
        encoding_type: input.encoding_type,
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        ..ListObjectsV2Output::default()
    }
}

/// As S3 encodes keys for `encoding-type=url`: slashes stay, a space is `+`.
fn encode(text: &str) -> String {
    let pieces =
        text.split('/').map(|piece| url::form_urlencoded::byte_serialize(piece.as_bytes()));
    pieces.map(|piece| piece.collect::<String>()).collect::<Vec<_>>().join("/")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect())
}
