//! A server that says what a test tells it to, and the tests of what we send to
//! S3 and make of its answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutMode};

use super::*;

/// Answers requests in turn, and goes on with the last answer.
struct Canned {
    endpoint: String,
    heads: Arc<Mutex<Vec<String>>>,
}

/// Status line, further headers (each with its line end), body.
type Answer = (&'static str, &'static str, String);

impl Canned {
    fn start(answers: Vec<Answer>) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let answer = &answers[n.min(answers.len() - 1)];
                serve(stream.unwrap(), answer, &log);
            }
        });
        Canned { endpoint, heads }
    }

    /// Request line and headers of each request so far.
    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// The request is in the log before its answer is sent, so that whoever has the
/// answer finds it there.
fn serve(stream: TcpStream, (status, headers, body): &Answer, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut sent = vec![0; length.map_or(0, |n| n.parse().unwrap())];
    reader.read_exact(&mut sent).unwrap();
    log.lock().unwrap().push(head);
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
}

const PROFILES: &str = "[profile lake]\n\
    aws_access_key_id = AKIDLAKE\n\
    aws_secret_access_key = secret\n\
    region = eu-central-1\n";

fn options(server: &Canned) -> S3Options {
    S3Options {
        profile: Some("lake".into()),
        endpoint_url: Some(server.endpoint.clone()),
        ..S3Options::default()
    }
}

async fn open(url: &str, options: S3Options) -> Store {
    Store::open(url, &Session::with_profiles(options, PROFILES)).await.unwrap()
}

fn s3(store: &Store) -> &S3 {
    match store.backend() {
        Backend::S3(s3) => s3,
        Backend::Local(root) => panic!("{root:?} is local"),
    }
}

async fn list(store: &Store) -> Result<Page> {
    let prefix = "topics/".to_owned();
    s3(store).list_page(&ListPage { prefix, ..ListPage::default() }).await
}

fn ok(body: &str) -> Answer {
    ("200 OK", "", body.to_owned())
}

fn error(status: &'static str, headers: &'static str, code: &str) -> Answer {
    (status, headers, format!("<Error><Code>{code}</Code><Message>why</Message></Error>"))
}

const EMPTY_LIST: &str = "<ListBucketResult></ListBucketResult>";

#[tokio::test]
async fn a_page_is_asked_for_and_told_in_keys_relative_to_the_prefix() {
    let server = Canned::start(vec![ok("<ListBucketResult><Name>lake</Name>\
        <Contents><Key>in/topics/t/a+0+0000000007.json</Key><Size>12</Size>\
          <LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>\"e1\"</ETag></Contents>\
        <Contents><Key>in/topics/t/x&amp;y z%20</Key><Size>0</Size>\
          <LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>\
        <CommonPrefixes><Prefix>in/topics/t/partition=0/</Prefix></CommonPrefixes>\
        <NextContinuationToken>more</NextContinuationToken></ListBucketResult>")]);
    let store = open("s3://lake/in", options(&server)).await;
    let request = ListPage {
        prefix: "topics/t/".into(),
        start_after: Some("topics/t/a".into()),
        delimiter: true,
        max_keys: Some(7),
        token: Some("tok".into()),
    };
    let page = s3(&store).list_page(&request).await.unwrap();

    let listed = |key: &str, size, etag: Option<&str>| ListedKey {
        key: key.into(),
        size,
        etag: etag.map(str::to_owned),
        modified: chrono::DateTime::from_timestamp(1_704_067_200, 0).unwrap(),
    };
    let expected = Page {
        objects: vec![
            listed("topics/t/a+0+0000000007.json", 12, Some("\"e1\"")),
            listed("topics/t/x&y z%20", 0, None),
        ],
        prefixes: vec!["topics/t/partition=0/".into()],
        next: Some("more".into()),
    };
    assert_eq!(page, expected);
    let head = &server.heads()[0];
    let line = "get /lake?continuation-token=tok&delimiter=%2f&list-type=2\
        &prefix=in%2ftopics%2ft%2f&start-after=in%2ftopics%2ft%2fa&max-keys=7 http";
    assert!(head.starts_with(line), "{head}");
    assert_eq!(store.requests().snapshot(), RequestCounts { list: 1, ..Default::default() });
}

#[tokio::test]
async fn credentials_and_region_come_from_the_profile() {
    let server = Canned::start(vec![ok(EMPTY_LIST)]);
    let store = open("s3://lake", options(&server)).await;
    assert_eq!(list(&store).await.unwrap(), Page::default());
    let head = &server.heads()[0];
    assert!(head.contains("credential=akidlake/"), "{head}");
    assert!(head.contains("/eu-central-1/s3/aws4_request"), "{head}");
    assert!(!head.contains("x-amz-request-payer"), "{head}");
}

#[tokio::test]
async fn the_endpoint_comes_from_the_profile_and_that_of_s3_wins() {
    if endpoint_in_environment() {
        return;
    }
    let server = Canned::start(vec![ok(EMPTY_LIST)]);
    let both = format!(
        "{PROFILES}services = local\nendpoint_url = http://127.0.0.1:1\n\
         [services local]\ns3 =\n  endpoint_url = {}\n",
        server.endpoint
    );
    let all = format!("{PROFILES}endpoint_url = {}\n", server.endpoint);
    for (n, profiles) in [both, all].into_iter().enumerate() {
        let options = S3Options { profile: Some("lake".into()), ..S3Options::default() };
        let session = Session::with_profiles(options, &profiles);
        let store = Store::open("s3://lake", &session).await.unwrap();
        list(&store).await.unwrap();
        assert_eq!(server.heads().len(), n + 1);
    }
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_named() {
    let options = S3Options { profile: Some("lakes".into()), ..S3Options::default() };
    let session = Session::with_profiles(options, PROFILES);
    match Store::open("s3://lake", &session).await {
        Err(Error::NoCredentials { source }) => {
            assert!(source.to_string().contains("lakes"), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_requester_pays_if_asked_to() {
    let server = Canned::start(vec![ok(EMPTY_LIST)]);
    let store = open("s3://lake", S3Options { request_payer: true, ..options(&server) }).await;
    list(&store).await.unwrap();
    let head = &server.heads()[0];
    assert!(head.contains("x-amz-request-payer: requester"), "{head}");
}

#[tokio::test]
async fn unsigned_requests_need_no_credentials_and_carry_none() {
    let server = Canned::start(vec![ok(EMPTY_LIST)]);
    let unsigned = S3Options { no_sign_request: true, profile: None, ..options(&server) };
    let store = open("s3://lake", unsigned.clone()).await;
    list(&store).await.unwrap();
    assert!(!server.heads()[0].contains("authorization"), "{}", server.heads()[0]);

    let session = Session::new(S3Options { request_payer: true, ..unsigned });
    let both = Store::open("s3://lake", &session).await;
    assert!(matches!(both, Err(Error::Usage(_))), "{both:?}");
}

/// Whether the tests run where an endpoint is set that wins over profiles.
fn endpoint_in_environment() -> bool {
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| std::env::var_os(name).is_some())
}

/// Lists, reads and writes against one answer.
async fn all_errors(answer: Answer) -> [Error; 3] {
    let server = Canned::start(vec![answer]);
    let store = open("s3://lake/in", options(&server)).await;
    let objects = store.object_store();
    let get = objects.get(&Path::from("o")).await.map(|_| ()).unwrap_err();
    let put = objects.put(&Path::from("o"), "x".into()).await.unwrap_err();
    let errors =
        [list(&store).await.unwrap_err(), store.read_error("o", get), store.write_error("o", put)];
    assert_eq!(server.heads().len(), 3, "a refusal was tried again");
    errors
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_action() {
    let errors = all_errors(error("403 Forbidden", "", "AccessDenied")).await;
    let expected = [
        ("s3:ListBucket", "s3://lake/in/topics/"),
        ("s3:GetObject", "s3://lake/in/o"),
        ("s3:PutObject", "s3://lake/in/o"),
    ];
    for (error, (needed, at)) in errors.iter().zip(expected) {
        match error {
            Error::AccessDenied { action, place, source } => {
                assert_eq!((*action, place.as_str()), (needed, at));
                let said = "S3 answered 403 AccessDenied: why \
                    (if the requester pays for the bucket, add --request-payer)";
                assert_eq!(source.to_string(), said);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_region_names_the_right_one() {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region>\
        </Error>";
    let answers = [
        error("301 Moved Permanently", "x-amz-bucket-region: us-west-2\r\n", "PermanentRedirect"),
        ("400 Bad Request", "", malformed.to_owned()),
    ];
    for answer in answers {
        for error in all_errors(answer).await {
            let text = "bucket lake is in region us-west-2, not eu-central-1: \
                run again with --region us-west-2";
            assert_eq!(error.to_string(), text);
        }
    }
}

#[tokio::test]
async fn a_missing_bucket_and_a_spent_token_are_told_apart() {
    for e in all_errors(error("404 Not Found", "", "NoSuchBucket")).await {
        assert!(matches!(&e, Error::NoSuchBucket { bucket, .. } if bucket == "lake"), "{e:?}");
    }
    for e in all_errors(error("400 Bad Request", "", "ExpiredToken")).await {
        assert!(matches!(e, Error::NoCredentials { .. }), "{e:?}");
    }
}

#[tokio::test]
async fn a_missing_or_changed_object_reaches_the_caller_as_such() {
    let server = Canned::start(vec![
        error("404 Not Found", "", "NoSuchKey"),
        error("412 Precondition Failed", "", "PreconditionFailed"),
    ]);
    let store = open("s3://lake", options(&server)).await;
    let objects = store.object_store();
    let gone = objects.get(&Path::from("o")).await.map(|_| ()).unwrap_err();
    assert!(matches!(gone, object_store::Error::NotFound { .. }), "{gone:?}");

    let if_match = GetOptions { if_match: Some("\"e1\"".into()), ..GetOptions::default() };
    let changed = objects.get_opts(&Path::from("o"), if_match).await.map(|_| ()).unwrap_err();
    let changed = store.read_error("o", changed);
    assert!(matches!(&changed, Error::Changed { object } if object == "s3://lake/o"));
}

#[tokio::test]
async fn an_object_that_is_there_first_is_not_overwritten() {
    let server = Canned::start(vec![error("412 Precondition Failed", "", "PreconditionFailed")]);
    let objects = open("s3://lake", options(&server)).await.object_store();
    let second = objects.put_opts(&Path::from("m"), "x".into(), PutMode::Create.into()).await;
    assert!(matches!(second, Err(object_store::Error::AlreadyExists { .. })), "{second:?}");
    assert!(server.heads()[0].contains("if-none-match: *"));
}

#[tokio::test]
async fn requests_retries_and_bytes_are_counted() {
    let server = Canned::start(vec![
        error("503 Slow Down", "", "SlowDown"),
        (
            "200 OK",
            "etag: \"e\"\r\nlast-modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n",
            "body".into(),
        ),
    ]);
    let store = open("s3://lake/in", options(&server)).await;
    let objects = store.object_store();
    let got = objects.get(&Path::from("o")).await.unwrap().bytes().await.unwrap();
    assert_eq!(&got[..], b"body");
    objects.put(&Path::from("p"), "12345".into()).await.unwrap();
    objects.head(&Path::from("o")).await.unwrap();
    let expected = RequestCounts {
        get: 2,
        put: 1,
        other: 1,
        retries: 1,
        bytes: 9,
        bytes_read: 4,
        bytes_written: 5,
        ..RequestCounts::default()
    };
    assert_eq!(store.requests().snapshot(), expected);
}

#[tokio::test]
async fn an_endpoint_where_nobody_answers_is_given_up_soon() {
    // Bound and not listening: it refuses, and no server of another test gets it.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint_url = Some(format!("http://{}", socket.local_addr().unwrap()));
    let options = S3Options { profile: Some("lake".into()), endpoint_url, ..Default::default() };
    let store = open("s3://lake", options).await;
    let e = list(&store).await.unwrap_err();
    assert!(matches!(&e, Error::Read { object, .. } if object == "s3://lake/topics/"), "{e:?}");
    assert_eq!(store.requests().snapshot().list, 4);
}

#[tokio::test]
async fn a_refusal_that_names_no_region_is_asked_about() {
    let refused = error("301 Moved Permanently", "", "PermanentRedirect");
    let told = ("403 Forbidden", "x-amz-bucket-region: us-west-2\r\n", String::new());
    let server = Canned::start(vec![refused.clone(), told]);
    let store = open("s3://lake", options(&server)).await;
    match list(&store).await {
        Err(Error::WrongRegion { used, actual, .. }) => {
            assert_eq!((used.as_str(), actual.as_str()), ("eu-central-1", "us-west-2"));
        }
        other => panic!("{other:?}"),
    }
    assert!(server.heads()[1].starts_with("head /lake"), "{:?}", server.heads());
    assert_eq!(server.heads().len(), 2);

    let silent = open("s3://lake", options(&Canned::start(vec![refused]))).await;
    let e = list(&silent).await.unwrap_err();
    assert!(matches!(&e, Error::Read { object, .. } if object == "s3://lake/topics/"), "{e:?}");
}

/// Opens a bucket whose region nobody named, against these answers; gives the
/// requests too.
async fn locate(answers: Vec<Answer>, signed: bool) -> (Result<Store>, Vec<String>) {
    const KEYS: &str = "[profile lake]\naws_access_key_id = AKIDLAKE\n\
        aws_secret_access_key = secret\n";
    let server = Canned::start(answers);
    let profile = signed.then(|| "lake".to_owned());
    let options = S3Options { profile, no_sign_request: !signed, ..S3Options::default() };
    let session = Session::with_profiles(options, KEYS).with_global_endpoint(&server.endpoint);
    let opened = Store::open("s3://lake", &session).await;
    (opened, server.heads())
}

#[tokio::test]
async fn a_region_that_nobody_named_is_asked_for() {
    if endpoint_in_environment() {
        return;
    }
    let header = "x-amz-bucket-region: eu-west-3\r\n";
    for status in ["200 OK", "301 Moved", "400 Bad Request", "403 Forbidden"] {
        for signed in [true, false] {
            let (opened, heads) = locate(vec![(status, header, String::new())], signed).await;
            assert_eq!(s3(&opened.unwrap()).region(), "eu-west-3", "{status}");
            assert_eq!(heads.len(), 1, "{status}: {heads:?}");
            assert!(heads[0].starts_with("head /lake"), "{heads:?}");
            let signature = heads[0].contains("credential=akidlake/");
            assert_eq!(signature, signed, "{heads:?}");
            assert_eq!(heads[0].contains("authorization"), signed, "{heads:?}");
        }
    }
    let (missing, _) = locate(vec![("404 Not Found", "", String::new())], false).await;
    assert!(matches!(missing, Err(Error::NoSuchBucket { .. })), "{missing:?}");

    let (silent, _) = locate(vec![("403 Forbidden", "", String::new())], false).await;
    assert!(matches!(&silent, Err(Error::Usage(text)) if text.contains("--region")), "{silent:?}");
}

#[tokio::test]
async fn a_look_up_that_fails_for_a_while_is_tried_again_and_counted() {
    if endpoint_in_environment() {
        return;
    }
    let busy = ("503 Slow Down", "", String::new());
    let told = ("200 OK", "x-amz-bucket-region: eu-west-3\r\n", String::new());
    let (opened, _) = locate(vec![busy, told], false).await;
    let expected = RequestCounts { other: 2, retries: 1, ..RequestCounts::default() };
    assert_eq!(opened.unwrap().requests().snapshot(), expected);
}
