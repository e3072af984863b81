//! A client that leaves it to its caller to send a request again.
//!
//! `object_store` would do it out of sight: who paces requests has to see which
//! ones were refused, and one that waits must not count as being under way.

use std::error::Error as StdError;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use super::refusal::{find, said};

/// Why a request was not served, if it may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum Unserved {
    /// S3 had no answer for now.
    #[error("{said}")]
    Refused {
        /// HTTP status: 408, 429 or 5xx.
        status: u16,
        /// The answer.
        said: String,
    },
    /// There was no answer.
    #[error("S3 did not answer")]
    Unanswered {
        /// Whether it was waited for until it was given up.
        late: bool,
        /// What the connection met.
        source: HttpError,
    },
}

impl Unserved {
    /// Whether fewer requests should be sent.
    pub fn asks_to_slow_down(&self) -> bool {
        match self {
            Unserved::Refused { status, .. } => matches!(status, 429 | 503),
            Unserved::Unanswered { late, .. } => *late,
        }
    }
}

/// Why a request was not served, if that is why it failed and it may be sent
/// again. Only [`Store::attempts`](super::Store::attempts) gives such errors.
pub fn unserved(e: &object_store::Error) -> Option<&Unserved> {
    find(e as &(dyn StdError + 'static))
}

/// Whether a body was waited for until it was given up.
pub fn timed_out(e: &object_store::Error) -> bool {
    find::<HttpError>(e).is_some_and(|e| e.kind() == HttpErrorKind::Timeout)
}

/// Gives one HTTP client to several stores, which then share its connections.
#[derive(Debug)]
pub(super) struct Shared(pub(super) HttpClient);

impl HttpConnector for Shared {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

/// Turns what could be sent again into an error that `object_store` hands on.
#[derive(Debug)]
pub(super) struct Once(pub(super) HttpClient);

#[async_trait]
impl HttpService for Once {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        use HttpErrorKind::{Connect, Interrupted, Request, Timeout};
        let unserved = match self.0.execute(request).await {
            Ok(response) if is_passing(response.status().as_u16()) => refused(response).await,
            Ok(response) => return Ok(response),
            Err(e) if matches!(e.kind(), Connect | Request | Timeout | Interrupted) => {
                Unserved::Unanswered { late: e.kind() == Timeout, source: e }
            }
            Err(e) => return Err(e),
        };
        Err(HttpError::new(HttpErrorKind::Unknown, unserved))
    }
}

/// Whether a request with this status may be sent again.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

async fn refused(response: HttpResponse) -> Unserved {
    let status = response.status().as_u16();
    let body = response.into_body().bytes().await.unwrap_or_default();
    Unserved::Refused { status, said: said(status, &String::from_utf8_lossy(&body)) }
}
