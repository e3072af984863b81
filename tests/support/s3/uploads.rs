//! Multipart uploads with the refusals of S3: part numbers, ETags, and a
//! least size for all parts but the last.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{CompletedPart, ETag, Part as ListedPart};
use s3s::{S3Error, S3Result, s3_error};

use super::store::{Bucket, Conditions, Object, hex};

/// All parts but the last must be at least this long.
const LEAST_PART: usize = 5 << 20;

/// An upload that was begun and neither completed nor aborted.
#[derive(Debug, Default)]
pub struct Upload {
    key: String,
    tags: Vec<(String, String)>,
    parts: BTreeMap<i32, Part>,
}

#[derive(Debug, Clone)]
struct Part {
    body: Bytes,
    md5: Vec<u8>,
    modified: SystemTime,
}

impl Part {
    fn e_tag(&self) -> ETag {
        ETag::Strong(hex(&self.md5))
    }
}

/// Gives the upload's id.
pub fn begin(bucket: &Bucket, key: String, tags: Vec<(String, String)>) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("upload-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let upload = Upload { key, tags, parts: BTreeMap::new() };
    bucket.uploads.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), upload);
    id
}

pub fn put_part(bucket: &Bucket, id: &str, number: i32, body: Bytes) -> S3Result<ETag> {
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(InvalidArgument, "Part number must be between 1 and 10000"));
    }
    let md5 = Md5::checksum(&body).as_ref().to_vec();
    let part = Part { body, md5, modified: SystemTime::now() };
    let etag = part.e_tag();
    let mut uploads = bucket.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    uploads.get_mut(id).ok_or_else(unknown)?.parts.insert(number, part);
    Ok(etag)
}

pub fn abort(bucket: &Bucket, id: &str) -> S3Result<()> {
    let mut uploads = bucket.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    uploads.remove(id).map(drop).ok_or_else(unknown)
}

pub fn list(bucket: &Bucket, id: &str) -> S3Result<Vec<ListedPart>> {
    let uploads = bucket.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    let parts = &uploads.get(id).ok_or_else(unknown)?.parts;
    let listed = parts.iter().map(|(number, part)| ListedPart {
        part_number: Some(*number),
        e_tag: Some(part.e_tag()),
        size: Some(part.body.len() as i64),
        last_modified: Some(part.modified.into()),
        ..ListedPart::default()
    });
    Ok(listed.collect())
}

/// Puts the object. The upload stays if a condition or a part is refused.
pub fn complete(
    bucket: &Bucket,
    id: &str,
    wanted: &[CompletedPart],
    conditions: &Conditions,
) -> S3Result<ETag> {
    let mut uploads = bucket.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    let upload = uploads.get(id).ok_or_else(unknown)?;
    let parts = choose(upload, wanted)?;
    let mut object = Object::new(join(&parts));
    let sums: Vec<u8> = parts.iter().flat_map(|part| part.md5.iter().copied()).collect();
    object.etag = format!("{}-{}", hex(Md5::checksum(&sums).as_ref()), parts.len());
    object.tags.clone_from(&upload.tags);
    let etag = bucket.put(&upload.key, object, conditions)?;
    uploads.remove(id);
    Ok(etag)
}

fn choose(upload: &Upload, wanted: &[CompletedPart]) -> S3Result<Vec<Part>> {
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML));
    }
    if !wanted.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut parts = Vec::with_capacity(wanted.len());
    for want in wanted {
        let part = want.part_number.and_then(|number| upload.parts.get(&number));
        let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
        if want.e_tag.as_ref().is_some_and(|etag| etag.value() != hex(&part.md5)) {
            return Err(s3_error!(InvalidPart));
        }
        parts.push(part.clone());
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.body.len() < LEAST_PART) {
        return Err(s3_error!(EntityTooSmall));
    }
    Ok(parts)
}

fn join(parts: &[Part]) -> Bytes {
    let mut body = BytesMut::with_capacity(parts.iter().map(|part| part.body.len()).sum());
    for part in parts {
        body.extend_from_slice(&part.body);
    }
    body.freeze()
}

fn unknown() -> S3Error {
    s3_error!(NoSuchUpload, "The specified multipart upload does not exist")
}
