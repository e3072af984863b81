use std::fs;

use object_store::ObjectStoreExt;
use tempfile::TempDir;

use super::*;
use crate::disk::Durability;

const BOTH: [Durability; 2] = [Durability::Synced, Durability::Unsynced];

struct World {
    folder: TempDir,
    store: LocalDisk,
}

impl World {
    fn new(durability: Durability) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalDisk::new(folder.path(), PendingSyncs::new(durability)).unwrap();
        World { folder, store }
    }

    async fn text(&self, path: &str) -> Option<String> {
        let got = self.store.get(&Path::from(path)).await.ok()?;
        Some(String::from_utf8(got.bytes().await.unwrap().to_vec()).unwrap())
    }

    /// The names in a folder, staged files among them.
    fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(below)).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn create() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

fn before_commit() -> PutOptions {
    let mut options = PutOptions::default();
    options.extensions.insert(BeforeCommit);
    options
}

#[tokio::test]
async fn every_way_to_put_leaves_the_object_and_nothing_else() {
    for durability in BOTH {
        let world = World::new(durability);
        let path = Path::from("a/b/x.parquet");
        for (options, text) in
            [(create(), "1"), (PutOptions::default(), "2"), (before_commit(), "3")]
        {
            world.store.put_opts(&path, text.into(), options).await.unwrap();
            assert_eq!(world.text("a/b/x.parquet").await.as_deref(), Some(text));
        }
        let parts = PutPayload::from_iter([Bytes::from("4"), Bytes::from("5")]);
        world.store.put(&path, parts).await.unwrap();
        assert_eq!(world.text("a/b/x.parquet").await.as_deref(), Some("45"));
        world.store.finish().await.unwrap();
        assert_eq!(world.names("a/b"), ["x.parquet"]);
    }
}

#[tokio::test]
async fn a_commit_is_put_once_and_who_comes_second_changes_nothing() {
    for durability in BOTH {
        let world = World::new(durability);
        let path = Path::from("log/0.json");
        world.store.put_opts(&path, "first".into(), create()).await.unwrap();
        let second = world.store.put_opts(&path, "second".into(), create()).await;
        assert!(matches!(second, Err(object_store::Error::AlreadyExists { .. })), "{second:?}");
        assert_eq!(world.text("log/0.json").await.as_deref(), Some("first"));
        assert_eq!(world.names("log"), ["0.json"]);
    }
}

#[tokio::test]
async fn of_many_commits_at_once_one_is_put() {
    let world = World::new(Durability::Synced);
    let path = Path::from("log/0.json");
    let puts = (0..16).map(|n| world.store.put_opts(&path, n.to_string().into(), create()));
    let put = futures::future::join_all(puts).await;
    let winners: Vec<_> = (0..16).filter(|&n| put[n].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(world.text("log/0.json").await, Some(winners[0].to_string()));
    assert_eq!(world.names("log"), ["0.json"]);
}

#[tokio::test]
async fn an_upload_is_there_once_it_is_completed_and_an_aborted_one_never() {
    for durability in BOTH {
        let world = World::new(durability);
        let path = Path::from("t/x.parquet");
        let mut upload = world.store.put_multipart(&path).await.unwrap();
        let parts = [upload.put_part("12".into()), upload.put_part("34".into())];
        assert_eq!(world.names("t"), ["x.parquet#1"]);
        // The second part may be written before the first.
        let [first, second] = parts;
        second.await.unwrap();
        first.await.unwrap();
        assert_eq!(world.text("t/x.parquet").await, None);
        upload.complete().await.unwrap();
        assert_eq!(world.text("t/x.parquet").await.as_deref(), Some("1234"));
        assert!(upload.complete().await.is_err(), "it has ended");

        let mut upload = world.store.put_multipart(&Path::from("t/y.parquet")).await.unwrap();
        drop(upload.put_part("12".into()));
        upload.abort().await.unwrap();
        drop(world.store.put_multipart(&Path::from("t/z.parquet")).await.unwrap());
        while world.names("t").len() > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(world.names("t"), ["x.parquet"]);
    }
}

#[tokio::test]
async fn objects_are_copied_renamed_and_deleted() {
    for durability in BOTH {
        let world = World::new(durability);
        let [a, b, c] = ["d/a", "e/b", "d/c"].map(Path::from);
        world.store.put(&a, "a".into()).await.unwrap();
        world.store.copy(&a, &b).await.unwrap();
        world.store.copy(&a, &b).await.unwrap();
        assert!(world.store.copy_if_not_exists(&a, &b).await.is_err());
        world.store.rename_if_not_exists(&a, &c).await.unwrap();
        assert!(world.store.rename_if_not_exists(&b, &c).await.is_err());
        assert_eq!((world.names("d"), world.names("e")), (vec!["c".into()], vec!["b".into()]));
        world.store.rename(&c, &b).await.unwrap();
        assert_eq!(world.text("e/b").await.as_deref(), Some("a"));
        world.store.delete(&b).await.unwrap();
        let gone = world.store.delete(&b).await;
        assert!(matches!(gone, Err(object_store::Error::NotFound { .. })), "{gone:?}");
        world.store.finish().await.unwrap();
        assert!(world.names("d").is_empty() && world.names("e").is_empty());
    }
}

#[tokio::test]
async fn a_folder_that_somebody_removed_is_made_again() {
    for durability in BOTH {
        let world = World::new(durability);
        let path = Path::from("t/d=1/x");
        world.store.put(&path, "1".into()).await.unwrap();
        fs::remove_dir_all(world.folder.path().join("t")).unwrap();
        world.store.put(&path, "2".into()).await.unwrap();
        assert_eq!(world.text("t/d=1/x").await.as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn a_put_that_fails_names_the_file_and_leaves_nothing() {
    for durability in BOTH {
        let world = World::new(durability);
        fs::write(world.folder.path().join("file"), "").unwrap();
        for options in [create(), PutOptions::default(), before_commit()] {
            let put = world.store.put_opts(&Path::from("file/x"), "1".into(), options).await;
            let error = std::error::Error::source(&put.unwrap_err()).unwrap().to_string();
            assert!(error.contains("file/x"), "{error}");
        }
        assert_eq!(world.names(""), ["file"]);
    }
}

#[test]
fn only_numbers_are_commits() {
    for (path, expected) in [
        ("t/_delta_log/00000000000000000007.json", true),
        ("t/_pinclean/0000000001.json", true),
        ("t/_delta_log/00000000000000000010.checkpoint.parquet", false),
        ("t/_delta_log/_last_checkpoint", false),
        ("_runs/20240131T235959Z-00000000.json", false),
    ] {
        assert_eq!(is_commit(&Path::from(path)), expected, "{path}");
    }
}
