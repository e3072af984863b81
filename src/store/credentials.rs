//! Credentials: from aws-config's providers to `object_store` and the AWS SDK.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;

use super::refusal::CredentialFailure;

/// How long before they expire credentials are asked for anew.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Credentials, asked for once and again before they expire; callers that come
/// while they are asked for wait for that one answer.
#[derive(Debug)]
pub(super) struct CachedCredentials {
    provider: SharedCredentialsProvider,
    cached: Mutex<Option<Cached>>,
}

#[derive(Debug)]
struct Cached {
    credential: Arc<AwsCredential>,
    /// When to ask again, and when there is no way round it.
    refresh: Option<(SystemTime, SystemTime)>,
}

impl CachedCredentials {
    pub(super) fn new(provider: SharedCredentialsProvider) -> CachedCredentials {
        CachedCredentials { provider, cached: Mutex::new(None) }
    }

    /// Credentials that are good for some minutes.
    ///
    /// If they cannot be renewed, the old ones serve until they expire.
    pub(super) async fn get(&self) -> Result<Arc<AwsCredential>, CredentialFailure> {
        self.get_at(SystemTime::now).await
    }

    /// The same, by this clock, which is read once there is nobody to wait for.
    async fn get_at(
        &self,
        clock: impl FnOnce() -> SystemTime,
    ) -> Result<Arc<AwsCredential>, CredentialFailure> {
        let mut cached = self.cached.lock().await;
        let now = clock();
        if let Some(c) = cached.as_ref()
            && c.refresh.is_none_or(|(soon, _)| now < soon)
        {
            return Ok(Arc::clone(&c.credential));
        }
        match self.provider.provide_credentials().await {
            Ok(fresh) => {
                let fresh = Cached::new(&fresh, now);
                Ok(Arc::clone(&cached.insert(fresh).credential))
            }
            Err(e) => match cached.as_ref() {
                Some(Cached { credential, refresh: Some((_, end)) }) if now < *end => {
                    tracing::warn!(error = chain(&e), "AWS credentials could not be renewed yet");
                    Ok(Arc::clone(credential))
                }
                _ => Err(CredentialFailure(chain(&e))),
            },
        }
    }
}

#[async_trait]
impl CredentialProvider for CachedCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.get()
            .await
            .map_err(|e| object_store::Error::Generic { store: "S3", source: Box::new(e) })
    }
}

impl ProvideCredentials for CachedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let held = self.get().await.map_err(CredentialsError::provider_error)?;
            let (id, secret) = (held.key_id.as_str(), held.secret_key.as_str());
            Ok(Credentials::new(id, secret, held.token.clone(), None, "pinclean"))
        })
    }
}

impl Cached {
    fn new(fresh: &Credentials, now: SystemTime) -> Cached {
        let credential = AwsCredential {
            key_id: fresh.access_key_id().to_owned(),
            secret_key: fresh.secret_access_key().to_owned(),
            token: fresh.session_token().map(str::to_owned),
        };
        let refresh = fresh.expiry().map(|end| {
            let left = end.duration_since(now).unwrap_or_default();
            // Half the time, for credentials that live no longer than the margin.
            (now + left.saturating_sub(MARGIN).max(left / 2), end)
        });
        Cached { credential: Arc::new(credential), refresh }
    }
}

/// An error and its causes in one line; aws-config says little at the top.
fn chain(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(e), |&e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use aws_credential_types::provider;

    use super::*;

    /// Hands out keys `key1`, `key2`, … and then fails.
    #[derive(Debug)]
    struct Script {
        expiry: Option<SystemTime>,
        answers: u32,
        asked: Arc<AtomicU32>,
    }

    impl Script {
        fn answer(&self) -> provider::Result {
            let n = self.asked.fetch_add(1, SeqCst) + 1;
            if n > self.answers {
                return Err(CredentialsError::provider_error("the token service is away"));
            }
            Ok(Credentials::new(format!("key{n}"), "secret", None, self.expiry, "script"))
        }
    }

    impl ProvideCredentials for Script {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                tokio::task::yield_now().await;
                self.answer()
            })
        }
    }

    /// So many seconds after some moment.
    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    /// Credentials that expire so many seconds after that moment.
    fn script(expiry: Option<u64>, answers: u32) -> (Arc<CachedCredentials>, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let script = Script { expiry: expiry.map(at), answers, asked: Arc::clone(&asked) };
        let cached = CachedCredentials::new(SharedCredentialsProvider::new(script));
        (Arc::new(cached), asked)
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_by_many_at_the_same_time() {
        for expiry in [None, Some(3_600), Some(60)] {
            let (cached, asked) = script(expiry, 1);
            let all = futures::future::join_all((0..20).map(|_| cached.get_at(|| at(0)))).await;
            assert!(all.iter().all(|c| c.as_ref().unwrap().key_id == "key1"));
            assert_eq!(asked.load(SeqCst), 1, "{expiry:?}");
        }
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_they_expire() {
        for (expiry, good, late) in [(3_600, 3_299, 3_300), (60, 29, 30)] {
            let (cached, _) = script(Some(expiry), 2);
            for (now, key) in [(0, "key1"), (good, "key1"), (late, "key2")] {
                assert_eq!(cached.get_at(|| at(now)).await.unwrap().key_id, key, "{now}");
            }
        }
    }

    #[tokio::test]
    async fn old_credentials_serve_until_they_expire_and_then_the_cause_is_told() {
        let (cached, asked) = script(Some(400), 1);
        for (now, times) in [(0, 1), (199, 1), (200, 2), (399, 3)] {
            assert_eq!(cached.get_at(|| at(now)).await.unwrap().key_id, "key1");
            assert_eq!(asked.load(SeqCst), times, "{now}");
        }
        let failure = cached.get_at(|| at(400)).await.unwrap_err();
        assert!(failure.0.contains("the token service is away"), "{failure}");
    }

    #[tokio::test]
    async fn the_clock_of_the_system_is_what_counts() {
        let in_an_hour = SystemTime::now() + Duration::from_secs(3_600);
        let script = |expiry| {
            let asked = Arc::new(AtomicU32::new(0));
            let script = Script { expiry: Some(expiry), answers: 9, asked: Arc::clone(&asked) };
            (CachedCredentials::new(SharedCredentialsProvider::new(script)), asked)
        };
        for (expiry, times) in [(in_an_hour, 1), (at(0), 2)] {
            let (cached, asked) = script(expiry);
            cached.get().await.unwrap();
            cached.get().await.unwrap();
            assert_eq!(asked.load(SeqCst), times);
        }
    }
}
