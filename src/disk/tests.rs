use std::fs;

use super::*;

fn sync_error() -> io::Error {
    SyncFailed::error(Path::new("a.parquet"), Errno::IO.into())
}

#[test]
fn a_failed_sync_is_found_below_whatever_wraps_it() {
    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped<E: std::error::Error + 'static>(#[source] E);

    assert!(SyncFailed::is_cause_of(&sync_error()));
    assert!(SyncFailed::is_cause_of(&Wrapped(sync_error())));
    assert!(SyncFailed::is_cause_of(&Wrapped(Wrapped(sync_error()))));
    assert!(SyncFailed::is_cause_of(&io::Error::other(Wrapped(sync_error()))));
    let of_store = object_store::Error::Generic { store: "", source: sync_error().into() };
    assert!(SyncFailed::is_cause_of(&of_store));
    assert!(!SyncFailed::is_cause_of(&Wrapped(io::Error::from(Errno::IO))));
    assert!(!SyncFailed::is_cause_of(&io::Error::other(Wrapped(io::Error::from(Errno::NOSPC)))));
}

#[test]
fn a_failed_sync_names_the_file_and_keeps_what_the_system_said() {
    let error = sync_error();
    assert!(error.to_string().starts_with("a.parquet could not be synced"), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), io::Error::from(Errno::IO).to_string());
}

#[test]
fn only_a_system_that_offers_no_sync_of_folders_is_forgiven() {
    for (errno, unable) in [
        (Errno::INVAL, true),
        (Errno::BADF, true),
        (Errno::NOTSUP, true),
        (Errno::ACCESS, true),
        (Errno::IO, false),
        (Errno::NOSPC, false),
        (Errno::DQUOT, false),
        (Errno::NOENT, false),
    ] {
        assert_eq!(is_unable(&errno.into()), unable, "{errno}");
    }
    let folder = tempfile::tempdir().unwrap();
    sync_folder(folder.path()).unwrap();
    assert!(SyncFailed::is_cause_of(&sync_folder(&folder.path().join("none")).unwrap_err()));
}

#[test]
fn after_a_failed_sync_nothing_is_believed_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let pending = PendingSyncs::new(Durability::Synced);
    pending.note_name(&path);
    pending.settle().unwrap();
    assert!(pending.heed(Err::<(), _>(Errno::NOSPC.into()), &path).is_err());
    pending.settle().unwrap();
    assert!(pending.heed(Err::<(), _>(sync_error()), &path).is_err());
    let ends = [
        pending.settle(),
        pending.finish(),
        pending.sync_folder_of(&path),
        pending.make_folder(&folder.path().join("new")),
    ];
    for end in ends {
        let error = end.unwrap_err();
        assert!(SyncFailed::is_cause_of(&error), "{error}");
        assert!(error.to_string().contains("a.parquet"), "{error}");
    }
}

#[test]
fn folders_are_made_as_deep_as_is_asked_for_by_many_threads_at_once() {
    for durability in [Durability::Synced, Durability::Unsynced] {
        let folder = tempfile::tempdir().unwrap();
        let pending = PendingSyncs::new(durability);
        std::thread::scope(|scope| {
            for n in 0..8 {
                let (pending, deep) = (&pending, folder.path().join(format!("a/b={}/c", n % 4)));
                scope.spawn(move || {
                    pending.make_folder(&deep).unwrap();
                    assert!(deep.is_dir());
                    fs::write(deep.join(n.to_string()), "").unwrap();
                    pending.note_name(&deep.join(n.to_string()));
                });
            }
        });
        pending.finish().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(pending.make_folder(&folder.path().join("file/x")).is_err());
    }
}
