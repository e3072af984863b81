//! Two processes that run at once, from the same source to the same tables.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use super::content::Content;
use super::lake::{Kind, Lake, Objects, slices};
use crate::command::{said, thorough};

/// Pairs on each kind of store.
fn pairs() -> usize {
    if thorough() { 25 } else { 4 }
}

fn start(mut command: Command) -> Child {
    command.spawn().unwrap()
}

/// The tables after one run over `objects`.
fn undisturbed(kind: Kind, objects: &[&Objects]) -> Content {
    let lake = Lake::new(kind);
    objects.iter().for_each(|objects| lake.put_all(objects));
    lake.done();
    lake.content()
}

/// Two runs, the second a moment later, and then a third by itself. Every second
/// pair finds tables; every second one gets new objects while it is under way.
fn meet(kind: Kind) {
    let [first, second, third] = [0, 1, 2].map(|n| slices(n..n + 1));
    let tables = Lake::with(kind, &first);
    tables.done();
    let tables = tables.objects();
    let least = undisturbed(kind, &[&first, &second]);
    let most = undisturbed(kind, &[&first, &second, &third]);
    let mut fenced = 0;
    for pair in 0..pairs() {
        let (tables_are_there, grows) = (pair % 2 == 0, pair % 4 < 2);
        let about = format!("{kind:?}, pair {pair}");
        let lake = Lake::with(kind, if tables_are_there { &tables } else { &first });
        lake.put_all(&second);
        let one = start(lake.run());
        thread::sleep(Duration::from_millis(pair as u64 / 4 * 5));
        let other = start(lake.run());
        if grows {
            lake.put_all(&third);
        }
        let ended = [one, other].map(|child| child.wait_with_output().unwrap());
        let mut codes = ended.each_ref().map(|output| output.status.code());
        codes.sort_unstable();
        assert!(
            codes == [Some(0), Some(0)] || codes == [Some(0), Some(75)],
            "{about}: {}\n{}",
            said(&ended[0]),
            said(&ended[1]),
        );
        fenced += usize::from(codes[1] == Some(75));
        match grows {
            true => lake.content().assert_within(&least, &most, &about),
            false => lake.content().assert_is(&least, &about),
        }
        lake.done();
        lake.content().assert_is(if grows { &most } else { &least }, &about);
    }
    // A few may miss each other.
    assert!(fenced > 0 || !thorough(), "no two runs of {} met", pairs());
}

#[test]
fn two_runs_at_once_give_what_one_gives_in_a_folder() {
    meet(Kind::Folder);
}

#[test]
fn two_runs_at_once_give_what_one_gives_on_s3() {
    meet(Kind::S3);
}
