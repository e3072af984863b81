//! Each exit code of the README's table, by a run that ends with it.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::markdown::Document;
use super::world::World;
use crate::command::{pinclean, said};
use crate::s3::{ACCESS_KEY, Op, SECRET_KEY};
use crate::table::Format;

/// Runs with these arguments, and the codes that they end with.
const ENDS: [(i32, &str); 8] = [
    (0, "run --source fixtures/bucket --out clean"),
    (0, "run --source fixtures/bucket --out clean"),
    (2, "run --source no-such-folder --out clean"),
    (1, "run --bucket no-such-bucket --out clean"),
    (2, "run --source fixtures/bucket --no-such-option"),
    (2, "run --source fixtures/bucket --transforms wrong --out clean"),
    (2, "run --source fixtures/bucket --config wrong/settings.ini --out clean"),
    (3, "run --source demo --out clean-demo --max-rejects 0"),
];

fn documented() -> BTreeSet<i32> {
    let rows = Document::read("README.md").table("exit code");
    let codes = rows.iter().flat_map(|row| row[0].split(", "));
    codes.map(|code| code.parse().unwrap()).collect()
}

#[test]
fn the_manual_has_the_exit_codes_of_the_readme() {
    let page = pinclean::cli::manual().text.replace("\\-", "-").replace("\\fB", "");
    let page = page.replace("\\fR", "");
    let (_, section) = page.split_once(".SH \"EXIT STATUS\"\n").unwrap();
    let section = section.split(".SH ").next().unwrap();
    let rows = Document::read("README.md").table("exit code");
    let rows = rows.iter().map(|row| format!(".TP\n{}\n{}\n", row[0], row[1].replace('`', "")));
    assert_eq!(section, rows.collect::<String>());
}

#[test]
fn each_exit_code_of_the_readme_occurs() {
    let world = World::new();
    fs::create_dir(world.folder().join("wrong")).unwrap();
    fs::write(world.folder().join("wrong/pin.toml"), "version = 1\n").unwrap();
    fs::write(world.folder().join("wrong/settings.ini"), "nonsense = 1\n").unwrap();
    assert!(world.shell("pinclean emulate demo --rows 50 --bad-rate 0.5").status.success());
    let mut seen = BTreeSet::new();
    for (code, args) in ENDS {
        let output = world.shell(&format!("pinclean {args}"));
        assert_eq!(output.status.code(), Some(code), "pinclean {args}: {}", said(&output));
        seen.insert(code);
    }
    seen.insert(behind_another_run(&world));
    seen.extend([("INT", 130), ("TERM", 143)].map(|(signal, code)| stopped(&world, signal, code)));
    assert_eq!(seen, documented());
}

/// While a run reads, another one commits: its commit is there first.
fn behind_another_run(world: &World) -> i32 {
    let run = |out: &str| format!("pinclean run --bucket pins --out s3://lake/{out}");
    assert!(world.shell(&run("first")).status.success());
    let path = Format::Delta.first_commit("geo");
    let commit = world.server.get("lake", &format!("first/{path}")).unwrap();
    let object = world.server.keys("pins", "topics/").remove(0);
    world.server.faults().on_get("pins", &object, move |store| {
        store.put("lake", &format!("second/{path}"), commit);
    });
    let output = world.shell(&run("second"));
    assert_eq!(output.status.code(), Some(75), "{}", said(&output));
    75
}

/// A run that is stopped while it reads.
fn stopped(world: &World, signal: &str, code: i32) -> i32 {
    world.server.clear_log();
    world.server.faults().delay(Op::Get, Duration::from_millis(300));
    let args = ["run", "--bucket", "pins", "--concurrency", "1", "--out", signal];
    let mut run = pinclean(&world.folder(), &args)
        .args(["--endpoint-url", &world.server.endpoint()])
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while world.server.count(Op::Get) == 0 {
        assert!(Instant::now() < patience, "the run reads nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-s", signal, &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(run.wait().unwrap().code(), Some(code), "after {signal}");
    world.server.faults().clear();
    code
}
