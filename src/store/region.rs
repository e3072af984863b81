//! The region that a bucket is in, as S3 tells it.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;

use super::requests::Requests;
use super::session::{Session, any_region};
use crate::{Error, Result};

/// Asks S3 for the regions of buckets; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Locator {
    client: Client,
}

impl Locator {
    /// Builds the client; sends nothing.
    pub(super) async fn new(session: &Session, requests: &Arc<Requests>) -> Locator {
        let resolved = session.resolved().await;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(30));
        let mut config = Builder::from(&resolved.config)
            .region(any_region())
            .force_path_style(session.options().path_style || resolved.endpoint.is_some())
            .timeout_config(timeouts.build())
            .interceptor(Count(Arc::clone(requests)));
        if resolved.credentials.is_none() {
            config = config.allow_no_auth();
        }
        config.set_endpoint_url(
            resolved.endpoint.as_deref().or(session.global_endpoint()).map(str::to_owned),
        );
        Locator { client: Client::from_conf(config.build()) }
    }

    /// The region of a bucket.
    ///
    /// S3 tells it in a header, also when it refuses (HeadBucket in the Amazon
    /// S3 API reference).
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::Usage`] if the answer does not tell, and
    /// [`Error::Read`] if there is none.
    pub(super) async fn region(&self, bucket: &str) -> Result<String> {
        let (status, region) = match self.client.head_bucket().bucket(bucket).send().await {
            Ok(found) => (200, found.bucket_region),
            Err(e) => match e.raw_response() {
                Some(answer) => {
                    let region = answer.headers().get("x-amz-bucket-region");
                    (answer.status().as_u16(), region.map(str::to_owned))
                }
                None => {
                    let object = format!("s3://{bucket}");
                    return Err(Error::Read { object, source: Box::new(e) });
                }
            },
        };
        match (status, region.filter(|r| !r.is_empty())) {
            (404, _) => Err(Error::NoSuchBucket {
                bucket: bucket.to_owned(),
                source: "S3 answered 404 when asked for its region".into(),
            }),
            (_, Some(region)) => Ok(region),
            (status, None) => Err(Error::Usage(format!(
                "the region of bucket {bucket} is not known (S3 answered {status}): name it with --region"
            ))),
        }
    }
}

/// Counts the SDK's attempts as those of `object_store` are counted.
#[derive(Debug)]
struct Count(Arc<Requests>);

impl Intercept for Count {
    fn name(&self) -> &'static str {
        "Count"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.other(1);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let status = context.response().map(|answer| answer.status().as_u16());
        if matches!(status, None | Some(408 | 429 | 500..=599)) {
            self.0.retry();
        }
        Ok(())
    }
}
