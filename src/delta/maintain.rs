//! What keeps a log short.

use chrono::Utc;
use deltalake_core::protocol::checkpoints::cleanup_expired_logs_for;
use deltalake_core::table::config::TablePropertiesExt;

use super::log::{Log, Version};
use crate::Result;
use crate::failpoint::{self, Point};

/// A reader replays the commits since the last checkpoint: nine at most.
const CHECKPOINT_INTERVAL: u64 = 10;

impl Log {
    /// Writes a checkpoint of every tenth version, and then removes the commits
    /// before it that are older than the table keeps them
    /// (`delta.logRetentionDuration`, 30 days).
    ///
    /// # Errors
    /// What reading or writing failed with. The table is as sound as before.
    pub async fn maintain(&self, version: Version) -> Result<()> {
        if !(version + 1).is_multiple_of(CHECKPOINT_INTERVAL) {
            return Ok(());
        }
        failpoint::hit(Point::BeforeCheckpoint);
        let Some(state) = self.read_at(Some(version)).await? else { return Ok(()) };
        let (engine, snapshot) = (self.store.engine(None), state.snapshot().clone());
        self.blocking(move || snapshot.checkpoint(engine.as_ref(), None).map(drop))
            .await?
            .map_err(|e| self.explain(e))?;
        failpoint::hit(Point::AfterCheckpoint);
        let properties = state.snapshot().table_configuration().table_properties();
        if properties.enable_expired_log_cleanup() {
            let keep = i64::try_from(properties.log_retention_duration().as_millis());
            let cutoff = Utc::now().timestamp_millis() - keep.unwrap_or(i64::MAX);
            cleanup_expired_logs_for(version, self.store.as_ref(), cutoff, None)
                .await
                .map_err(|e| self.explain_library(e))?;
        }
        Ok(())
    }
}
