//! Transforms text → checked [`Spec`]s: mirror the file, then check the mirror.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::check::Check;
use super::found::{Found, place};
use super::raw::RawSpec;
use crate::spec::{Problem, Problems, Spec};

/// Reads one transforms file; `file` names it in problems.
///
/// # Errors
/// Every problem that was found, in the order of their places.
pub fn parse(file: &str, text: &str) -> Result<Spec, Vec<Problem>> {
    let (raw, mut found) = mirror(file, text, RawSpec::read)?;
    match Check::spec(&raw, &mut found) {
        Some(spec) if found.is_empty() => Ok(located(spec, file, text)),
        _ => Err(found.into_problems(file, text)),
    }
}

/// Mirrors a TOML text by `read`, which notes what is wrong with it.
///
/// # Errors
/// What was found in a text that is no TOML.
pub(crate) fn mirror<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&DeTable<'_>, &mut Found) -> T,
) -> Result<(T, Found), Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut found = Found::of(!errors.is_empty());
    let mirrored = read(table.get_ref(), &mut found);
    if found.broken {
        let misread = found.into_problems(file, text);
        return Err(broken(syntax(&errors, file, text), misread));
    }
    Ok((mirrored, found))
}

fn syntax(errors: &[toml::de::Error], file: &str, text: &str) -> Vec<Problem> {
    let mut found = Found::default();
    for error in errors {
        found.add(&error.span().unwrap_or_default(), error.message());
    }
    found.into_problems(file, text)
}

/// Problems of a file that is no TOML. What was found in a line that was
/// misread is no help, and the names in it would be missed everywhere: so this
/// is as far as the checks go.
fn broken(mut syntax: Vec<Problem>, mut misread: Vec<Problem>) -> Vec<Problem> {
    misread.retain(|problem| !syntax.iter().any(|error| error.line == problem.line));
    syntax.append(&mut misread);
    syntax.sort();
    syntax
}

/// Reads transforms files, given as name and text, that are used together.
///
/// # Errors
/// Every problem of every file, and tables that two files claim.
pub fn parse_files(files: &[(String, String)]) -> Result<Vec<Spec>, Problems> {
    let mut specs = Vec::new();
    let mut problems = Vec::new();
    let mut tables = BTreeMap::new();
    for (file, text) in files {
        match parse(file, text) {
            Ok(spec) => specs.push(spec),
            Err(found) => problems.extend(found),
        }
        problems.extend(claim(&mut tables, file, text));
    }
    if problems.is_empty() {
        return Ok(specs);
    }
    problems.sort();
    Err(Problems::of_transforms(problems))
}

/// Notes the table of a file, sound or not; a problem if it has one already.
fn claim(tables: &mut BTreeMap<String, String>, file: &str, text: &str) -> Option<Problem> {
    let (document, _) = DeTable::parse_recoverable(text);
    let value = document.get_ref().get("table")?;
    let table = value.get_ref().as_str()?;
    let Some(first) = tables.get(table) else {
        tables.insert(table.to_owned(), file.to_owned());
        return None;
    };
    let (line, column) = place(text, value.span().start);
    let message = format!("table `{table}` is cleaned by {first} already");
    Some(Problem { file: file.to_owned(), line, column, message })
}

/// Adds what only the text knows.
fn located(mut spec: Spec, file: &str, text: &str) -> Spec {
    // Until here an example's line is the byte at which it stands.
    for example in &mut spec.examples {
        example.line = place(text, example.line).0;
    }
    Spec { hash: hex(&Sha256::digest(text)), file: file.to_owned(), ..spec }
}

/// One hash for all transforms of a run: SHA-256 in hex over tables and hashes.
pub fn hash_all(specs: &[Spec]) -> String {
    let mut hasher = Sha256::new();
    for spec in specs {
        hasher.update(format!("{} {}\n", spec.table, spec.hash));
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
