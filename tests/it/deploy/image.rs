//! The Dockerfile: a build is sent what it copies, and copies what is compiled in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use regex::Regex;

use super::named;
use crate::command::said;
use crate::readme::markdown::repository;

fn dockerfile() -> String {
    fs::read_to_string(repository().join("Dockerfile")).unwrap()
}

/// What `COPY` takes from the repository.
fn copied() -> Vec<PathBuf> {
    let text = dockerfile();
    let lines = text.lines().filter_map(|line| line.strip_prefix("COPY "));
    let lines = lines.filter(|line| !line.starts_with("--from"));
    let sources = lines.flat_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words[..words.len() - 1].iter().map(PathBuf::from).collect::<Vec<_>>()
    });
    sources.collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// A path without its `..`, below the repository.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain.strip_prefix(repository()).unwrap().to_owned()
}

/// The files outside `src/` that the program is made of.
fn compiled_in() -> BTreeSet<PathBuf> {
    let include = Regex::new(r#"include_(?:str|bytes)!\(\s*(?:concat!\(\s*)?"([^"]+)""#).unwrap();
    let mut found = BTreeSet::new();
    for file in sources(&repository().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let tests = file.ends_with("tests.rs");
        let text = text.split("#[cfg(test)]").next().filter(|_| !tests).unwrap_or_default();
        let folder = file.parent().unwrap();
        found.extend(include.captures_iter(text).map(|path| plain(&folder.join(&path[1]))));
    }
    found.retain(|path| !path.starts_with("src"));
    found
}

#[test]
fn what_is_compiled_in_is_copied_into_the_build() {
    let copied = copied();
    let compiled_in = compiled_in();
    assert!(compiled_in.len() >= 3, "{compiled_in:?}");
    for path in compiled_in {
        let covered = copied.iter().any(|source| path.starts_with(source));
        assert!(covered, "the Dockerfile copies no {}", path.display());
    }
}

#[test]
fn a_build_is_sent_what_the_dockerfile_copies_and_what_is_compiled_in() {
    let Some(python) = named("PINCLEAN_DEPLOY_PYTHON", "Python") else { return };
    let mut rehearse = Command::new(python);
    rehearse.arg(repository().join("deploy/docker/rehearse")).arg("context");
    let output = rehearse.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let context = String::from_utf8(output.stdout).unwrap();
    let sent: Vec<&Path> = context.lines().map(Path::new).collect();
    for source in copied().iter().chain(&compiled_in()) {
        let there = sent.iter().any(|path| path.starts_with(source));
        assert!(there, ".dockerignore hides {}", source.display());
    }
    let kept = |path: &&&Path| path.starts_with("tests") || path.starts_with("fixtures");
    assert_eq!(sent.iter().filter(kept).count(), 0, "{context}");
}

#[test]
fn the_image_is_built_by_the_rust_that_the_manifest_asks_for() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let rust = Regex::new(r#"rust-version = "([0-9.]+)""#).unwrap();
    let rust = &rust.captures(&manifest).unwrap()[1];
    assert!(dockerfile().contains(&format!("FROM rust:{rust}-bookworm AS build")));
    assert!(manifest.contains("[profile.dist]"), "the Dockerfile builds that profile");
}
