//! The operations of S3 over the store.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use s3s::dto::*;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::store::{BucketOptions, Conditions, Object, Store};
use super::{REGION, list, uploads};

/// An answer to a request.
type Answer<T> = S3Result<S3Response<T>>;

pub struct Service(pub Arc<Store>);

impl Service {
    /// The object, if the conditions of a read hold.
    fn find(&self, bucket: &str, key: &str, conditions: &Conditions) -> S3Result<Arc<Object>> {
        let missing = || s3_error!(NoSuchKey, "The specified key does not exist.");
        let object = self.0.bucket(bucket)?.get(key).ok_or_else(missing)?;
        conditions.check_read(&object)?;
        Ok(object)
    }
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let bucket = self.0.bucket(&request.input.bucket)?;
        Ok(S3Response::new(list::list(&bucket, request.input)?))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let input = request.input;
        let conditions =
            Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let object = self.find(&input.bucket, &input.key, &conditions)?;
        let (body, content_range) = cut(&object.body, input.range)?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(body.len() as i64),
            body: Some(StreamingBlob::from(Body::from(body))),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(object.e_tag()),
            last_modified: Some(object.modified.into()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let input = request.input;
        let conditions =
            Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let object = self.find(&input.bucket, &input.key, &conditions)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(object.body.len() as i64),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(object.e_tag()),
            last_modified: Some(object.modified.into()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let input = request.input;
        let bucket = self.0.bucket(&input.bucket)?;
        let mut object = Object::new(collect(input.body).await?);
        object.tags = tags(input.tagging.as_deref());
        let conditions =
            Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let e_tag = bucket.put(&input.key, object, &conditions)?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(e_tag), ..PutObjectOutput::default() }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        self.0.bucket(&request.input.bucket)?.remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let bucket = self.0.bucket(&request.input.bucket)?;
        let delete = request.input.delete;
        let deleted = delete.objects.into_iter().map(|object| {
            bucket.remove(&object.key);
            DeletedObject { key: Some(object.key), ..DeletedObject::default() }
        });
        let deleted: Vec<_> = deleted.collect();
        let deleted = Some(deleted).filter(|_| !delete.quiet.unwrap_or(false));
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..DeleteObjectsOutput::default() }))
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        let object =
            self.find(&request.input.bucket, &request.input.key, &Conditions::default())?;
        let tag = |(key, value): &(String, String)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        };
        let tag_set = object.tags.iter().map(tag).collect();
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        let place = request.input.create_bucket_configuration.and_then(|c| c.location_constraint);
        let region = place.map_or_else(|| REGION.to_owned(), |place| place.as_str().to_owned());
        let options = BucketOptions { region, ..BucketOptions::default() };
        if !self.0.create(&request.input.bucket, options) {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        let location = Some(format!("/{}", request.input.bucket));
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        let bucket = self.0.bucket(&request.input.bucket)?;
        let bucket_region = Some(bucket.options.region.clone());
        Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        let bucket = self.0.bucket(&request.input.bucket)?;
        // us-east-1 has no name here, from the days when it was the only one.
        let region = Some(bucket.options.region.clone()).filter(|region| region != REGION);
        let location_constraint = region.map(BucketLocationConstraint::from);
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let input = request.input;
        let bucket = self.0.bucket(&input.bucket)?;
        let id = uploads::begin(&bucket, input.key.clone(), tags(input.tagging.as_deref()));
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let input = request.input;
        let bucket = self.0.bucket(&input.bucket)?;
        let body = collect(input.body).await?;
        let e_tag = uploads::put_part(&bucket, &input.upload_id, input.part_number, body)?;
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(e_tag), ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let input = request.input;
        let bucket = self.0.bucket(&input.bucket)?;
        let conditions =
            Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let e_tag = uploads::complete(&bucket, &input.upload_id, &parts, &conditions)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(e_tag),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let bucket = self.0.bucket(&request.input.bucket)?;
        uploads::abort(&bucket, &request.input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = request.input;
        let bucket = self.0.bucket(&input.bucket)?;
        let parts = uploads::list(&bucket, &input.upload_id)?;
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(false),
            parts: Some(parts),
            ..ListPartsOutput::default()
        }))
    }
}

/// The part of a body that is asked for, and its `Content-Range`.
fn cut(body: &Bytes, range: Option<Range>) -> S3Result<(Bytes, Option<String>)> {
    let Some(range) = range else { return Ok((body.clone(), None)) };
    let length = body.len();
    let range = range.check(length as u64)?;
    let header = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
    Ok((body.slice(range.start as usize..range.end as usize), Some(header)))
}

/// The whole body of a request; nothing is stored of one that breaks off.
async fn collect(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut whole = BytesMut::new();
    let Some(mut body) = body else { return Ok(Bytes::new()) };
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&chunk.map_err(|_| s3_error!(IncompleteBody))?);
    }
    Ok(whole.freeze())
}

/// The header `x-amz-tagging`: `key=value&…`.
fn tags(header: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(header.unwrap_or("").as_bytes()).into_owned().collect()
}
