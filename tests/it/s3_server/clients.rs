//! Clients of the server, and requests by hand.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, RetryConfig};

use crate::s3::{ACCESS_KEY, REGION, SECRET_KEY, Server};

/// The bucket of most tests.
pub const BUCKET: &str = "bucket";

/// A server with an empty bucket.
pub fn server() -> Server {
    let server = Server::start();
    server.create_bucket(BUCKET);
    server
}

/// object_store's client, with quick retries.
pub fn store(server: &Server) -> AmazonS3 {
    builder(server).build().unwrap()
}

/// object_store's client, without retries.
pub fn store_once(server: &Server) -> AmazonS3 {
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    builder(server).with_retry(retry).build().unwrap()
}

pub fn builder(server: &Server) -> AmazonS3Builder {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(5),
        base: 2.0,
    };
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_bucket_name(BUCKET)
        .with_region(REGION)
        .with_access_key_id(ACCESS_KEY)
        .with_secret_access_key(SECRET_KEY)
        .with_retry(RetryConfig { backoff, ..RetryConfig::default() })
}

/// The AWS SDK's client.
pub fn sdk(server: &Server, region: &'static str) -> aws_sdk_s3::Client {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(ring).build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(server.endpoint())
        .force_path_style(true)
        .region(Region::new(region))
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// A request without a signature; gives the whole answer as text.
pub fn unsigned(server: &Server, method: &str, target: &str, headers: &[&str]) -> String {
    let address = server.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
