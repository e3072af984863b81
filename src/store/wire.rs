//! The HTTP layer below `object_store`: counts requests, reads refusals, and
//! cuts requests short after a signal.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::once::is_passing;
use super::refusal::{Answer, Refusal};
use super::requests::Requests;
use crate::Error;
use crate::signals::Stop;

/// Attempts to reach a server that never answered, before giving up.
///
/// `object_store` would go on for minutes, which is right for a server that
/// fails for a while and wrong for an endpoint that was mistyped.
const FIRST_CONTACT_ATTEMPTS: u32 = 4;

/// How long a request may take after a signal. Most are done by then; without
/// an end a server that stalls would hold up the process for minutes.
const GRACE: Duration = Duration::from_secs(1);

/// A request was ended since a signal asked the process to stop.
#[derive(Debug, thiserror::Error)]
#[error("the request was cut short by a signal")]
struct CutShort;

/// Says of what failed only since a signal ended its request that the signal did
/// it.
pub fn blame_signal(error: Error, stop: &Stop) -> Error {
    match stop.requested() {
        Some(signal) if was_cut_short(&error) => Error::Stopped(signal),
        _ => error,
    }
}

fn was_cut_short(e: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(e), |&e| e.source()).any(|e| e.is::<CutShort>())
}

/// Makes clients that count into one [`Requests`].
#[derive(Debug)]
pub(super) struct Connector {
    /// Where to count.
    pub(super) requests: Arc<Requests>,
    /// The region that requests are signed for.
    pub(super) region: String,
    /// What ends requests.
    pub(super) stop: Stop,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Wire {
            inner: ReqwestConnector::default().connect(options)?,
            requests: Arc::clone(&self.requests),
            region: self.region.clone(),
            stop: self.stop.clone(),
            answered: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        }))
    }
}

#[derive(Debug)]
struct Wire {
    inner: HttpClient,
    requests: Arc<Requests>,
    region: String,
    stop: Stop,
    answered: AtomicBool,
    failures: AtomicU32,
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_object = count(&self.requests, &request);
        match self.execute(request).await {
            Ok(response) => {
                self.answered.store(true, Relaxed);
                self.answered_with(response, is_object).await
            }
            Err(e) => Err(self.not_answered(e)),
        }
    }
}

impl Wire {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // A put that must find nothing decides a commit: what became of it is
        // to be known.
        let decides = request.headers().contains_key("if-none-match");
        let cut = async {
            self.stop.stopped().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            answered = self.inner.execute(request) => answered,
            () = cut, if !decides => Err(HttpError::new(HttpErrorKind::Unknown, CutShort)),
        }
    }

    async fn answered_with(
        &self,
        response: HttpResponse,
        is_object: bool,
    ) -> Result<HttpResponse, HttpError> {
        match response.status().as_u16() {
            200..=299 if is_object => {
                self.requests.get(0, content_length(&response));
                Ok(response)
            }
            301 | 400 | 403 | 404 => self.judge(response).await,
            status if is_passing(status) => {
                self.requests.retry();
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    /// A refusal becomes an error that `object_store` does not try again and
    /// hands on with its cause; any other answer goes on as it came.
    async fn judge(&self, response: HttpResponse) -> Result<HttpResponse, HttpError> {
        let (parts, body) = response.into_parts();
        let bytes = body.bytes().await?;
        let answer = Answer {
            status: parts.status.as_u16(),
            bucket_region: parts.headers.get("x-amz-bucket-region").and_then(|v| v.to_str().ok()),
            body: &String::from_utf8_lossy(&bytes),
            used_region: &self.region,
        };
        match Refusal::judge(&answer) {
            Some(refusal) => Err(HttpError::new(HttpErrorKind::Unknown, refusal)),
            None => Ok(HttpResponse::from_parts(parts, bytes.into())),
        }
    }

    fn not_answered(&self, e: HttpError) -> HttpError {
        use HttpErrorKind::{Connect, Interrupted, Request, Timeout};
        if !matches!(e.kind(), Connect | Request | Timeout | Interrupted) {
            return e;
        }
        let failures = self.failures.fetch_add(1, Relaxed) + 1;
        if failures >= FIRST_CONTACT_ATTEMPTS && !self.answered.load(Relaxed) {
            return HttpError::new(HttpErrorKind::Unknown, e);
        }
        self.requests.retry();
        e
    }
}

/// Counts a request; true if it reads an object.
fn count(requests: &Requests, request: &HttpRequest) -> bool {
    let asks = |wanted: &str| {
        let query = request.uri().query().unwrap_or_default();
        query.split('&').any(|pair| pair.trim_end_matches('=') == wanted)
    };
    match request.method().as_str() {
        "GET" if asks("list-type=2") => requests.list(1),
        "GET" => {
            requests.get(1, 0);
            return true;
        }
        // Several objects are deleted by a POST.
        "POST" if asks("delete") => requests.other(1),
        "PUT" | "POST" => requests.put(1, request.body().content_length() as u64),
        _ => requests.other(1),
    }
    false
}

fn content_length(response: &HttpResponse) -> u64 {
    let header = response.headers().get("content-length");
    header.and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok()).unwrap_or(0)
}
