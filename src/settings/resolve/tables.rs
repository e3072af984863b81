//! The commands that work on finished tables.

use std::time::Duration;

use super::super::duration::duration;
use super::super::layers::{Layers, Name};
use super::super::{History, Optimize, Replay, Snapshot, Tables, Vacuum, values};
use super::{DEFAULT_OUT, count, durability, memory};
use crate::cli::{
    HistoryArgs, OptimizeArgs, PlaceArgs, ReplayArgs, S3Args, SnapshotArgs, TablesArgs, VacuumArgs,
};
use crate::query::AsOf;
use crate::{Error, Result};

/// The size of the files that are packed if none is given, in bytes.
pub const DEFAULT_TARGET_SIZE: u64 = 128 << 20;

/// How long files have to be out of use before they are deleted without
/// `--force`; also the default. Delta's own default, `delta.deletedFileRetentionDuration`.
pub const SAFE_RETENTION: Duration = Duration::from_secs(7 * 86_400);

const DEFAULT_LIMIT: u64 = 20;

pub(super) fn optimize(args: OptimizeArgs, layers: &Layers<'_>) -> Result<Optimize> {
    Ok(Optimize {
        tables: tables(args.tables, args.s3, layers)?,
        target_size: layers
            .parsed("target-size", args.target_size, values::target_size)?
            .unwrap_or(DEFAULT_TARGET_SIZE),
        sort: layers.parsed("sort", args.sort, values::text)?,
        durability: durability(args.no_fsync, layers)?,
        memory: memory(args.memory, layers)?,
    })
}

pub(super) fn vacuum(args: VacuumArgs, layers: &Layers<'_>) -> Result<Vacuum> {
    // `force` of `init` is about a file: it must not allow this too.
    let force = layers.switch(Name::of("vacuum", "force"), args.force)?;
    let retain = |text: &str| match duration(text)? {
        short if short < SAFE_RETENTION && !force => Err(format!(
            "{text:?} is less than 7d: files that a running job still reads or is about to \
             commit could be deleted; add --force if no job is running"
        )),
        retain => Ok(retain),
    };
    Ok(Vacuum {
        tables: tables(args.tables, args.s3, layers)?,
        retain: layers.parsed("retain", args.retain, retain)?.unwrap_or(SAFE_RETENTION),
        durability: durability(args.no_fsync, layers)?,
        dry_run: layers.switch("dry-run", args.dry_run)?,
        force,
    })
}

pub(super) fn replay(args: ReplayArgs, layers: &Layers<'_>) -> Result<Replay> {
    Ok(Replay {
        tables: tables(args.tables, args.s3, layers)?,
        transforms: layers.parsed("transforms", args.transforms, values::path)?,
        report: layers.parsed("report", args.report, values::path)?,
        durability: durability(args.no_fsync, layers)?,
        memory: memory(args.memory, layers)?,
    })
}

pub(super) fn history(args: HistoryArgs, layers: &Layers<'_>) -> Result<History> {
    Ok(History {
        tables: tables(args.tables, args.s3, layers)?,
        limit: count("limit", args.limit, layers, DEFAULT_LIMIT)? as usize,
        json: layers.switch("json", args.json)?,
    })
}

fn tables(args: TablesArgs, s3: S3Args, layers: &Layers<'_>) -> Result<Tables> {
    let mut names: Vec<String> = Vec::new();
    for name in args.names {
        let name = values::table_name(&name)
            .map_err(|problem| Error::Usage(format!("TABLE: {problem}")))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Tables { url: url(args.place, layers)?, names, s3: super::s3(s3, layers)? })
}

pub(super) fn snapshot(args: SnapshotArgs, s3: S3Args, layers: &Layers<'_>) -> Result<Snapshot> {
    Ok(Snapshot {
        url: url(args.place, layers)?,
        as_of: layers.parsed("as-of", args.as_of, AsOf::parse)?,
        s3: super::s3(s3, layers)?,
    })
}

fn url(args: PlaceArgs, layers: &Layers<'_>) -> Result<String> {
    let url = layers.parsed(Name::typed_as("out", "tables"), args.out, values::text)?;
    Ok(url.unwrap_or(DEFAULT_OUT.into()))
}
