//! Completions and manual pages, as shells and `man` take them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::command::{isolated, pinclean, said, succeed};

/// A program that checks what is printed for it; `false` if it is not here.
fn is_here(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_err() {
        println!("skipped: there is no {program}");
    }
    found.is_ok()
}

fn script(folder: &Path, shell: &str) -> String {
    let output = pinclean(folder, &["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(output.stderr.is_empty(), "{}", said(&output));
    let file = folder.join(format!("pinclean.{shell}"));
    std::fs::write(&file, &output.stdout).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What bash offers after these words; the last one is not finished.
fn offered(folder: &Path, words: &[&str]) -> Vec<String> {
    const PRESS_TAB: &str = r#"
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        spec=$(complete -p pinclean); name=${spec#*-F }; name=${name%% *}
        compopt() { :; }
        "$name" pinclean "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = isolated("bash", folder)
        .args(["--norc", "-ec", PRESS_TAB, "bash", "pinclean.bash"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {}", said(&output));
    let offered = String::from_utf8(output.stdout).unwrap();
    offered.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    if !is_here("bash") {
        return;
    }
    script(folder, "bash");
    std::fs::write(folder.join("settings.toml"), "").unwrap();
    let cases: [(&[&str], &[&str]); 9] = [
        (&["pinclean", "ru"], &["run"]),
        (&["pinclean", "run", "--ma"], &["--max-rejects"]),
        (&["pinclean", "run", "--re"], &["--report", "--region", "--request-payer"]),
        (&["pinclean", "history", "--tab"], &["--tables"]),
        (&["pinclean", "run", "--format", ""], &["delta", "parquet"]),
        (&["pinclean", "check", "--log", "j"], &["json"]),
        (&["pinclean", "run", "--config", "set"], &["settings.toml"]),
        (&["pinclean", "run", "--memory", "set"], &["set"]),
        (&["pinclean", "completions", "z"], &["zsh"]),
    ];
    for (words, expected) in cases {
        assert_eq!(offered(folder, words), expected, "{words:?}");
    }
}

#[test]
fn shells_find_no_fault_with_their_completions() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let file = script(folder, shell);
        if !is_here(shell) {
            continue;
        }
        let output = isolated(shell, folder).args([check, &file]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {}", said(&output));
    }
}

/// A page as a terminal shows it, and what the formatter says of it.
fn shown(page: &Path) -> Output {
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=100n"]).arg(page);
    groff.output().unwrap()
}

#[test]
fn the_manual_is_formatted_without_a_warning() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let output = pinclean(folder, &["man", "--save", "share/man1"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let saved = folder.join("share/man1");
    let pages: Vec<_> =
        std::fs::read_dir(&saved).unwrap().map(|entry| entry.unwrap().path()).collect();
    let told = format!("{} pages: share/man1\n", pages.len());
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);

    let printed = pinclean(folder, &["man"]).output().unwrap();
    assert_eq!(printed.stdout, std::fs::read(saved.join("pinclean.1")).unwrap());
    if !is_here("groff") {
        return;
    }
    for page in &pages {
        let output = shown(page);
        assert!(output.status.success() && output.stderr.is_empty(), "{page:?}: {}", said(&output));
    }
    let run = shown(&saved.join("pinclean-run.1")).stdout;
    let run = String::from_utf8(run).unwrap();
    for line in ["pinclean run [OPTIONS]", "--max-rejects <N|P%>", "130, 143", "ENVIRONMENT"] {
        assert!(run.contains(line), "{line}: {run}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    std::fs::write(folder.join("file"), "").unwrap();
    let output = pinclean(folder, &["man", "--save", "file/man1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write file/man1"));
    succeed(folder, &["man", "--quiet", "--save", "man1"]);
}
