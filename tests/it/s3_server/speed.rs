use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use futures::StreamExt;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};

use super::clients::{BUCKET, store};
use crate::s3::{BucketOptions, Op, Server};

const OBJECTS: usize = 180_000;
const GETS: usize = 20_000;

fn filled() -> Server {
    let server = Server::start();
    server.create_bucket_with(BUCKET, BucketOptions { public: true, ..BucketOptions::default() });
    for n in 0..OBJECTS {
        server.put(BUCKET, &format!("t/{n:010}.json"), format!("{{\"index\":{n}}}"));
    }
    server
}

/// `cargo test --test it speed -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn requests_per_second() {
    let begin = Instant::now();
    let server = filled();
    println!("{OBJECTS} objects put directly in {:?}", begin.elapsed());

    let store = store(&server);
    let begin = Instant::now();
    let mut options = PaginatedListOptions::default();
    loop {
        let page = store.list_paginated(Some("t/"), options.clone()).await.unwrap();
        options.page_token = page.page_token;
        if options.page_token.is_none() {
            break;
        }
    }
    assert_eq!(server.count(Op::List), OBJECTS / 1000);
    println!("listed in {:?}", begin.elapsed());

    let begin = Instant::now();
    let gets = futures::stream::iter(0..GETS).map(|n| {
        let (store, key) = (&store, Path::from(format!("t/{n:010}.json")));
        async move {
            let got = store.get_opts(&key, GetOptions::default()).await.unwrap();
            got.bytes().await.unwrap().len()
        }
    });
    let sizes: Vec<usize> = gets.buffer_unordered(64).collect().await;
    assert_eq!(sizes.len(), GETS);
    println!("object_store: {:.0} GET/s", GETS as f64 / begin.elapsed().as_secs_f64());

    let address = server.endpoint().replace("http://", "");
    let begin = Instant::now();
    let clients: Vec<_> = (0..16).map(|client| spawn_client(address.clone(), client)).collect();
    for client in clients {
        client.join().unwrap();
    }
    println!("unsigned, 16 threads: {:.0} GET/s", GETS as f64 / begin.elapsed().as_secs_f64());
}

/// Gets its share of the objects, one after the other, with as little work as
/// a client can have.
fn spawn_client(address: String, client: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(TcpStream::connect(&address).unwrap());
        for n in (client..GETS).step_by(16) {
            let head = format!("GET /{BUCKET}/t/{n:010}.json HTTP/1.1\r\nHost: {address}\r\n\r\n");
            stream.get_mut().write_all(head.as_bytes()).unwrap();
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            assert!(body.starts_with(b"{\"index\":"));
        }
    })
}
