use std::sync::Arc;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion,
};

use super::clients::{BUCKET, builder, sdk, server, store, store_once, unsigned};
use crate::s3::{BucketOptions, Op, REGION, Server};

fn get_with(options: impl FnOnce(&mut GetOptions)) -> GetOptions {
    let mut get = GetOptions::default();
    options(&mut get);
    get
}

#[tokio::test]
async fn what_is_put_can_be_got_headed_and_deleted() {
    let server = server();
    let store = store(&server);
    let key = Path::from("topics/a+b=c/é 1.json");
    let put = store.put(&key, "hello".into()).await.unwrap();
    assert_eq!(put.e_tag.as_deref(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(server.get(BUCKET, key.as_ref()).unwrap(), "hello");
    let got = store.get(&key).await.unwrap();
    assert_eq!((got.meta.size, got.meta.e_tag.clone()), (5, put.e_tag.clone()));
    assert_eq!(got.bytes().await.unwrap(), "hello");
    assert_eq!(store.head(&key).await.unwrap().size, 5);
    store.delete(&key).await.unwrap();
    assert!(matches!(store.get(&key).await, Err(Error::NotFound { .. })));
    assert!(matches!(store.head(&key).await, Err(Error::NotFound { .. })));
    let counts = [Op::Put, Op::Get, Op::Head].map(|op| server.count(op));
    assert_eq!(counts, [1, 2, 2]);
    let statuses: Vec<_> = server.log().iter().map(|request| request.status).collect();
    assert_eq!(statuses.first(), Some(&Some(200)));
    assert_eq!(statuses.last(), Some(&Some(404)));
}

#[tokio::test]
async fn ranges_are_cut_as_asked() {
    let server = server();
    server.put(BUCKET, "k", "0123456789");
    server.put(BUCKET, "empty", "");
    let store = store_once(&server);
    let cases = [
        ("k", GetRange::Bounded(2..5), Some("234")),
        ("k", GetRange::Bounded(8..99), Some("89")),
        ("k", GetRange::Offset(7), Some("789")),
        ("k", GetRange::Suffix(3), Some("789")),
        ("k", GetRange::Offset(10), None),
        ("empty", GetRange::Offset(0), None),
    ];
    for (key, range, expected) in cases {
        let options = get_with(|get| get.range = Some(range.clone()));
        let got = store.get_opts(&Path::from(key), options).await;
        match expected {
            Some(text) => assert_eq!(got.unwrap().bytes().await.unwrap(), text, "{range}"),
            None => assert!(got.unwrap_err().to_string().contains("416"), "{range}"),
        }
    }
    assert_eq!(server.log()[0].range.as_deref(), Some("bytes=2-4"));
}

#[tokio::test]
async fn conditions_on_reads_are_checked() {
    let server = server();
    server.put(BUCKET, "k", "hello");
    let store = store_once(&server);
    let etag = store.head(&Path::from("k")).await.unwrap().e_tag;
    let other = Some("\"other\"".to_owned());
    let get = async |options| store.get_opts(&Path::from("k"), options).await;
    assert!(get(get_with(|get| get.if_match = etag.clone())).await.is_ok());
    assert!(get(get_with(|get| get.if_none_match = other.clone())).await.is_ok());
    let refused = get(get_with(|get| get.if_match = other)).await;
    assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
    let refused = get(get_with(|get| get.if_none_match = etag)).await;
    assert!(matches!(refused, Err(Error::NotModified { .. })), "{refused:?}");
}

#[tokio::test]
async fn of_50_creations_at_once_exactly_one_wins() {
    let server = server();
    let store = Arc::new(store(&server));
    let tasks = (0..50).map(|n: u8| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let options = PutOptions::from(PutMode::Create);
            (n, store.put_opts(&Path::from("manifest"), vec![n].into(), options).await)
        })
    });
    let mut winners = Vec::new();
    for answer in futures::future::join_all(tasks).await {
        match answer.unwrap() {
            (n, Ok(_)) => winners.push(n),
            (_, Err(error)) => assert!(matches!(error, Error::AlreadyExists { .. }), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(server.get(BUCKET, "manifest").unwrap(), vec![winners[0]]);
    let refused = server.log().iter().filter(|request| request.status == Some(412)).count();
    assert_eq!(refused, 49);
}

#[tokio::test]
async fn an_update_needs_the_etag_that_is_there() {
    let server = server();
    let store = store_once(&server);
    let key = Path::from("k");
    let update = async |e_tag: Option<String>, body: &'static str| {
        let version = UpdateVersion { e_tag, version: None };
        store.put_opts(&key, body.into(), PutMode::Update(version).into()).await
    };
    let first = store.put(&key, "1".into()).await.unwrap().e_tag;
    let second = update(first.clone(), "2").await.unwrap().e_tag;
    let late = update(first, "3").await;
    assert!(matches!(late, Err(Error::Precondition { .. })), "{late:?}");
    assert_eq!(server.get(BUCKET, "k").unwrap(), "2");
    server.delete(BUCKET, "k");
    assert!(update(second, "4").await.is_err());
    assert_eq!(server.get(BUCKET, "k"), None);
}

#[tokio::test]
async fn uploads_in_parts_are_joined_or_aborted() {
    let server = server();
    let store = store(&server);
    let part = |byte: u8| Bytes::from(vec![byte; 5 << 20]);
    let mut upload = store.put_multipart(&Path::from("big")).await.unwrap();
    upload.put_part(part(1).into()).await.unwrap();
    upload.put_part(part(2).into()).await.unwrap();
    upload.put_part("end".into()).await.unwrap();
    assert_eq!(server.get(BUCKET, "big"), None);
    let etag = upload.complete().await.unwrap().e_tag.unwrap();
    assert!(etag.ends_with("-3\""), "{etag}");
    let whole = [part(1), part(2), "end".into()].concat();
    assert_eq!(server.get(BUCKET, "big").unwrap(), whole);

    let mut upload = store.put_multipart(&Path::from("small")).await.unwrap();
    upload.put_part("too small".into()).await.unwrap();
    upload.put_part("end".into()).await.unwrap();
    let refused = upload.complete().await.unwrap_err();
    assert!(refused.to_string().contains("EntityTooSmall"), "{refused}");
    upload.abort().await.unwrap();
    assert_eq!(server.get(BUCKET, "small"), None);
    assert_eq!(server.count(Op::AbortUpload), 1);
}

#[tokio::test]
async fn the_sdk_puts_with_checksums_lists_parts_and_deletes_many() {
    let server = server();
    let sdk = sdk(&server, REGION);
    let put = sdk.put_object().bucket(BUCKET).key("a").tagging("owner=me&kind=x%20y");
    put.body(Bytes::from_static(b"hello").into()).send().await.unwrap();
    assert_eq!(server.get(BUCKET, "a").unwrap(), "hello");
    let tags = sdk.get_object_tagging().bucket(BUCKET).key("a").send().await.unwrap();
    let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("owner", "me"), ("kind", "x y")]);

    let upload = sdk.create_multipart_upload().bucket(BUCKET).key("a").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = sdk.upload_part().bucket(BUCKET).key("a").upload_id(id).part_number(1);
    let part = part.body(Bytes::from_static(b"part").into()).send().await.unwrap();
    let parts = sdk.list_parts().bucket(BUCKET).key("a").upload_id(id).send().await.unwrap();
    assert_eq!(parts.parts()[0].e_tag(), part.e_tag());
    let done = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
    let complete = sdk.complete_multipart_upload().bucket(BUCKET).key("a").upload_id(id);
    let complete = complete.if_none_match("*");
    let parts = CompletedMultipartUpload::builder().parts(done).build();
    let refused = complete.multipart_upload(parts).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);

    let name = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = Delete::builder().objects(name("a")).objects(name("none")).build().unwrap();
    let deleted = sdk.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 2);
    assert!(server.keys(BUCKET, "").is_empty());
}

#[tokio::test]
async fn a_bucket_elsewhere_names_its_region() {
    let server = Server::start();
    let options = BucketOptions { region: "eu-west-1".to_owned(), ..BucketOptions::default() };
    server.create_bucket_with(BUCKET, options);
    for (region, status, code) in
        [(REGION, 400, "AuthorizationHeaderMalformed"), ("us-west-2", 301, "PermanentRedirect")]
    {
        let sdk = sdk(&server, region);
        let head = sdk.head_bucket().bucket(BUCKET).send().await.unwrap_err();
        let head = head.raw_response().unwrap();
        assert_eq!(head.status().as_u16(), status);
        assert_eq!(head.headers().get("x-amz-bucket-region"), Some("eu-west-1"));
        let list = sdk.list_objects_v2().bucket(BUCKET).send().await.unwrap_err();
        assert!(format!("{list:?}").contains(code), "{list:?}");
    }
    let location = sdk(&server, REGION).get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-west-1");
    let head = sdk(&server, "eu-west-1").head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
}

#[tokio::test]
async fn a_missing_bucket_and_false_keys_are_named() {
    let server = server();
    let cases = [
        (builder(&server).with_bucket_name("none"), "NoSuchBucket"),
        (builder(&server).with_secret_access_key("false"), "SignatureDoesNotMatch"),
        (builder(&server).with_access_key_id("false"), "InvalidAccessKeyId"),
        (builder(&server).with_skip_signature(true), "AccessDenied"),
    ];
    for (builder, code) in cases {
        let store = builder.build().unwrap();
        let error = store.list_with_delimiter(None).await.unwrap_err();
        assert!(format!("{error:?}").contains(code), "{code}: {error:?}");
    }
    let ops: Vec<_> = server.log().iter().map(|request| request.op).collect();
    assert_eq!(ops, [Op::List, Op::Other, Op::Other, Op::List]);
}

#[tokio::test]
async fn public_and_requester_pays_buckets_ask_for_what_they_need() {
    let server = Server::start();
    let options = BucketOptions { public: true, ..BucketOptions::default() };
    server.create_bucket_with(BUCKET, options);
    server.put(BUCKET, "k", "hello");
    assert!(unsigned(&server, "GET", "/bucket/k", &[]).ends_with("\r\n\r\nhello"));
    let options = BucketOptions { requester_pays: true, ..BucketOptions::default() };
    server.create_bucket_with("paid", options);
    server.put("paid", "k", "hello");
    let paid = || builder(&server).with_bucket_name("paid");
    let refused = paid().build().unwrap().get(&Path::from("k")).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
    let store = paid().with_request_payer(true).build().unwrap();
    assert!(store.get(&Path::from("k")).await.is_ok());
}

#[tokio::test]
async fn a_folder_is_loaded_as_keys() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("topics/a/partition=0");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("a+0+0.json"), "{}").unwrap();
    std::fs::write(folder.path().join("top"), "").unwrap();
    let server = server();
    server.load_folder(BUCKET, folder.path());
    assert_eq!(server.keys(BUCKET, ""), ["top", "topics/a/partition=0/a+0+0.json"]);
    let got = store(&server).get(&Path::from("topics/a/partition=0/a+0+0.json")).await.unwrap();
    assert_eq!(got.bytes().await.unwrap(), "{}");
    assert!(server.log().iter().all(|request| request.op == Op::Get));
}
