//! What every request passes before it is served: the log, the bucket's rules,
//! the faults. Signatures were checked before, by s3s.

use std::sync::{Arc, OnceLock};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::faults::Fault;
use super::log::{Entry, Op, Request};
use super::store::Bucket;
use super::{ACCESS_KEY, REGION, SECRET_KEY, State};

/// Carried by a request through s3s, so that the gate can tell the front what
/// to make of the answer.
#[derive(Debug, Default)]
pub struct Trip {
    pub entry: OnceLock<Arc<Entry>>,
    /// The region of the bucket, where S3 names it in the answer.
    pub region: OnceLock<String>,
    pub fate: OnceLock<Fate>,
}

/// What becomes of an answer.
#[derive(Debug)]
pub enum Fate {
    Close,
    CutBody(usize),
    InternalError,
    /// The signature names another region than the bucket's.
    WrongRegion {
        used: String,
        actual: String,
    },
}

/// The one key pair of the server.
pub struct Keys;

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let unknown = "The AWS Access Key Id you provided does not exist in our records.";
        match access_key {
            ACCESS_KEY => Ok(SecretKey::from(SECRET_KEY)),
            _ => Err(s3_error!(InvalidAccessKeyId, "{}", unknown)),
        }
    }
}

pub struct Gate(pub Arc<State>);

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let trip = cx.extensions_mut().get::<Arc<Trip>>().cloned().unwrap_or_default();
        let entry = self.0.log.push(describe(cx));
        let _ = trip.entry.set(Arc::clone(&entry));
        let request = entry.request();
        if let Some(bucket) = self.0.store.find(&request.bucket) {
            admit(cx, request, &bucket, &trip)?;
        } else if !request.signed {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        self.meet(request, &trip).await
    }
}

impl Gate {
    async fn meet(&self, request: &Request, trip: &Trip) -> S3Result<()> {
        let met = self.0.faults.meet(request);
        if !met.delay.is_zero() {
            tokio::time::sleep(met.delay).await;
        }
        if request.op == Op::Get {
            self.0.faults.run_hook(request, &self.0.store);
        }
        let fate = match met.fault {
            None | Some(Fault::Delay(_)) => return Ok(()),
            Some(Fault::SlowDown) => {
                return Err(s3_error!(SlowDown, "Please reduce your request rate."));
            }
            Some(Fault::InternalError) => return Err(s3_error!(InternalError)),
            Some(Fault::AccessDenied) => return Err(s3_error!(AccessDenied, "Access Denied")),
            Some(Fault::Close) => {
                let _ = trip.fate.set(Fate::Close);
                return Err(s3_error!(InternalError));
            }
            Some(Fault::CutBody(length)) => Fate::CutBody(length),
            Some(Fault::LandThenError) => Fate::InternalError,
            Some(Fault::LandThenClose) => Fate::Close,
        };
        let _ = trip.fate.set(fate);
        Ok(())
    }
}

fn describe(cx: &S3AccessContext<'_>) -> Request {
    let op = Op::named(cx.s3_op().name());
    let header = |name: &str| Some(cx.headers().get(name)?.to_str().ok()?.to_owned());
    let mut request = Request {
        op,
        method: cx.method().as_str().to_owned(),
        bucket: cx.s3_path().get_bucket_name().unwrap_or("").to_owned(),
        key: cx.s3_path().get_object_key().map(str::to_owned),
        prefix: None,
        start_after: None,
        continued: false,
        range: header("range"),
        signed: cx.credentials().is_some(),
        status: None,
    };
    if op == Op::List {
        let query = cx.uri().query().unwrap_or("");
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "prefix" => request.prefix = Some(value.into_owned()),
                "start-after" => request.start_after = Some(value.into_owned()),
                "continuation-token" => request.continued = true,
                _ => {}
            }
        }
    }
    request
}

/// The rules of one bucket: region, signature, who pays.
fn admit(
    cx: &S3AccessContext<'_>,
    request: &Request,
    bucket: &Bucket,
    trip: &Trip,
) -> S3Result<()> {
    let options = &bucket.options;
    if matches!(request.op, Op::List | Op::HeadBucket) {
        let _ = trip.region.set(options.region.clone());
    }
    let used = signed_region(cx).unwrap_or(&options.region);
    // The first region answers where any bucket is.
    let asks_where = request.op == Op::BucketLocation && used == REGION;
    if used != options.region && !asks_where {
        let fate = Fate::WrongRegion { used: used.to_owned(), actual: options.region.clone() };
        let _ = trip.fate.set(fate);
        return Err(s3_error!(AuthorizationHeaderMalformed));
    }
    if !request.signed && !options.public {
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    if options.requester_pays && !cx.headers().contains_key("x-amz-request-payer") {
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    Ok(())
}

/// From `Credential=<key>/<date>/<region>/s3/aws4_request`.
fn signed_region<'a>(cx: &'a S3AccessContext<'_>) -> Option<&'a str> {
    let header = cx.headers().get("authorization")?.to_str().ok()?;
    header.split_once("Credential=")?.1.split('/').nth(2)
}
