//! One seed: what happens, and that the tables are what they must be after it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::discriminant;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use pinclean::Error;

use crate::act::{Act, RUN};
use crate::chaos::{Fault, Kind, Script};
use crate::draw::Draw;
use crate::found::{Format, Reader};
use crate::past::{Attempt, Past, same};
use crate::place::{LAKE, OUT, Place};
use crate::run::{Ended, Program};
use crate::s3::{self, Op, Rule};
use crate::sink::{Put, Sink, TABLES};

/// Operations of a command, until one was counted.
const OPERATIONS: u64 = 30;
/// Every so many seeds there is one that lives long enough for checkpoints.
const LONG: u64 = 12;

pub struct World<'a> {
    program: &'a Program,
    place: &'a Place,
    draw: Draw,
    is_long: bool,
    sink: Sink,
    tables: BTreeMap<&'static str, Past>,
    reader: Reader,
    /// The most operations on the tables' store that each command took.
    operations: Vec<(Act, u64)>,
    /// What happened, for people.
    pub told: String,
}

/// What a command tells of itself.
struct Outcome {
    done: bool,
    /// The tables that a run or a replay committed to.
    committed: Option<u64>,
}

impl<'a> World<'a> {
    pub fn new(program: &'a Program, place: &'a Place, seed: u64) -> World<'a> {
        World {
            program,
            place,
            draw: Draw::new(seed),
            is_long: seed % LONG == LONG - 1,
            sink: Sink::default(),
            tables: TABLES.iter().map(|&table| (table, Past::new(table))).collect(),
            reader: Reader::default(),
            operations: Vec::new(),
            told: String::new(),
        }
    }

    /// Does what the seed says.
    pub fn live(&mut self) -> Result<(), String> {
        let puts = self.sink.begin(&mut self.draw);
        self.put("an object for each topic", puts);
        let steps = if self.is_long { 30 } else { self.draw.between(4, 10) };
        for _ in 0..steps {
            match self.draw.below(17) {
                0..=5 => self.deliver(),
                6..=8 => {
                    let act = self.any_act();
                    self.act(act)?;
                }
                9..=12 => self.act_badly()?,
                13..=15 => self.race()?,
                _ => self.look_back()?,
            }
        }
        // Whatever happened, the next runs bring everything, and then nothing.
        for _ in 0..2 {
            self.act(RUN)?;
        }
        self.look_back()?;
        if self.program.format == Format::Delta {
            self.act(Act::Replay)?;
            self.act(Act::Optimize { sorts: false })?;
            self.act(Act::Vacuum)?;
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

    fn any_act(&mut self) -> Act {
        let act = Act::draw(self.program.format, &mut self.draw);
        self.possible(act)
    }

    fn any_act_beside_others(&mut self) -> Act {
        let act = Act::beside_others(self.program.format, &mut self.draw);
        self.possible(act)
    }

    /// Where there is no table, only a run makes sense.
    fn possible(&self, act: Act) -> Act {
        if self.tables.values().any(Past::is_begun) { act } else { RUN }
    }

    /// A place among the operations of a command, or just after them.
    fn any_operation(&mut self, act: Act) -> u64 {
        let counted = self.operations.iter().find(|(of, _)| is_alike(*of, act));
        let most = counted.map_or(OPERATIONS, |(_, most)| *most);
        self.draw.below(most + 1)
    }

    fn count_operations(&mut self, act: Act, seen: u64) {
        match self.operations.iter_mut().find(|(of, _)| is_alike(*of, act)) {
            Some((_, most)) => *most = seen.max(*most),
            None => self.operations.push((act, seen)),
        }
    }

    /// A command in which nothing goes wrong.
    fn act(&mut self, act: Act) -> Result<(), String> {
        let _ = writeln!(self.told, "{act}");
        let script = Script::default();
        let seen = script.seen();
        let ended = self.program.start(self.place, act, script);
        self.count_operations(act, seen.load(SeqCst));
        match ended {
            Ended::Done(committed, Ok(())) => {
                self.settle_now(act, &Outcome { done: true, committed }, true)
            }
            other => Err(format!("{act}, in which nothing went wrong, ended as {other:?}")),
        }
    }

    /// A command in which something goes wrong.
    fn act_badly(&mut self) -> Result<(), String> {
        let act = self.any_act();
        let at = self.any_operation(act);
        let mut script = Script::default();
        let what = match self.draw.once_in(2).then(|| self.server_fault(at)).flatten() {
            Some(what) => what,
            None => {
                let fault = fault(&mut self.draw);
                script = script.fault(at, fault);
                format!("{fault:?}")
            }
        };
        let _ = write!(self.told, "{act}, {what} at {at}");
        let ended = self.program.start(self.place, act, script);
        if let Some(server) = &self.place.server {
            server.faults().clear();
        }
        let _ = writeln!(self.told, ": {}", told(&ended));
        let outcome = allowed(&ended, false)?;
        self.settle_now(act, &outcome, false)
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

    /// Two commands at a time: the first waits before an operation while the
    /// second is done, a run perhaps over more objects.
    fn race(&mut self) -> Result<(), String> {
        // Mostly there is something that both would commit.
        if !self.draw.once_in(4) {
            self.deliver();
        }
        let act = self.any_act_beside_others();
        let at = self.any_operation(act);
        let _ = writeln!(self.told, "{act}, which waits at {at}");
        let before = self.sink.bucket.clone();
        let (script, keeper) = Script::default().gate(at);
        let (program, place) = (self.program, self.place);
        let attempt = |committed| Attempt {
            act,
            bucket: &before,
            committed,
            whole: false,
            shard: place.shard_objects,
        };
        thread::scope(|scope| {
            let running = scope.spawn(move || program.start(place, act, script));
            let held = keeper.wait();
            // What it has done so far it tells in the end.
            let meanwhile = self.settle(&attempt(None));
            let meanwhile = meanwhile.and_then(|early| self.meanwhile(held).map(|()| early));
            keeper.open();
            let ended = running.join().unwrap_or_else(|panic| resume_unwind(panic));
            let early = meanwhile?;
            let _ = writeln!(self.told, "  the first: {}", told(&ended));
            let committed = allowed(&ended, true)?.committed;
            let committed = committed.map(|committed| committed.abs_diff(early));
            self.settle(&attempt(committed)).map(drop)
        })
    }

    /// What happens while a command waits.
    fn meanwhile(&mut self, held: Option<Kind>) -> Result<(), String> {
        let _ = writeln!(self.told, "  it waits at {held:?}");
        // A run that writes rows has read its listing to the end.
        if held == Some(Kind::Write) && self.draw.once_in(2) {
            self.deliver();
        }
        let act = self.any_act_beside_others();
        let mut script = Script::default();
        let _ = write!(self.told, "  {act}");
        if self.draw.once_in(3) {
            let (at, fault) = (self.any_operation(act), fault(&mut self.draw));
            let _ = write!(self.told, ", {fault:?} at {at}");
            script = script.fault(at, fault);
        }
        let clean = script.is_empty();
        let ended = self.program.start(self.place, act, script);
        let _ = writeln!(self.told, ": {}", told(&ended));
        let outcome = allowed(&ended, false)?;
        if clean && !outcome.done {
            return Err(format!("{act}, in which nothing went wrong, ended as {ended:?}"));
        }
        self.settle_now(act, &outcome, clean)
    }

    /// Reads an older version of a table.
    fn look_back(&mut self) -> Result<(), String> {
        if self.program.format != Format::Delta {
            return Ok(());
        }
        let name = self.draw.pick(&TABLES);
        let Some((version, rows)) = self.tables[name].earlier(|kept| self.draw.below(kept)) else {
            return Ok(());
        };
        let _ = writeln!(self.told, "look back at version {version} of {name}");
        let read = self.reader.travel(&*self.place.out, name, version);
        let found = self.program.runtime.block_on(read)?;
        same(&format!("the rows of {name} at version {version}"), &found, rows)
    }

    /// Compares, after a command that could see all that is there.
    fn settle_now(&mut self, act: Act, outcome: &Outcome, clean: bool) -> Result<(), String> {
        let bucket = self.sink.bucket.clone();
        let (committed, whole) = (outcome.committed, clean && outcome.done);
        let shard = self.place.shard_objects;
        self.settle(&Attempt { act, bucket: &bucket, committed, whole, shard })?;
        match (act, committed) {
            (Act::Run { .. }, Some(_)) => self.check_complete(),
            _ => Ok(()),
        }
    }

    /// Compares every table with the model: a command that ended has done all of a
    /// table or nothing, and the table says which. The number of tables that a run
    /// committed to, which must be the one that it told.
    fn settle(&mut self, attempt: &Attempt<'_>) -> Result<u64, String> {
        let mut seen = 0;
        for (name, table) in &mut self.tables {
            let read = self.reader.read(self.program.format, &*self.place.out, name);
            let found = self.program.runtime.block_on(read)?;
            seen += u64::from(table.follow(&found, attempt)?);
        }
        match attempt.committed {
            Some(told) if told != seen => {
                Err(format!("the run told of {told} commits, and there are {seen}"))
            }
            _ => Ok(seen),
        }
    }

    /// Whether nothing of what is there is left to be read.
    fn check_complete(&self) -> Result<(), String> {
        match self.tables.iter().find(|(_, table)| table.is_behind(&self.sink.bucket)) {
            Some((name, _)) => Err(format!("{name}: the run left something out")),
            None => Ok(()),
        }
    }
}

fn is_alike(a: Act, b: Act) -> bool {
    discriminant(&a) == discriminant(&b)
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

fn told(ended: &Ended) -> String {
    match ended {
        Ended::Done(_, Ok(())) => "done".to_owned(),
        Ended::Done(_, Err(error)) => format!("done, but for the report: {error}"),
        Ended::Failed(error) => format!("failed: {error}"),
        Ended::Crashed => "crashed".to_owned(),
    }
}

/// What a command tells in which something went wrong.
///
/// # Errors
/// An end that nothing which went wrong explains.
fn allowed(ended: &Ended, raced: bool) -> Result<Outcome, String> {
    match ended {
        Ended::Done(committed, _) => Ok(Outcome { done: true, committed: *committed }),
        Ended::Crashed => Ok(Outcome { done: false, committed: None }),
        Ended::Failed(Error::Ahead { .. }) if raced => Ok(Outcome { done: false, committed: None }),
        Ended::Failed(
            Error::Read { .. }
            | Error::Write { .. }
            | Error::AccessDenied { .. }
            | Error::NoCredentials { .. },
        ) => Ok(Outcome { done: false, committed: None }),
        Ended::Failed(error) => Err(format!("it failed, and not as it should: {error:?}")),
    }
}
