//! The manifests against their schemas, and their command lines by the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::named;
use crate::command::{isolated, program, said};
use crate::readme::markdown::repository;
use crate::readme::world::World;

/// Runs a manifest's commands where its buckets are: they must commit rows, and answer
/// the questions.
fn check_commands(commands: &[Vec<String>], of: &str) {
    let world = World::new();
    for arguments in commands {
        let quoted: Vec<String> = arguments.iter().map(|one| format!("'{one}'")).collect();
        let output = world.shell(&format!("pinclean {}", quoted.join(" ")));
        assert!(output.status.success(), "{of}: {}", said(&output));
    }
    assert!(world.server.keys("lake", "clean/_answers/").len() >= 8, "{of}: {commands:?}");
    let reports = world.reports();
    assert!(reports.len() == 1 && reports[0]["outcome"] == "committed", "{of}: {reports:#?}");
    let written = reports[0]["tables"]["pin"]["records_written"].as_u64();
    assert!(written > Some(0), "{of}: {reports:#?}");
}

#[test]
fn manifests_fit_their_schemas_and_the_program_takes_their_arguments() {
    let Some(python) = named("PINCLEAN_DEPLOY_PYTHON", "Python with botocore") else { return };
    let mut check = isolated(python, &repository());
    check.env("PYTHONDONTWRITEBYTECODE", "1").args(["-c", include_str!("manifests.py")]);
    let output = check.arg(repository()).arg(env!("CARGO_PKG_VERSION")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let commands: BTreeMap<String, Vec<Vec<String>>> =
        serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(commands.len(), 2);
    for (file, commands) in commands {
        check_commands(&commands, &file);
    }
}

fn unit(name: &str) -> String {
    fs::read_to_string(repository().join("deploy/systemd").join(name)).unwrap()
}

#[test]
fn the_service_starts_what_the_program_takes() {
    let service = unit("pinclean.service");
    let starts = service.lines().filter_map(|line| line.strip_prefix("ExecStart="));
    let command = |start: &str| {
        // A single % would be a specifier.
        assert!(!start.replace("%%", "").contains('%'), "{start}");
        let (program, arguments) = start.split_once(' ').unwrap();
        assert_eq!(program, "/usr/local/bin/pinclean");
        arguments.split(' ').map(|word| word.replace("%%", "%")).collect()
    };
    let commands: Vec<Vec<String>> = starts.map(command).collect();
    check_commands(&commands, "pinclean.service");
    assert!(service.contains("\nRestart=on-failure\nRestartSec=2min\n"), "{service}");
    assert!(service.contains("\nRestartPreventExitStatus=2 3\n"), "{service}");
    // After a run that ended well systemd asks the questions: 143 may not count as that.
    assert!(!service.contains("SuccessExitStatus"), "{service}");
}

/// The units with this program in place of an installed one.
fn copy_units(folder: &Path) {
    let program = program().into_string().unwrap();
    let service = unit("pinclean.service").replace("/usr/local/bin/pinclean", &program);
    fs::write(folder.join("pinclean.service"), service).unwrap();
    fs::write(folder.join("pinclean.timer"), unit("pinclean.timer")).unwrap();
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: there is no systemd-analyze");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    copy_units(scratch.path());
    let analyze = |args: &[&str]| {
        let output = Command::new("systemd-analyze").current_dir(&scratch).args(args).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let said = analyze(&["verify", "./pinclean.service", "./pinclean.timer"]);
    assert!(!said.contains("pinclean"), "{said}");
    let timer = unit("pinclean.timer");
    let when = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    assert!(analyze(&["calendar", when]).contains("Next elapse"));
    // Exposure in tenths, from 0 to 100, as `systemd-analyze security` counts it.
    let args = ["security", "--offline=true", "--threshold=20", "./pinclean.service"];
    analyze(&args);
}
