//! S3, as typed.

use clap::Args;

/// What to know of S3, as typed.
#[derive(Debug, Args)]
#[command(next_help_heading = "S3")]
pub struct S3Args {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the bucket [default: found out]
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Server that speaks S3, such as MinIO
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Put the bucket in the path, not in the host name
    #[arg(long)]
    pub path_style: bool,
    /// Send no credentials, for public buckets
    #[arg(long)]
    pub no_sign_request: bool,
    /// Pay for the requests, for buckets that ask for it
    #[arg(long)]
    pub request_payer: bool,
}
