//! What the buckets hold: ordered maps under locks, conditions checked under
//! the lock that writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use bytes::Bytes;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Error, S3Result, s3_error};

use super::uploads::Upload;

/// Names in byte order, which is how S3 lists them.
pub type Objects = BTreeMap<String, Arc<Object>>;

/// One object: never changed, only replaced.
#[derive(Debug)]
pub struct Object {
    pub body: Bytes,
    /// Hex of the MD5, without quotes; for a multipart upload `…-<parts>`.
    pub etag: String,
    pub modified: SystemTime,
    pub tags: Vec<(String, String)>,
}

impl Object {
    pub fn new(body: Bytes) -> Object {
        let etag = hex(Md5::checksum(&body).as_ref());
        Object { body, etag, modified: SystemTime::now(), tags: Vec::new() }
    }

    pub fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

/// How a bucket differs from a plain private one.
#[derive(Debug, Clone)]
pub struct BucketOptions {
    /// Signatures for another region are refused.
    pub region: String,
    /// Requests without a signature are served.
    pub public: bool,
    /// Requests without `x-amz-request-payer` are refused.
    pub requester_pays: bool,
    /// `If-Match` and `If-None-Match` of writes are not heeded, as some stores
    /// that speak S3 do.
    pub careless: bool,
}

impl Default for BucketOptions {
    fn default() -> BucketOptions {
        BucketOptions {
            region: "us-east-1".to_owned(),
            public: false,
            requester_pays: false,
            careless: false,
        }
    }
}

/// A bucket. Its locks are held for the length of one map operation.
#[derive(Debug, Default)]
pub struct Bucket {
    pub options: BucketOptions,
    objects: RwLock<Objects>,
    pub uploads: Mutex<HashMap<String, Upload>>,
}

impl Bucket {
    pub fn get(&self, key: &str) -> Option<Arc<Object>> {
        self.read(|objects| objects.get(key).cloned())
    }

    pub fn read<T>(&self, look: impl FnOnce(&Objects) -> T) -> T {
        look(&self.objects.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn remove(&self, key: &str) -> bool {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).remove(key).is_some()
    }

    /// Checks the conditions and writes under one lock: of two requests to
    /// create an object exactly one wins.
    pub fn put(&self, key: &str, object: Object, conditions: &Conditions) -> S3Result<ETag> {
        let etag = object.e_tag();
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if !self.options.careless {
            conditions.check_write(objects.get(key).map(Arc::as_ref))?;
        }
        objects.insert(key.to_owned(), Arc::new(object));
        Ok(etag)
    }
}

/// `If-Match` and `If-None-Match` of a request.
#[derive(Debug, Default)]
pub struct Conditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl Conditions {
    fn check_write(&self, current: Option<&Object>) -> S3Result<()> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey)),
            (Some(wanted), Some(object)) if !matches(wanted, object) => return Err(failed()),
            _ => {}
        }
        match (&self.if_none_match, current) {
            (Some(unwanted), Some(object)) if matches(unwanted, object) => Err(failed()),
            _ => Ok(()),
        }
    }

    pub fn check_read(&self, object: &Object) -> S3Result<()> {
        if self.if_match.as_ref().is_some_and(|wanted| !matches(wanted, object)) {
            return Err(failed());
        }
        if self.if_none_match.as_ref().is_some_and(|unwanted| matches(unwanted, object)) {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag)
}

fn failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// All buckets of a server.
#[derive(Debug, Default)]
pub struct Store {
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
}

impl Store {
    /// False if the bucket is there already.
    pub fn create(&self, name: &str, options: BucketOptions) -> bool {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return false;
        }
        buckets.insert(name.to_owned(), Arc::new(Bucket { options, ..Bucket::default() }));
        true
    }

    pub fn find(&self, name: &str) -> Option<Arc<Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub fn bucket(&self, name: &str) -> S3Result<Arc<Bucket>> {
        let missing = || s3_error!(NoSuchBucket, "The specified bucket does not exist");
        self.find(name).ok_or_else(missing)
    }

    /// Puts without conditions.
    ///
    /// # Panics
    /// If there is no such bucket: the test is wrong.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let bucket = self.find(bucket).expect("create the bucket first");
        bucket.put(key, Object::new(body.into()), &Conditions::default()).expect("no conditions");
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        Some(self.find(bucket)?.get(key)?.body.clone())
    }

    /// False if there was no such object.
    pub fn delete(&self, bucket: &str, key: &str) -> bool {
        self.find(bucket).is_some_and(|bucket| bucket.remove(key))
    }

    /// The keys that start with `prefix`, in byte order.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let Some(bucket) = self.find(bucket) else { return Vec::new() };
        bucket.read(|objects| {
            let from = objects.range(prefix.to_owned()..).map(|(key, _)| key);
            from.take_while(|key| key.starts_with(prefix)).cloned().collect()
        })
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
