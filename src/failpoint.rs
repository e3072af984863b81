//! Places where a process can be told to die, to see what a crash leaves.
//!
//! `PINCLEAN_FAILPOINT=after-put` kills the process the first time that it comes
//! to the place, `after-put:3` the third time; as `kill -9` does, so that nothing
//! is tidied up. Builds without debug assertions do not read the variable.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::{Error, Result};

/// The variable that says where to die, in builds that read it.
pub const VARIABLE: Option<&str> =
    if cfg!(debug_assertions) { Some("PINCLEAN_FAILPOINT") } else { None };

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A place in a run, in the order in which a run comes to them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// Every place.
            pub const ALL: &[Point] = &[$(Point::$point,)+];

            /// What the variable calls it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Point::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// Nothing is listed yet.
    BeforePlan = "before-plan",
    /// All is listed. Shards are worked by now.
    Planned = "planned",
    /// A shard, of which nothing is read yet.
    BeforeFetch = "before-fetch",
    /// A batch was read, and is not yet decoded.
    Fetched = "fetched",
    /// A batch was decoded, and is not yet clean.
    Decoded = "decoded",
    /// A batch is clean, and not yet written.
    Cleaned = "cleaned",
    /// A batch was given to the writer of its files.
    Written = "written",
    /// The files of a shard are complete, and nobody sees them.
    Finished = "finished",
    /// All shards are done, and no file has its name yet.
    BeforePublish = "before-publish",
    /// A file, before it gets its name.
    BeforeFile = "before-file",
    /// A file, once it has its name.
    AfterFile = "after-file",
    /// All files have their names, and no log lists them.
    Published = "published",
    /// A commit, of rows or of a quarantine, before it is put.
    BeforePut = "before-put",
    /// A commit, once it was put.
    AfterPut = "after-put",
    /// The rows of a table are committed, and the quarantine has not yet taken
    /// over its files.
    BeforeSettle = "before-settle",
    /// A version that gets a checkpoint, without it.
    BeforeCheckpoint = "before-checkpoint",
    /// A checkpoint that was written.
    AfterCheckpoint = "after-checkpoint",
    /// All is committed, and the report is not saved.
    BeforeReport = "before-report",
    /// The report is saved beside the tables.
    AfterReport = "after-report",
}

/// Where this process dies.
#[derive(Debug)]
struct Armed {
    point: Point,
    /// How often it comes there, the last time included.
    left: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Reads the variable. For the start of the process: without it no place is a
/// deadly one.
///
/// # Errors
/// [`Error::Usage`] if it names no place.
pub fn arm() -> Result<()> {
    let Some(value) = VARIABLE.and_then(|name| std::env::var(name).ok()) else { return Ok(()) };
    let armed = parse(&value)?;
    ARMED.get_or_init(|| armed);
    Ok(())
}

/// Dies, if this is the place and the time.
pub fn hit(point: Point) {
    if cfg!(debug_assertions)
        && let Some(armed) = ARMED.get()
        && armed.point == point
        && armed.left.fetch_sub(1, Relaxed) == 1
    {
        die();
    }
}

/// As by `kill -9`. It cannot fail: the process may signal itself.
fn die() {
    use rustix::process::{Signal, getpid, kill_process};
    _ = kill_process(getpid(), Signal::KILL);
}

fn parse(value: &str) -> Result<Armed> {
    let (name, times) = value.split_once(':').unwrap_or((value, "1"));
    let point = Point::ALL.iter().find(|point| point.name() == name);
    match (point, times.parse()) {
        (Some(&point), Ok(times @ 1..)) => Ok(Armed { point, left: times.into() }),
        _ => {
            let names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
            Err(Error::Usage(format!(
                "{} is {value:?}: give NAME or NAME:TIMES, with a name of {}",
                VARIABLE.unwrap_or_default(),
                names.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_by_its_name_and_how_often_it_is_reached() {
        for &point in Point::ALL {
            let armed = parse(point.name()).unwrap();
            assert_eq!((armed.point, armed.left.into_inner()), (point, 1));
            let armed = parse(&format!("{}:12", point.name())).unwrap();
            assert_eq!((armed.point, armed.left.into_inner()), (point, 12));
        }
        for wrong in ["", "after", "After-Put", "after-put:", "after-put:0", "after-put:x", ":1"] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
            assert!(error.to_string().contains("before-plan, planned"), "{error}");
        }
    }
}
