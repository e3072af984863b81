//! A bucket, or a prefix of one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::client::{HttpClient, HttpConnector};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig, prefix::PrefixStore};

use super::once::{Once, Shared};
use super::refusal::{Attempt, conceals_region};
use super::region::Locator;
use super::requests::Requests;
use super::session::{Resolved, Session};
use super::wire::Connector;
use crate::signals::Stop;
use crate::{Error, Result};

/// A bucket, or a prefix of one; cheap to clone.
#[derive(Debug, Clone)]
pub struct S3 {
    store: Arc<AmazonS3>,
    /// The same, but it sends no request again.
    once: Arc<AmazonS3>,
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
    region: String,
    locator: Locator,
    /// Whether requests are signed.
    signed: bool,
    /// Whether they say that the requester pays.
    payer: bool,
    /// What ends requests.
    stop: Stop,
}

/// One LIST request. Keys and prefixes are relative to the store's own prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// What the keys start with; need not end at a `/`.
    pub prefix: String,
    /// Only keys after this one, in the order of bytes.
    pub start_after: Option<String>,
    /// Keys with a further `/` are rolled up into prefixes.
    pub delimiter: bool,
    /// At most so many keys and prefixes; S3's own limit is 1,000.
    pub max_keys: Option<usize>,
    /// The page before's [`next`](Page::next).
    pub token: Option<String>,
}

/// What one LIST request found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, in S3's order.
    pub objects: Vec<ListedKey>,
    /// Prefixes, each ending with `/`.
    pub prefixes: Vec<String>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// An object, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Its key, relative to the store's prefix. The slash at the end of a
    /// folder marker is lost.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Its ETag, quotes included.
    pub etag: Option<String>,
    /// When it was written.
    pub modified: DateTime<Utc>,
}

impl S3 {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What the store is rooted at: empty, or ends with `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Sends one LIST request (more if it must be tried again).
    ///
    /// # Errors
    /// What S3 refused, as [`Error::NoSuchBucket`], [`Error::WrongRegion`],
    /// [`Error::AccessDenied`] or [`Error::NoCredentials`]; [`Error::Stopped`], with
    /// no request, after a signal; else [`Error::Read`].
    pub async fn list_page(&self, request: &ListPage) -> Result<Page> {
        self.stop.check()?;
        let full = |key: &str| format!("{}{key}", self.prefix);
        let prefix = full(&request.prefix);
        let options = PaginatedListOptions {
            offset: request.start_after.as_deref().map(full),
            delimiter: request.delimiter.then_some("/".into()),
            max_keys: request.max_keys,
            page_token: request.token.clone(),
            ..PaginatedListOptions::default()
        };
        let listed = match self.store.list_paginated(some(&prefix), options).await {
            Ok(listed) => listed,
            Err(e) => return Err(self.list_error(&request.prefix, e).await),
        };

        let relative =
            |path: Path| String::from(path).strip_prefix(&self.prefix).map(str::to_owned);
        let objects = listed.result.objects.into_iter();
        let prefixes = listed.result.common_prefixes.into_iter();
        Ok(Page {
            objects: objects
                .filter_map(|o| {
                    relative(o.location).map(|key| ListedKey {
                        key,
                        size: o.size,
                        etag: o.e_tag,
                        modified: o.last_modified,
                    })
                })
                .collect(),
            prefixes: prefixes.filter_map(relative).map(|prefix| prefix + "/").collect(),
            next: listed.page_token,
        })
    }

    async fn list_error(&self, prefix: &str, e: object_store::Error) -> Error {
        if let Some(known) = self.explain("s3:ListBucket", prefix, &e) {
            return known;
        }
        // Only here: a run lists a source before it reads from it.
        if conceals_region(&e)
            && let Ok(actual) = self.locator.region(&self.bucket).await
            && actual != self.region
        {
            let (bucket, used) = (self.bucket.clone(), self.region.clone());
            return Error::WrongRegion { bucket, used, actual };
        }
        Error::Read { object: self.join(prefix), source: Box::new(e) }
    }

    /// The error of a refusal, if that is what went wrong.
    pub(super) fn explain(
        &self,
        action: &'static str,
        object: &str,
        e: &object_store::Error,
    ) -> Option<Error> {
        let &S3 { ref bucket, ref region, signed, payer, .. } = self;
        Attempt { bucket, region, action, place: self.join(object), signed, payer }.explain(e)
    }

    pub(super) fn join(&self, path: &str) -> String {
        format!("s3://{}/{}{path}", self.bucket, self.prefix)
    }

    /// Rooted at the prefix.
    pub(super) fn object_store(&self) -> Result<Arc<dyn ObjectStore>> {
        self.rooted(&self.store)
    }

    /// Rooted at the prefix; no request is sent again.
    pub(super) fn attempts(&self) -> Result<Arc<dyn ObjectStore>> {
        self.rooted(&self.once)
    }

    fn rooted(&self, store: &Arc<AmazonS3>) -> Result<Arc<dyn ObjectStore>> {
        if self.prefix.is_empty() {
            return Ok(Arc::clone(store) as _);
        }
        let prefix = Path::parse(&self.prefix)
            .map_err(|e| Error::Usage(format!("{}: {e}", self.join(""))))?;
        Ok(Arc::new(PrefixStore::new(Arc::clone(store), prefix)))
    }

    /// Builds the client; sends nothing unless the region must be found out.
    pub(super) async fn open(
        (bucket, prefix): (String, String),
        session: &Session,
        requests: &Arc<Requests>,
    ) -> Result<S3> {
        let options = session.options();
        if options.no_sign_request && options.request_payer {
            return Err(Error::Usage(
                "--request-payer needs signed requests: leave out --no-sign-request".into(),
            ));
        }
        let resolved = session.resolved().await;
        if let Some(credentials) = &resolved.credentials {
            // Here, so that a run without credentials ends before it starts.
            let failure = credentials.get().await.err();
            if let Some(failure) = failure {
                let source = Box::new(failure.of_profile(options.profile.as_deref()));
                return Err(Error::NoCredentials { source });
            }
        }
        let locator = Locator::new(session, requests).await;
        let region = match (&resolved.region, &resolved.endpoint) {
            (Some(region), _) => region.clone(),
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => locator.region(&bucket).await?,
        };
        let unusable = |e: object_store::Error| Error::Usage(format!("s3://{bucket}: {e}"));
        let stop = session.stop().clone();
        let wire = Connector {
            requests: Arc::clone(requests),
            region: region.clone(),
            stop: stop.clone(),
        };
        let client_options = client_options(resolved.endpoint.as_deref());
        let wire = wire.connect(&client_options).map_err(unusable)?;
        let build = |http, retry: RetryConfig| {
            let builder = client(&bucket, &region, session, resolved);
            let builder = builder.with_client_options(client_options.clone()).with_retry(retry);
            builder.with_http_connector(Shared(http)).build().map(Arc::new).map_err(unusable)
        };
        let never = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let once = build(HttpClient::new(Once(wire.clone())), never)?;
        let store = build(wire, RetryConfig::default())?;
        let (signed, payer) = (resolved.credentials.is_some(), options.request_payer);
        Ok(S3 { store, once, bucket, prefix, region, locator, signed, payer, stop })
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn client(bucket: &str, region: &str, session: &Session, resolved: &Resolved) -> AmazonS3Builder {
    let options = session.options();
    // A host name with a dot in the bucket has no valid certificate, and other
    // servers than AWS rarely have a host for each bucket.
    let path_style = options.path_style || resolved.endpoint.is_some() || bucket.contains('.');
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(region)
        .with_virtual_hosted_style_request(!path_style)
        .with_skip_signature(resolved.credentials.is_none())
        .with_request_payer(options.request_payer)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    if let Some(credentials) = &resolved.credentials {
        builder = builder.with_credentials(Arc::clone(credentials) as _);
    }
    if let Some(endpoint) = &resolved.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder
}

/// Requests are small (at most some MiB), so one that takes long is stuck.
fn client_options(endpoint: Option<&str>) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(30))
        .with_allow_http(endpoint.is_some_and(|url| url.starts_with("http://")))
}
