//! Ctrl-C and SIGTERM: every command ends, wherever it is.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::command::{isolated, program, said};
use crate::s3::{ACCESS_KEY, Fault, Op, Rule, SECRET_KEY, Server};
use crate::s3_runs::world::{LAKE, Running, World};

/// Far below what `docker stop` allows, on a machine under load.
const SOON: Duration = Duration::from_secs(5);

/// A server that takes requests, and answers none for two minutes.
fn deaf() -> Server {
    let server = Server::start();
    for bucket in ["lake", "tables"] {
        server.create_bucket(bucket);
    }
    server.faults().add(Rule::new(Fault::Delay(Duration::from_secs(120))));
    server
}

/// A command that waits for the server.
fn command(server: &Server, folder: &Path, line: &str) -> Command {
    let mut command = isolated(program(), folder);
    command.args(line.split(' ')).stdin(Stdio::null());
    speak_to(server, &mut command);
    command
}

fn speak_to(server: &Server, command: &mut Command) {
    command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    command.env("AWS_ENDPOINT_URL", server.endpoint());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !reached() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(pid: u32, signal: &str) {
    let sent = Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// How a process ends that got a signal just now.
#[track_caller]
fn ends_soon(child: Child, about: &str) -> Output {
    let begin = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begin.elapsed() < SOON, "{about}: {:?}", begin.elapsed());
    output
}

#[test]
fn every_command_ends_while_it_waits_for_s3() {
    let lines = [
        "run --bucket lake --out s3://tables",
        "run --bucket lake --out s3://tables --region us-east-1 --path-style",
        "init a.pin --bucket lake",
        "emulate s3://lake --rows 3",
        "optimize --tables s3://tables",
        "vacuum --tables s3://tables",
        "replay --tables s3://tables",
        "history --tables s3://tables",
    ];
    for (line, (signal, code)) in
        lines.iter().zip([("TERM", 143), ("INT", 130)].into_iter().cycle())
    {
        let (server, folder) = (deaf(), tempfile::tempdir().unwrap());
        let child = command(&server, folder.path(), line).spawn().unwrap();
        wait_until(line, || !server.log().is_empty());
        kill(child.id(), signal);
        let output = ends_soon(child, line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", said(&output));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("stopped by"), "{line}: {text}");
    }
}

/// A transforms file that never ends: a pipe.
fn endless_transforms(folder: &Path) -> PathBuf {
    std::fs::create_dir(folder.join("slow")).unwrap();
    let pipe = folder.join("slow/pin.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

/// The end to write to, once somebody reads: until then it cannot be opened.
fn writer(pipe: &Path) -> Option<File> {
    const O_NONBLOCK: i32 = 0o4000;
    File::options().write(true).custom_flags(O_NONBLOCK).open(pipe).ok()
}

#[test]
fn a_command_ends_while_it_reads_its_transforms() {
    for line in ["check slow", "run --source . --transforms slow", "replay --transforms slow"] {
        let (server, folder) = (deaf(), tempfile::tempdir().unwrap());
        let pipe = endless_transforms(folder.path());
        let child = command(&server, folder.path(), line).spawn().unwrap();
        let mut open = None;
        wait_until(line, || {
            open = writer(&pipe);
            open.is_some()
        });
        kill(child.id(), "TERM");
        // Some listen, and cannot hear it now: they are given four seconds.
        let output = ends_soon(child, line);
        assert_eq!(output.status.code(), Some(143), "{line}: {}", said(&output));
    }
}

#[test]
fn the_first_process_of_a_container_ends_too() {
    let namespace = ["--fork", "--pid", "--kill-child"];
    if !Command::new("unshare").args(namespace).arg("true").status().is_ok_and(|s| s.success()) {
        println!("skipped: only root may begin a namespace of processes");
        return;
    }
    for line in ["init a.pin --bucket lake", "run --bucket lake --out s3://tables --log json"] {
        let (server, folder) = (deaf(), tempfile::tempdir().unwrap());
        let mut outer = isolated("unshare", folder.path());
        outer.args(namespace).arg(program()).args(line.split(' ')).stdin(Stdio::null());
        speak_to(&server, &mut outer);
        let outer = outer.spawn().unwrap();
        wait_until(line, || !server.log().is_empty());
        let children = format!("/proc/{0}/task/{0}/children", outer.id());
        let inner = std::fs::read_to_string(children).unwrap();
        kill(inner.trim().parse().unwrap(), "TERM");
        let output = ends_soon(outer, line);
        assert_eq!(output.status.code(), Some(143), "{line}: {}", said(&output));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("stopped by SIGTERM"), "{line}: {text}");
    }
}

/// A run that is watched, from a bucket of many small objects, in the midst of reading.
fn in_the_midst(world: &World) -> Running {
    world.server.faults().add(Rule::new(Fault::Delay(Duration::from_millis(20))).on(Op::Get));
    let run = world.run("s3://tables/clean").args(["--concurrency", "16"]);
    let run = run.arg("--metrics").arg(world.path("lag.prom")).start();
    wait_until("reading", || world.requests(LAKE, Op::Get) > 100);
    run
}

/// The exit code in the metrics.
fn told(world: &World) -> String {
    let text = std::fs::read_to_string(world.path("lag.prom")).unwrap_or_default();
    let sample = text.lines().find(|line| line.starts_with("pinclean_run_exit_code{"));
    sample.and_then(|line| line.rsplit(' ').next()).unwrap_or("none").to_owned()
}

#[test]
fn a_run_of_many_small_objects_stops_between_two_of_them() {
    let world = World::new();
    world.fill(&["--rows", "3000", "--flush-size", "1"]);
    let run = in_the_midst(&world);
    let begin = Instant::now();
    run.signal("TERM");
    let ended = run.end();
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}: {}", ended.stderr);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(!ended.stderr.contains("cut off"), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped by SIGTERM"), "{}", ended.stderr);
    assert_eq!(told(&world), "143");
    assert_eq!(world.open_uploads(), 0);

    world.server.faults().clear();
    let next = world.run("s3://tables/clean").done();
    let read: u64 = ["pin", "geo", "user"]
        .map(|t| next.number(&format!("/tables/{t}/records_read")))
        .iter()
        .sum();
    assert_eq!(read as usize, world.server.keys(LAKE, "").len());
}

#[test]
fn a_second_signal_is_told_as_the_reason_and_in_the_metrics() {
    let world = World::new();
    world.fill(&["--rows", "300", "--flush-size", "1"]);
    world.run("s3://tables/clean").arg("--metrics").arg(world.path("lag.prom")).done();
    assert_eq!(told(&world), "0");
    let before = std::fs::read_to_string(world.path("lag.prom")).unwrap();
    // Nothing is read, and a write that decides a commit is waited for.
    world.server.faults().add(Rule::new(Fault::Delay(Duration::from_secs(120))).on(Op::Put));
    let run = world.run("s3://tables/clean").args(["--mode", "overwrite", "--log", "json"]);
    let run = run.arg("--metrics").arg(world.path("lag.prom")).start();
    let puts = world.requests("tables", Op::Put);
    wait_until("writing", || world.requests("tables", Op::Put) > puts);
    for signal in ["TERM", "INT"] {
        run.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
    }
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let last: serde_json::Value =
        serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&last["level"], &last["exit_code"]), (&"ERROR".into(), &130.into()), "{last}");
    assert_eq!(told(&world), "130");
    let now = std::fs::read_to_string(world.path("lag.prom")).unwrap();
    // What is not known is not told; what was known of the last success is.
    assert!(before.contains("pinclean_lag_objects{") && !now.contains("pinclean_lag_objects{"));
    let success = |text: &str| {
        let of_it = |line: &&str| line.starts_with("pinclean_last_success_timestamp_seconds{");
        text.lines().find(of_it).map(str::to_owned)
    };
    assert!(success(&now).is_some() && success(&now) == success(&before));
}
