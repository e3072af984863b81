//! Which version a table had at a time.

use chrono::{DateTime, Utc};
use deltalake_core::kernel::Action;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;

use super::log::{Log, Version};
use crate::Result;

/// Commits that are read at a time.
const AT_ONCE: usize = 16;

/// What the log says of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtTime {
    /// The latest version that was committed at it or before.
    Version(Version),
    /// It is before the oldest commit that the log still has.
    Before {
        /// The number of that commit.
        version: Version,
        /// When it was made.
        committed: DateTime<Utc>,
    },
}

impl Log {
    /// The version that the table had at a time. The commits are read from
    /// `latest` downwards until one is old enough.
    ///
    /// A commit's time is the one that it says (`inCommitTimestamp`, else
    /// `commitInfo.timestamp`), else that of its file: see PROTOCOL.md, "In-Commit
    /// Timestamps".
    ///
    /// # Errors
    /// Those of [`entry`](Self::entry).
    pub async fn version_at(&self, latest: Version, time: DateTime<Utc>) -> Result<AtTime> {
        let versions = stream::iter((0..=latest).rev());
        let read = async |version| Ok((version, self.committed(version).await?));
        let mut commits = versions.map(read).buffered(AT_ONCE);
        let mut oldest = AtTime::Version(latest);
        while let Some((version, committed)) = commits.try_next().await? {
            match committed {
                Some(committed) if committed <= time => return Ok(AtTime::Version(version)),
                Some(committed) => oldest = AtTime::Before { version, committed },
                // Only the oldest commits are cleaned away.
                None => break,
            }
        }
        Ok(oldest)
    }

    /// When a version was committed; nothing if the log does not hold it.
    async fn committed(&self, version: Version) -> Result<Option<DateTime<Utc>>> {
        let Some(actions) = self.entry(version).await? else { return Ok(None) };
        let said = actions.into_iter().find_map(|action| match action {
            Action::CommitInfo(info) => info.in_commit_timestamp.or(info.timestamp),
            _ => None,
        });
        if let Some(time) = said.and_then(DateTime::from_timestamp_millis) {
            return Ok(Some(time));
        }
        let path = self.entry_path(version);
        match self.output().objects.head(&path).await {
            Ok(meta) => Ok(Some(meta.last_modified)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.output().read_error(&path, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::path::Path;
    use serde_json::json;

    use super::*;
    use crate::store::Output;

    async fn log(commits: &[(Version, serde_json::Value)]) -> Log {
        let objects = Arc::new(InMemory::new());
        let output = Output { objects, url: "out".into(), refusals: None };
        let log = Log::new(&output, Path::from("pin"));
        for (version, info) in commits {
            let text = json!({ "commitInfo": info }).to_string();
            output.objects.put(&log.entry_path(*version), text.into()).await.unwrap();
        }
        log
    }

    #[tokio::test]
    async fn the_latest_commit_that_is_old_enough_counts() {
        let commits = [
            (3, json!({ "timestamp": 3_000 })),
            // The one in the commit is what the protocol goes by.
            (4, json!({ "timestamp": 9_000, "inCommitTimestamp": 4_000 })),
            (5, json!({ "timestamp": 6_000 })),
        ];
        let log = log(&commits).await;
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let before = AtTime::Before { version: 3, committed: at(3_000) };
        for (millis, expected) in [
            (2_999, before),
            (3_000, AtTime::Version(3)),
            (3_999, AtTime::Version(3)),
            (4_000, AtTime::Version(4)),
            (5_999, AtTime::Version(4)),
            (6_000, AtTime::Version(5)),
            (99_000, AtTime::Version(5)),
        ] {
            assert_eq!(log.version_at(5, at(millis)).await.unwrap(), expected, "{millis}");
        }
    }

    #[tokio::test]
    async fn a_commit_that_says_no_time_is_as_old_as_its_file() {
        let log = log(&[(0, json!({}))]).await;
        let now = Utc::now();
        let later = now + chrono::Duration::hours(1);
        assert_eq!(log.version_at(0, later).await.unwrap(), AtTime::Version(0));
        let earlier = now - chrono::Duration::hours(1);
        let at = log.version_at(0, earlier).await.unwrap();
        assert!(matches!(at, AtTime::Before { version: 0, .. }), "{at:?}");
    }
}
