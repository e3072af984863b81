use std::time::{Duration, Instant};

use futures::future::join_all;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};

use super::clients::{BUCKET, server, store, store_once};
use crate::s3::{Fault, Op, Rule, Server};

fn statuses(server: &Server, op: Op) -> Vec<Option<u16>> {
    server.log().iter().filter(|request| request.op == op).map(|request| request.status).collect()
}

#[tokio::test]
async fn refused_requests_succeed_when_retried() {
    for (fault, status) in
        [(Fault::SlowDown, Some(503)), (Fault::InternalError, Some(500)), (Fault::Close, None)]
    {
        let server = server();
        server.put(BUCKET, "k", "hello");
        server.faults().add(Rule::new(fault).on(Op::Get).first(2));
        let got = store(&server).get(&Path::from("k")).await.unwrap();
        assert_eq!(got.bytes().await.unwrap(), "hello");
        assert_eq!(statuses(&server, Op::Get), [status, status, Some(200)], "{fault:?}");
    }
}

#[tokio::test]
async fn every_nth_and_a_seeded_share_of_requests_are_hit() {
    let server = server();
    server.put(BUCKET, "k", "hello");
    let store = store_once(&server);
    let hits = async || {
        let mut hits = Vec::new();
        for _ in 0..30 {
            hits.push(store.get(&Path::from("k")).await.is_err());
        }
        hits
    };
    server.faults().add(Rule::new(Fault::SlowDown).every(3));
    assert_eq!(hits().await[..7], [false, false, true, false, false, true, false]);
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        server.faults().clear();
        server.faults().add(Rule::new(Fault::SlowDown).chance(0.3, seed));
        runs.push(hits().await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let share = runs[0].iter().filter(|hit| **hit).count();
    assert!((3..=15).contains(&share), "{share} of 30");
    server.faults().clear();
    assert!(!hits().await.contains(&true));
}

#[tokio::test]
async fn a_lost_acknowledgement_leaves_the_object_behind() {
    for (fault, status) in [(Fault::LandThenError, Some(500)), (Fault::LandThenClose, None)] {
        let server = server();
        server.faults().add(Rule::new(fault).on(Op::Put).first(1));
        let put = store_once(&server).put(&Path::from("k"), "hello".into()).await;
        assert!(put.is_err(), "{fault:?}");
        assert_eq!(server.get(BUCKET, "k").unwrap(), "hello");
        assert_eq!(statuses(&server, Op::Put), [status]);
        // The second attempt of the same writer meets its own object.
        let again = store_once(&server)
            .put_opts(&Path::from("k"), "hello".into(), PutMode::Create.into())
            .await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    }
}

#[tokio::test]
async fn a_closed_connection_before_the_put_leaves_nothing() {
    let server = server();
    server.faults().add(Rule::new(Fault::Close).on(Op::Put));
    assert!(store_once(&server).put(&Path::from("k"), "hello".into()).await.is_err());
    assert_eq!(server.get(BUCKET, "k"), None);
}

#[tokio::test]
async fn a_body_is_cut_off_in_the_middle() {
    let server = server();
    server.put(BUCKET, "k", vec![7_u8; 1 << 20]);
    for length in [0, 1000, 1 << 20] {
        server.faults().clear();
        server.faults().add(Rule::new(Fault::CutBody(length)).on(Op::Get));
        let got = store_once(&server).get(&Path::from("k")).await.unwrap();
        assert_eq!(got.meta.size, 1 << 20);
        assert!(got.bytes().await.is_err(), "{length}");
    }
}

#[tokio::test]
async fn a_prefix_or_an_operation_is_forbidden() {
    let server = server();
    for key in ["secret/k", "open/k"] {
        server.put(BUCKET, key, "x");
    }
    server.faults().add(Rule::new(Fault::AccessDenied).under("secret/"));
    server.faults().add(Rule::new(Fault::AccessDenied).on(Op::Put).in_bucket(BUCKET));
    let store = store(&server);
    let refused = store.get(&Path::from("secret/k")).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
    // object_store has no name for this one.
    let refused = store.list_with_delimiter(Some(&Path::from("secret"))).await.unwrap_err();
    assert!(format!("{refused:?}").contains("AccessDenied"), "{refused:?}");
    let refused = store.put(&Path::from("open/new"), "x".into()).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
    assert!(store.get(&Path::from("open/k")).await.is_ok());
}

#[tokio::test]
async fn delays_add_up_and_do_not_hold_up_others() {
    let server = server();
    server.put(BUCKET, "k", "hello");
    server.faults().delay(Op::Get, Duration::from_millis(150));
    server.faults().add(Rule::new(Fault::Delay(Duration::from_millis(150))).under("k"));
    let store = store(&server);
    let begin = Instant::now();
    let gets = join_all((0..20).map(|_| async { store.get(&Path::from("k")).await })).await;
    let time = begin.elapsed();
    assert!(gets.iter().all(Result::is_ok));
    assert!(time >= Duration::from_millis(300), "{time:?}");
    assert!(time < Duration::from_millis(20 * 300), "{time:?}: one after the other");
    assert!(server.peak_in_flight() > 10, "{}", server.peak_in_flight());
}

#[tokio::test]
async fn a_hook_changes_an_object_between_list_and_get() {
    let server = server();
    for key in ["gone", "new"] {
        server.put(BUCKET, key, "old");
        let listed = store(&server).head(&Path::from(key)).await.unwrap();
        assert_eq!(listed.size, 3);
    }
    server.faults().on_get(BUCKET, "gone", |store| {
        store.delete(BUCKET, "gone");
    });
    server.faults().on_get(BUCKET, "new", |store| store.put(BUCKET, "new", "newer"));
    let store = store(&server);
    assert!(matches!(store.get(&Path::from("gone")).await, Err(Error::NotFound { .. })));
    assert_eq!(store.get(&Path::from("new")).await.unwrap().bytes().await.unwrap(), "newer");
    // Once only.
    server.put(BUCKET, "gone", "back");
    assert!(store.get(&Path::from("gone")).await.is_ok());
}

#[tokio::test]
async fn the_log_can_be_cleared_and_a_dropped_server_is_gone() {
    let server = server();
    server.put(BUCKET, "k", "hello");
    let store = store_once(&server);
    store.get(&Path::from("k")).await.unwrap();
    assert_eq!(server.count(Op::Get), 1);
    server.clear_log();
    assert_eq!((server.count(Op::Get), server.log().len()), (0, 0));
    drop(server);
    assert!(store.get(&Path::from("k")).await.is_err());
}
