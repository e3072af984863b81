use object_store::list::{PaginatedListOptions, PaginatedListStore};

use super::clients::{BUCKET, server, store, unsigned};
use crate::s3::{BucketOptions, Op, Server};

/// All pages: keys and prefixes in the order of arrival, and the page lengths.
async fn pages(
    server: &Server,
    prefix: &str,
    options: PaginatedListOptions,
) -> (Vec<String>, Vec<usize>) {
    let store = store(server);
    let (mut names, mut lengths, mut options) = (Vec::new(), Vec::new(), options);
    loop {
        let page = store.list_paginated(Some(prefix), options.clone()).await.unwrap();
        let objects = page.result.objects.into_iter().map(|object| object.location.to_string());
        let prefixes = page.result.common_prefixes.into_iter().map(|prefix| format!("{prefix}/"));
        let before = names.len();
        names.extend(objects.chain(prefixes));
        lengths.push(names.len() - before);
        options.page_token = page.page_token;
        if options.page_token.is_none() {
            return (names, lengths);
        }
    }
}

fn delimited() -> PaginatedListOptions {
    PaginatedListOptions { delimiter: Some("/".into()), ..PaginatedListOptions::default() }
}

#[tokio::test]
async fn a_listing_comes_in_pages_of_1000_and_in_byte_order() {
    let server = server();
    // Byte order puts 10 before 9, and upper case before lower.
    let mut keys: Vec<String> = (0..2500).map(|n| format!("t/{n}")).collect();
    keys.extend(["t/Z", "t/a", "t/é", "t0", "s/1"].map(str::to_owned));
    for key in &keys {
        server.put(BUCKET, key, "x");
    }
    keys.retain(|key| key.starts_with("t/"));
    keys.sort();
    let (names, lengths) = pages(&server, "t/", PaginatedListOptions::default()).await;
    assert_eq!(names, keys);
    assert_eq!(lengths, [1000, 1000, 503]);
    let log = server.log();
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|r| r.op == Op::List && r.prefix.as_deref() == Some("t/")));
    assert_eq!(log.iter().map(|r| r.continued).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn listings_honour_prefix_delimiter_start_after_and_max_keys() {
    let server = server();
    for key in ["a/1", "a/2", "a/b/1", "a/b/2", "a/c/1", "a/d", "a0", "b/1"] {
        server.put(BUCKET, key, "x");
    }
    let after = |key: &str| PaginatedListOptions {
        offset: Some(key.to_owned()),
        ..PaginatedListOptions::default()
    };
    let delimited_after =
        |key: &str| PaginatedListOptions { offset: Some(key.to_owned()), ..delimited() };
    let by_two = PaginatedListOptions { max_keys: Some(2), ..delimited() };
    let cases: [(&str, PaginatedListOptions, &[&str], &[usize]); 8] = [
        (
            "a/",
            PaginatedListOptions::default(),
            &["a/1", "a/2", "a/b/1", "a/b/2", "a/c/1", "a/d"],
            &[6],
        ),
        ("a/", delimited(), &["a/1", "a/2", "a/d", "a/b/", "a/c/"], &[5]),
        ("", delimited(), &["a0", "a/", "b/"], &[3]),
        ("a/", after("a/b/1"), &["a/b/2", "a/c/1", "a/d"], &[3]),
        ("a/", after("a/d"), &[], &[0]),
        // A start before the prefix, and one between keys.
        ("a/b/", after("a/1"), &["a/b/1", "a/b/2"], &[2]),
        ("a/", delimited_after("a/b/1"), &["a/d", "a/b/", "a/c/"], &[3]),
        // A page that ends with a prefix is followed by what is behind it.
        ("a/", by_two, &["a/1", "a/2", "a/b/", "a/c/", "a/d"], &[2, 2, 1]),
    ];
    for (prefix, options, expected, expected_lengths) in cases {
        let (names, lengths) = pages(&server, prefix, options.clone()).await;
        assert_eq!(names, expected, "{prefix:?} {options:?}");
        assert_eq!(lengths, expected_lengths, "{prefix:?} {options:?}");
    }
}

#[tokio::test]
async fn prefixes_are_skipped_as_a_whole_over_many_pages() {
    let server = server();
    for partition in 0..1500 {
        for n in 0..3 {
            server.put(BUCKET, &format!("t/partition={partition:04}/{n}"), "x");
        }
    }
    let (names, lengths) = pages(&server, "t/", delimited()).await;
    let expected: Vec<String> = (0..1500).map(|n| format!("t/partition={n:04}/")).collect();
    assert_eq!(names, expected);
    assert_eq!(lengths, [1000, 500]);
}

#[test]
fn raw_answers_have_the_fields_of_s3() {
    let server = Server::start();
    let options = BucketOptions { public: true, ..BucketOptions::default() };
    server.create_bucket_with(BUCKET, options);
    server.put(BUCKET, "a b/é+1.json", "x");
    server.put(BUCKET, "a b/z", "x");
    let cases: [(&str, &[&str]); 5] = [
        (
            "encoding-type=url&prefix=a%20b/",
            &["<Key>a+b/%C3%A9%2B1.json</Key>", "<Prefix>a+b/</Prefix>"],
        ),
        ("prefix=a%20b/", &["<Key>a b/é+1.json</Key>", "<KeyCount>2</KeyCount>"]),
        (
            "max-keys=1",
            &["<IsTruncated>true</IsTruncated>", "<MaxKeys>1</MaxKeys>", "<NextContinuationToken>"],
        ),
        ("max-keys=0", &["<IsTruncated>false</IsTruncated>", "<KeyCount>0</KeyCount>"]),
        ("continuation-token=nonsense", &["400 Bad Request", "<Code>InvalidArgument</Code>"]),
    ];
    for (query, expected) in cases {
        let answer = unsigned(&server, "GET", &format!("/{BUCKET}?list-type=2&{query}"), &[]);
        for text in expected {
            assert!(answer.contains(text), "{query}: {text} is not in {answer}");
        }
    }
}
