//! What S3 says when it refuses, and what the operator can do about it.

use std::error::Error as StdError;
use std::fmt;

use crate::Error;

/// A refusal that trying again does not help.
///
/// It is made where the answer's status, header and body are at hand, and
/// travels to the caller as the innermost cause of an `object_store::Error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    verdict: Verdict,
    status: u16,
    code: String,
    message: String,
    hint: Option<&'static str>,
}

/// Why S3 may have denied a request that the credentials allow; it does not say.
const UNSIGNED: &str = "the bucket is not public: leave out --no-sign-request";
const WHO_PAYS: &str = "if the requester pays for the bucket, add --request-payer";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Region(String),
    /// Another one, which the answer does not name.
    OtherRegion,
    NoBucket,
    Denied,
    Credentials,
}

/// An answer of S3 that is not a success.
pub(super) struct Answer<'a> {
    /// HTTP status.
    pub(super) status: u16,
    /// The header `x-amz-bucket-region`.
    pub(super) bucket_region: Option<&'a str>,
    /// The error document; empty for HEAD.
    pub(super) body: &'a str,
    /// The region that the request was signed for.
    pub(super) used_region: &'a str,
}

impl Refusal {
    /// `None` if the answer is for the caller, or to be tried again.
    ///
    /// Statuses and codes: "Error responses" in the Amazon S3 API reference.
    pub(super) fn judge(answer: &Answer<'_>) -> Option<Refusal> {
        let code = tag(answer.body, "Code").unwrap_or_default();
        let named = answer.bucket_region.or_else(|| tag(answer.body, "Region"));
        let other_region = named.filter(|r| !r.is_empty() && *r != answer.used_region);
        let verdict = match (answer.status, code, other_region) {
            (301 | 400, _, Some(region)) => Verdict::Region(region.to_owned()),
            (301, _, None)
            | (400, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", None)
                if named.is_none() =>
            {
                Verdict::OtherRegion
            }
            (400 | 403, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _)
            | (403, "InvalidAccessKeyId" | "SignatureDoesNotMatch", _) => Verdict::Credentials,
            // A clock that is wrong, or an object in an archive (Glacier), is no
            // matter of permissions.
            (403, "RequestTimeTooSkewed" | "InvalidObjectState", _) => return None,
            (403, _, _) => Verdict::Denied,
            (404, "NoSuchBucket", _) => Verdict::NoBucket,
            _ => return None,
        };
        Some(Refusal {
            verdict,
            status: answer.status,
            code: code.to_owned(),
            message: tag(answer.body, "Message").unwrap_or_default().to_owned(),
            hint: None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&answered(self.status, &self.code, &self.message))?;
        self.hint.map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl StdError for Refusal {}

/// What an answer says, in words.
pub(super) fn said(status: u16, body: &str) -> String {
    let part = |name| tag(body, name).unwrap_or_default();
    answered(status, part("Code"), part("Message"))
}

fn answered(status: u16, code: &str, message: &str) -> String {
    match (code, message) {
        ("", _) => format!("S3 answered {status}"),
        (code, "") => format!("S3 answered {status} {code}"),
        (code, message) => format!("S3 answered {status} {code}: {message}"),
    }
}

/// What the credential chain said, its causes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CredentialFailure(pub(super) String);

impl CredentialFailure {
    /// The same failure of a named profile. Where there are no AWS files at all
    /// the chain does not say which one it looked for.
    pub(super) fn of_profile(self, profile: Option<&str>) -> CredentialFailure {
        match profile {
            Some(name) if !self.0.contains(name) => {
                CredentialFailure(format!("profile `{name}` gives none: {}", self.0))
            }
            _ => self,
        }
    }
}

impl fmt::Display for CredentialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for CredentialFailure {}

/// What a request was for.
pub(super) struct Attempt<'a> {
    /// The bucket.
    pub(super) bucket: &'a str,
    /// The region that it was signed for.
    pub(super) region: &'a str,
    /// The IAM action that it needs.
    pub(super) action: &'static str,
    /// The URL of the object or prefix.
    pub(super) place: String,
    /// Whether it was signed.
    pub(super) signed: bool,
    /// Whether it said that the requester pays.
    pub(super) payer: bool,
}

impl Attempt<'_> {
    /// The error of a refusal, if that is what went wrong.
    pub(super) fn explain(&self, e: &(dyn StdError + 'static)) -> Option<Error> {
        if let Some(failure) = find::<CredentialFailure>(e) {
            return Some(Error::NoCredentials { source: Box::new(failure.clone()) });
        }
        let refusal = find::<Refusal>(e)?;
        let source = Box::new(refusal.clone());
        Some(match &refusal.verdict {
            Verdict::Region(actual) => Error::WrongRegion {
                bucket: self.bucket.to_owned(),
                used: self.region.to_owned(),
                actual: actual.clone(),
            },
            Verdict::OtherRegion => return None,
            Verdict::NoBucket => Error::NoSuchBucket { bucket: self.bucket.to_owned(), source },
            Verdict::Denied => {
                let source = Box::new(Refusal { hint: self.hint(), ..refusal.clone() });
                Error::AccessDenied { action: self.action, place: self.place.clone(), source }
            }
            Verdict::Credentials => Error::NoCredentials { source },
        })
    }

    fn hint(&self) -> Option<&'static str> {
        match (self.signed, self.payer) {
            (false, _) => Some(UNSIGNED),
            (true, false) => Some(WHO_PAYS),
            (true, true) => None,
        }
    }
}

/// Whether S3 refused for a region that it did not name.
pub(super) fn conceals_region(e: &(dyn StdError + 'static)) -> bool {
    find::<Refusal>(e).is_some_and(|refusal| refusal.verdict == Verdict::OtherRegion)
}

/// The first cause of a type, the error itself included.
pub(super) fn find<'e, T: StdError + 'static>(e: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    std::iter::successors(Some(e), |&e| e.source()).find_map(|e| e.downcast_ref())
}

/// The text of an element; S3's error documents are flat and have no attributes.
fn tag<'b>(body: &'b str, name: &str) -> Option<&'b str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, bucket_region: Option<&str>, body: &str) -> Option<Verdict> {
        let answer = Answer { status, bucket_region, body, used_region: "us-east-1" };
        Refusal::judge(&answer).map(|refusal| refusal.verdict)
    }

    fn error(code: &str) -> String {
        format!("<Error><Code>{code}</Code><Message>why</Message></Error>")
    }

    #[test]
    fn an_answer_is_judged_by_status_code_and_region() {
        let region = Some(Verdict::Region("eu-west-1".into()));
        let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code>\
            <Message>wrong</Message><Region>eu-west-1</Region></Error>";
        let cases = [
            (301, Some("eu-west-1"), "".to_owned(), region.clone()),
            (301, None, error("PermanentRedirect"), Some(Verdict::OtherRegion)),
            (301, Some("us-east-1"), error("PermanentRedirect"), None),
            (400, None, error("AuthorizationHeaderMalformed"), Some(Verdict::OtherRegion)),
            (400, None, malformed.to_owned(), region),
            (400, Some("us-east-1"), error("InvalidRequest"), None),
            (400, None, error("ExpiredToken"), Some(Verdict::Credentials)),
            (403, None, error("InvalidAccessKeyId"), Some(Verdict::Credentials)),
            (403, Some("us-east-1"), error("AccessDenied"), Some(Verdict::Denied)),
            (403, None, "".to_owned(), Some(Verdict::Denied)),
            (403, None, error("RequestTimeTooSkewed"), None),
            (403, None, error("InvalidObjectState"), None),
            (404, None, error("NoSuchBucket"), Some(Verdict::NoBucket)),
            (404, None, error("NoSuchKey"), None),
            (412, None, error("PreconditionFailed"), None),
        ];
        for (status, header, body, expected) in cases {
            assert_eq!(verdict(status, header, &body), expected, "{status} {header:?} {body}");
        }
    }

    #[test]
    fn a_refusal_repeats_what_s3_said() {
        let cases = [
            ("", "S3 answered 403"),
            ("<Error><Code>AccessDenied</Code></Error>", "S3 answered 403 AccessDenied"),
            (&error("AccessDenied"), "S3 answered 403 AccessDenied: why"),
        ];
        for (body, expected) in cases {
            let answer = Answer { status: 403, bucket_region: None, body, used_region: "" };
            assert_eq!(Refusal::judge(&answer).unwrap().to_string(), expected);
        }
    }
}
