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
        let mut cached = self.cached.lock().await;
        let now = SystemTime::now();
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
        lifetime: Option<Duration>,
        answers: u32,
        asked: Arc<AtomicU32>,
    }

    impl Script {
        fn answer(&self) -> provider::Result {
            let n = self.asked.fetch_add(1, SeqCst) + 1;
            if n > self.answers {
                return Err(CredentialsError::provider_error("the token service is away"));
            }
            let expiry = self.lifetime.map(|l| SystemTime::now() + l);
            Ok(Credentials::new(format!("key{n}"), "secret", None, expiry, "script"))
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

    fn script(lifetime: Option<u64>, answers: u32) -> (Arc<CachedCredentials>, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let lifetime = lifetime.map(Duration::from_millis);
        let provider = Script { lifetime, answers, asked: Arc::clone(&asked) };
        let cached = CachedCredentials::new(SharedCredentialsProvider::new(provider));
        (Arc::new(cached), asked)
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_by_many_at_the_same_time() {
        for lifetime in [None, Some(3_600_000), Some(60_000)] {
            let (cached, asked) = script(lifetime, 1);
            let all = futures::future::join_all((0..20).map(|_| cached.get())).await;
            assert!(all.iter().all(|c| c.as_ref().unwrap().key_id == "key1"));
            assert_eq!(asked.load(SeqCst), 1, "{lifetime:?}");
        }
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_they_expire() {
        let (cached, _) = script(Some(40), 2);
        assert_eq!(cached.get().await.unwrap().key_id, "key1");
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert_eq!(cached.get().await.unwrap().key_id, "key2");
    }

    #[tokio::test]
    async fn old_credentials_serve_until_they_expire_and_then_the_cause_is_told() {
        let (cached, asked) = script(Some(400), 1);
        assert_eq!(cached.get().await.unwrap().key_id, "key1");
        tokio::time::sleep(Duration::from_millis(220)).await;
        assert_eq!(cached.get().await.unwrap().key_id, "key1");
        assert_eq!(asked.load(SeqCst), 2);
        tokio::time::sleep(Duration::from_millis(220)).await;
        let failure = cached.get().await.unwrap_err();
        assert!(failure.0.contains("the token service is away"), "{failure}");
    }
}
