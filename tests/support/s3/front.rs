//! The HTTP side: connections in, and answers that are lost, cut or altered
//! after s3s gave them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpResponse};
use tokio::net::{TcpListener, TcpStream};

use super::gate::{Fate, Trip};
use super::log::{Op, Request as Logged};
use super::{REGION, State};

/// Long enough for what was written to leave before the connection breaks.
const FLUSH: Duration = Duration::from_millis(2);

#[derive(Clone)]
pub struct Front {
    pub state: Arc<State>,
    pub service: S3Service,
}

impl Front {
    /// Accepts until the runtime is shut down.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    self.state.log.connected();
                    tokio::spawn(self.clone().connection(stream));
                }
                // Out of descriptors: the others must end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let front = self.clone();
            async move { front.answer(request).await }
        });
        let server = auto::Builder::new(TokioExecutor::new()).http1_only();
        // An error is a connection that one side broke, often on purpose.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    /// An error closes the connection without an answer.
    async fn answer(&self, mut request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let _in_flight = self.state.log.enter();
        let trip = Arc::new(Trip::default());
        request.extensions_mut().insert(Arc::clone(&trip));
        let method = request.method().as_str().to_owned();
        let mut response = self.service.call(request.map(Body::from)).await?;
        if let Some(region) = trip.region.get().and_then(|region| region.parse().ok()) {
            response.headers_mut().insert("x-amz-bucket-region", region);
        }
        let response = match trip.fate.get() {
            None => response,
            Some(Fate::Close) => return Err(broken()),
            Some(Fate::InternalError) => internal_error(),
            Some(Fate::WrongRegion { used, actual }) => wrong_region(used, actual),
            Some(Fate::CutBody(length)) => cut(response, *length).await?,
        };
        let entry = trip.entry.get_or_init(|| self.state.log.push(refused(method)));
        entry.answered(response.status().as_u16());
        Ok(response)
    }
}

/// A request that did not come as far as the gate.
fn refused(method: String) -> Logged {
    Logged {
        op: Op::Other,
        method,
        bucket: String::new(),
        key: None,
        prefix: None,
        start_after: None,
        continued: false,
        range: None,
        signed: false,
        status: None,
    }
}

fn broken() -> HttpError {
    HttpError::new(Box::new(io::Error::from(io::ErrorKind::ConnectionAborted)))
}

fn internal_error() -> HttpResponse {
    let message = "We encountered an internal error. Please try again.";
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message, "")
}

/// The endpoint of the first region names the right one in a 400; the others
/// answer 301. Neither has a `Location`.
fn wrong_region(used: &str, actual: &str) -> HttpResponse {
    let mut response = if used == REGION {
        let message = format!(
            "The authorization header is malformed; the region '{used}' is wrong; expecting '{actual}'"
        );
        let region = format!("<Region>{actual}</Region>");
        error(StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed", &message, &region)
    } else {
        let message = "The bucket you are attempting to access must be addressed using the \
                       specified endpoint. Please send all future requests to this endpoint.";
        let endpoint = format!("<Endpoint>s3.{actual}.amazonaws.com</Endpoint>");
        error(StatusCode::MOVED_PERMANENTLY, "PermanentRedirect", message, &endpoint)
    };
    if let Ok(region) = HeaderValue::from_str(actual) {
        response.headers_mut().insert("x-amz-bucket-region", region);
    }
    response
}

fn error(status: StatusCode, code: &str, message: &str, more: &str) -> HttpResponse {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    );
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, xml);
    response
}

/// Promises the whole body, sends its start, and breaks off.
async fn cut(response: HttpResponse, length: usize) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let whole = body.collect().await.map_err(HttpError::new)?.to_bytes();
    let start = whole.slice(..length.min(whole.len().saturating_sub(1)));
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let frames = stream::unfold(Some(start), |start| async move {
        match start {
            Some(start) => Some((Ok(Frame::data(start)), None)),
            None => {
                tokio::time::sleep(FLUSH).await;
                let error: io::Error = io::ErrorKind::ConnectionAborted.into();
                Some((Err::<Frame<Bytes>, _>(error), None))
            }
        }
    });
    let body = Body::http_body_unsync(StreamBody::new(frames));
    Ok(HttpResponse::from_parts(parts, body))
}
