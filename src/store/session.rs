//! AWS configuration, resolved once a process.

use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::OnceCell;

use super::credentials::CachedCredentials;
use crate::signals::Stop;

/// Profile files given by the caller, for aws-config's builders.
#[allow(deprecated, reason = "the one name of it that is not in a crate of aws-config's internals")]
type ProfileFiles = aws_config::profile::profile_file::ProfileFiles;

/// What the operator said of S3.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    /// A profile of the AWS configuration files. It wins over keys in the
    /// environment, as in the AWS CLI.
    pub profile: Option<String>,
    /// The buckets' region; if none is known, S3 is asked.
    pub region: Option<String>,
    /// A server other than AWS, such as MinIO; implies `path_style`.
    pub endpoint_url: Option<String>,
    /// The bucket goes into the path of requests, not into the host.
    pub path_style: bool,
    /// Requests are not signed, and no credentials are looked for.
    pub no_sign_request: bool,
    /// The caller pays for requests to requester-pays buckets.
    pub request_payer: bool,
}

/// AWS configuration, resolved at the first S3 URL and shared by all stores of
/// a run; a local run never touches it.
#[derive(Debug)]
pub struct Session {
    options: S3Options,
    /// What ends requests that are under way.
    stop: Stop,
    /// Instead of the files in `~/.aws`.
    profile_files: Option<ProfileFiles>,
    /// `None` if the environment is not to be read.
    region_variables: Option<EnvironmentVariableRegionProvider>,
    /// Instead of AWS, when asked for the region of a bucket.
    global_endpoint: Option<String>,
    resolved: OnceCell<Resolved>,
}

/// What aws-config found.
#[derive(Debug)]
pub(super) struct Resolved {
    /// From the options, the environment or the profile.
    pub(super) region: Option<String>,
    /// From the options, the environment or the profile.
    pub(super) endpoint: Option<String>,
    /// `None` if requests are not to be signed.
    pub(super) credentials: Option<Arc<CachedCredentials>>,
    /// For clients of the AWS SDK; has these credentials.
    pub(super) config: SdkConfig,
}

impl Session {
    /// A session that will resolve these options; nothing is looked up yet.
    pub fn new(options: S3Options) -> Session {
        Session {
            options,
            stop: Stop::default(),
            profile_files: None,
            region_variables: Some(EnvironmentVariableRegionProvider::new()),
            global_endpoint: None,
            resolved: OnceCell::new(),
        }
    }

    /// The same session, whose stores give up soon after a signal; see
    /// [`blame_signal`](super::blame_signal).
    pub fn stopped_by(self, stop: Stop) -> Session {
        Session { stop, ..self }
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// A session that reads this text for `~/.aws/config`, and no region from
    /// the environment.
    #[cfg(test)]
    #[allow(deprecated, reason = "the kind of a profile file has no other name either")]
    pub(super) fn with_profiles(options: S3Options, config: &str) -> Session {
        let kind = aws_config::profile::profile_file::ProfileFileKind::Config;
        let files = ProfileFiles::builder().with_contents(kind, config).build();
        Session { profile_files: Some(files), region_variables: None, ..Session::new(options) }
    }

    /// The same session, asking this server for the region of buckets.
    #[cfg(test)]
    pub(super) fn with_global_endpoint(self, endpoint: &str) -> Session {
        Session { global_endpoint: Some(endpoint.to_owned()), ..self }
    }

    pub(super) fn options(&self) -> &S3Options {
        &self.options
    }

    /// The server to ask for the region of a bucket; `None` is AWS.
    pub(super) fn global_endpoint(&self) -> Option<&str> {
        self.global_endpoint.as_deref()
    }

    pub(super) async fn resolved(&self) -> &Resolved {
        self.resolved.get_or_init(|| self.resolve()).await
    }

    async fn resolve(&self) -> Resolved {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let provider = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(http.clone());
        let region = self.region(&provider).await;

        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .no_credentials()
            .region(region.clone().unwrap_or_else(any_region));
        if let Some(profile) = &self.options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(files) = &self.profile_files {
            loader = loader.profile_files(files.clone());
        }
        let credentials = match self.options.no_sign_request {
            true => None,
            false => Some(Arc::new(self.credentials(provider, region.as_ref()).await)),
        };
        let mut config = loader.load().await.into_builder();
        let shared = |c| SharedCredentialsProvider::from(c as Arc<dyn ProvideCredentials>);
        config.set_credentials_provider(credentials.clone().map(shared));
        let config = config.build();

        Resolved {
            endpoint: self.options.endpoint_url.clone().or_else(|| endpoint(&config)),
            credentials,
            region: region.map(|r| r.to_string()),
            config,
        }
    }

    /// The region that was configured. Instance metadata is not asked: without
    /// a setting it is the bucket's own region that is wanted.
    async fn region(&self, provider: &ProviderConfig) -> Option<Region> {
        if let Some(region) = &self.options.region {
            return Some(Region::new(region.clone()));
        }
        let mut profile = ProfileFileRegionProvider::builder().configure(provider);
        if let Some(name) = &self.options.profile {
            profile = profile.profile_name(name);
        }
        if let Some(files) = &self.profile_files {
            profile = profile.profile_files(files.clone());
        }
        let named = |region: Option<Region>| region.filter(|r| !r.as_ref().is_empty());
        if let Some(variables) = &self.region_variables
            && let Some(region) = named(variables.region().await)
        {
            return Some(region);
        }
        named(profile.build().region().await)
    }

    async fn credentials(
        &self,
        provider: ProviderConfig,
        region: Option<&Region>,
    ) -> CachedCredentials {
        // STS needs a region, and any will do.
        let region = region.cloned().unwrap_or_else(any_region);
        let provider = provider.with_region(Some(region.clone()));
        CachedCredentials::new(match &self.options.profile {
            Some(name) => {
                let mut chain = ProfileFileCredentialsProvider::builder()
                    .configure(&provider)
                    .profile_name(name);
                if let Some(files) = &self.profile_files {
                    chain = chain.profile_files(files.clone());
                }
                SharedCredentialsProvider::new(chain.build())
            }
            None => {
                let chain = DefaultCredentialsChain::builder()
                    .imds_client(metadata(&provider))
                    .region(region)
                    .configure(provider);
                SharedCredentialsProvider::new(chain.build().await)
            }
        })
    }
}

/// A client of instance metadata that gives up soon: away from EC2 nobody
/// answers there.
fn metadata(provider: &ProviderConfig) -> imds::Client {
    imds::Client::builder()
        .configure(provider)
        .max_attempts(2)
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(1))
        .build()
}

/// For what needs a region to be named, whichever it is.
pub(super) fn any_region() -> Region {
    Region::from_static("us-east-1")
}

/// `AWS_ENDPOINT_URL_S3` or the profile's setting for S3, then those for all
/// services.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_s3 = config.service_config().and_then(|settings| settings.load_config(key));
    of_s3.or_else(|| config.endpoint_url().map(str::to_owned))
}
