//! One seed: what happens, and that the tables are what they must be after it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use pinclean::Error;

use crate::chaos::{Chaos, Fault, Kind, Script};
use crate::draw::Draw;
use crate::found::{Found, Reader};
use crate::oracle::Table;
use crate::place::{LAKE, OUT, Place};
use crate::run::{Ended, Program};
use crate::s3::{self, Op, Rule};
use crate::sink::{Bucket, Put, Sink, TABLES};

/// Operations of a run, until one was counted.
const OPERATIONS: u64 = 8;

pub struct World<'a> {
    program: &'a Program,
    place: &'a Place,
    draw: Draw,
    sink: Sink,
    tables: BTreeMap<&'static str, Table>,
    reader: Reader,
    /// Operations on the tables' store that a run took.
    operations: u64,
    /// What happened, for people.
    pub told: String,
}

/// A run that ended, and what is known of it.
struct Attempt<'a> {
    /// The objects that it could see.
    bucket: &'a Bucket,
    full: bool,
    /// Commits by its own words, where it has told.
    committed: Option<u64>,
}

impl<'a> World<'a> {
    pub fn new(program: &'a Program, place: &'a Place, seed: u64) -> World<'a> {
        World {
            program,
            place,
            draw: Draw::new(seed),
            sink: Sink::default(),
            tables: TABLES.iter().map(|table| (*table, Table::default())).collect(),
            reader: Reader::default(),
            operations: OPERATIONS,
            told: String::new(),
        }
    }

    /// Does what the seed says.
    pub fn live(&mut self) -> Result<(), String> {
        let puts = self.sink.begin(&mut self.draw);
        self.put("an object for each topic", puts);
        for _ in 0..self.draw.between(4, 10) {
            match self.draw.below(16) {
                0..=5 => self.deliver(),
                6..=8 => self.run()?,
                9..=12 => self.run_badly()?,
                _ => self.race()?,
            }
        }
        // Whatever happened, the next runs bring everything, and then nothing.
        for _ in 0..2 {
            self.clean_run(false)?;
        }
        Ok(())
    }

    fn deliver(&mut self) {
        for _ in 0..self.draw.between(1, 3) {
            let (what, puts) = self.sink.deliver(&mut self.draw);
            self.put(&what, puts);
        }
    }

    fn put(&mut self, what: &str, puts: Vec<Put>) {
        if !puts.is_empty() {
            let _ = writeln!(self.told, "deliver {what}");
        }
        for (key, body) in puts {
            self.place.put(&key, body);
        }
    }

    fn run(&mut self) -> Result<(), String> {
        let full = self.draw.once_in(5);
        self.clean_run(full)
    }

    /// A run in which nothing goes wrong.
    fn clean_run(&mut self, full: bool) -> Result<(), String> {
        let _ = writeln!(self.told, "run{}", self::full(full));
        let script = Script::default();
        let seen = script.seen();
        let ended = start((self.program, self.place), full, script);
        self.operations = seen.load(SeqCst);
        match ended {
            Ended::Done(committed, Ok(())) => {
                self.settle_now(full, Some(committed)).and_then(|()| self.check_settled())
            }
            other => Err(format!("a run in which nothing went wrong ended as {other:?}")),
        }
    }

    /// A run in which something goes wrong.
    fn run_badly(&mut self) -> Result<(), String> {
        let full = self.draw.once_in(5);
        let at = self.draw.below(self.operations + 1);
        let mut script = Script::default();
        let what = match self.draw.once_in(2).then(|| self.server_fault(at)).flatten() {
            Some(what) => what,
            None => {
                let fault = fault(&mut self.draw);
                script = script.fault(at, fault);
                format!("{fault:?}")
            }
        };
        let _ = write!(self.told, "run{}, {what} at {at}", self::full(full));
        let ended = start((self.program, self.place), full, script);
        if let Some(server) = &self.place.server {
            server.faults().clear();
        }
        let _ = writeln!(self.told, ": {}", told(&ended));
        let committed = allowed(&ended, false)?;
        self.settle_now(full, committed)
    }

    /// Something that the server does, in words; `None` where there is none.
    fn server_fault(&mut self, at: u64) -> Option<String> {
        use s3::Fault::{AccessDenied, Close, CutBody, InternalError, SlowDown};
        use s3::Fault::{LandThenClose, LandThenError};
        let server = self.place.server.as_ref()?;
        let (rule, what) = match self.draw.below(5) {
            0 => {
                let fault = self.draw.pick(&[Close, CutBody(0), CutBody(9), SlowDown]);
                (
                    Rule::new(fault).on(Op::Get).in_bucket(LAKE).first(1),
                    format!("{fault:?} in lake"),
                )
            }
            1 => (Rule::new(AccessDenied).in_bucket(OUT).from(at), "AccessDenied from".to_owned()),
            2 => {
                let fault = self.draw.pick(&[LandThenError, LandThenClose]);
                (Rule::new(fault).in_bucket(OUT).only(at), format!("{fault:?}"))
            }
            3 => {
                // Of the puts alone: there are few.
                let (fault, at) = (self.draw.pick(&[LandThenError, LandThenClose]), at % 4);
                (
                    Rule::new(fault).in_bucket(OUT).on(Op::Put).only(at),
                    format!("{fault:?} of put {at}"),
                )
            }
            _ => {
                let fault = self.draw.pick(&[SlowDown, InternalError, Close]);
                (Rule::new(fault).in_bucket(OUT).only(at), format!("{fault:?}"))
            }
        };
        server.faults().add(rule);
        Some(format!("the server's {what}"))
    }

    /// Two runs at a time: the first waits before an operation while the second
    /// runs whole, perhaps over more objects.
    fn race(&mut self) -> Result<(), String> {
        let first = self.draw.once_in(6);
        let at = self.draw.below(self.operations + 1);
        let _ = writeln!(self.told, "run{}, which waits at {at}", full(first));
        let before = self.sink.bucket.clone();
        let (script, keeper) = Script::default().gate(at);
        let (program, place) = (self.program, self.place);
        thread::scope(|scope| {
            let running = scope.spawn(move || start((program, place), first, script));
            let held = keeper.wait();
            // What it has done so far it tells in the end.
            let attempt = Attempt { bucket: &before, full: first, committed: None };
            let meanwhile = self.settle(attempt);
            let meanwhile = meanwhile.and_then(|early| self.meanwhile(held).map(|()| early));
            keeper.open();
            let ended = running.join().unwrap_or_else(|panic| resume_unwind(panic));
            let early = meanwhile?;
            let _ = writeln!(self.told, "  the first: {}", told(&ended));
            let committed = allowed(&ended, true)?.map(|committed| committed.abs_diff(early));
            self.settle(Attempt { bucket: &before, full: first, committed }).map(drop)
        })
    }

    /// What happens while a run waits.
    fn meanwhile(&mut self, held: Option<Kind>) -> Result<(), String> {
        let _ = writeln!(self.told, "  it waits at {held:?}");
        // A run that writes has read its listing to the end.
        if held == Some(Kind::Write) && self.draw.once_in(2) {
            self.deliver();
        }
        let second = self.draw.once_in(6);
        let mut script = Script::default();
        let _ = write!(self.told, "  run{}", full(second));
        if self.draw.once_in(3) {
            let (at, fault) = (self.draw.below(self.operations + 1), fault(&mut self.draw));
            let _ = write!(self.told, ", {fault:?} at {at}");
            script = script.fault(at, fault);
        }
        let clean = script.is_empty();
        let ended = start((self.program, self.place), second, script);
        let _ = writeln!(self.told, ": {}", told(&ended));
        let committed = allowed(&ended, false)?;
        if clean && committed.is_none() {
            return Err(format!("a run in which nothing went wrong ended as {ended:?}"));
        }
        self.settle_now(second, committed)
    }

    /// Compares, after a run that could see all that is there.
    fn settle_now(&mut self, full: bool, committed: Option<u64>) -> Result<(), String> {
        let bucket = self.sink.bucket.clone();
        self.settle(Attempt { bucket: &bucket, full, committed })?;
        committed.map_or(Ok(()), |_| self.check_settled())
    }

    /// Compares every table with the model: a run that ended has committed all of
    /// a table or nothing, and the table says which. The number of commits, which
    /// must be the one that the run told.
    fn settle(&mut self, attempt: Attempt<'_>) -> Result<u64, String> {
        let Attempt { bucket, full, committed } = attempt;
        let mut seen = 0;
        for (name, table) in &mut self.tables {
            let read = self.reader.parquet(&*self.place.out, name);
            let found = self.program.runtime.block_on(read)?;
            if found.version == table.version + 1 {
                let next = table.after(bucket, name, full);
                *table = next.ok_or_else(|| format!("{name}: a commit of nothing"))?;
                seen += 1;
            }
            compare(name, table, &found)?;
        }
        match committed {
            Some(told) if told != seen => {
                Err(format!("the run told of {told} commits, and there are {seen}"))
            }
            _ => Ok(seen),
        }
    }

    /// Whether nothing of what is there is left to be read.
    fn check_settled(&self) -> Result<(), String> {
        let left = |(name, table): (&&str, &Table)| {
            table.after(&self.sink.bucket, name, false).map(|_| name.to_string())
        };
        match self.tables.iter().find_map(left) {
            Some(name) => Err(format!("{name}: the run left something out")),
            None => Ok(()),
        }
    }
}

fn compare(name: &str, table: &Table, found: &Found) -> Result<(), String> {
    if found.version != table.version {
        return Err(format!("{name}: {} commits, not {}", found.version, table.version));
    }
    for (what, found, expected) in
        [("rows", &found.rows, table.rows()), ("rejects", &found.rejects, table.rejects())]
    {
        if *found != expected {
            return Err(format!("the {what} of {name}: {}", difference(found, &expected)));
        }
    }
    Ok(())
}

/// The first rows that one of two sorted lists has more often.
fn difference(found: &[String], expected: &[String]) -> String {
    let count = |rows: &[String], row: &String| rows.iter().filter(|other| *other == row).count();
    let differs = |row: &&String| count(found, row) != count(expected, row);
    let rows: Vec<_> = found.iter().chain(expected).filter(differs).take(6).collect();
    let told = rows
        .iter()
        .map(|row| format!("\n  {} of {}: {row}", count(found, row), count(expected, row)));
    format!("found {}, expected {}{}", found.len(), expected.len(), told.collect::<String>())
}

fn start((program, place): (&Program, &Place), full: bool, script: Script) -> Ended {
    program.run(place, full, Arc::new(Chaos::new(Arc::clone(&place.out), script)))
}

fn fault(draw: &mut Draw) -> Fault {
    match draw.below(9) {
        0 | 1 => Fault::Crash,
        2 | 3 => Fault::CrashAfter,
        4 | 5 => Fault::Lost,
        6 => Fault::Refused,
        7 => Fault::Doubled,
        _ if draw.once_in(3) => Fault::Down,
        _ => Fault::Busy(draw.between(2, 3)),
    }
}

fn full(full: bool) -> &'static str {
    if full { " --full" } else { "" }
}

fn told(ended: &Ended) -> String {
    match ended {
        Ended::Done(_, Ok(())) => "done".to_owned(),
        Ended::Done(_, Err(error)) => format!("done, but for the report: {error}"),
        Ended::Failed(error) => format!("failed: {error}"),
        Ended::Crashed => "crashed".to_owned(),
    }
}

/// The commits that a run tells of in which something went wrong, if it got so
/// far.
///
/// # Errors
/// An end that nothing which went wrong explains.
fn allowed(ended: &Ended, raced: bool) -> Result<Option<u64>, String> {
    match ended {
        Ended::Done(committed, _) => Ok(Some(*committed)),
        Ended::Crashed => Ok(None),
        Ended::Failed(Error::Ahead { .. }) if raced => Ok(None),
        Ended::Failed(
            Error::Read { .. }
            | Error::Write { .. }
            | Error::AccessDenied { .. }
            | Error::NoCredentials { .. },
        ) => Ok(None),
        Ended::Failed(error) => Err(format!("the run failed, and not as it should: {error:?}")),
    }
}
