//! `pinclean.toml`: options as keys, in snake case.
//!
//! A key at the top level holds for every command that has the option; a key in
//! a command's table, such as `[run]`, for that command alone, and it wins.

use std::io::ErrorKind;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::{Kind, Opt};
use crate::near::near;
use crate::{Error, Result};

/// The file that is read if none is named.
pub(super) const DEFAULT_PATH: &str = "pinclean.toml";

/// A settings file whose keys are options and whose values have their kinds.
#[derive(Debug, Default)]
pub(super) struct File {
    entries: Vec<Entry>,
}

/// One key.
#[derive(Debug)]
pub(super) struct Entry {
    table: Option<String>,
    key: String,
    /// The value.
    pub value: Value,
    /// Where the value stands, as `pinclean.toml:3:10`.
    pub place: String,
}

/// A value, of the kind that its option takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Switch(bool),
    List(Vec<String>),
}

impl File {
    /// Reads the file that was named, or the default one if it is there.
    pub fn load(named: Option<&str>, options: &[Opt]) -> Result<File> {
        let path = named.unwrap_or(DEFAULT_PATH);
        match std::fs::read_to_string(path) {
            Ok(text) => File::parse(path, &text, options),
            Err(e) if named.is_none() && e.kind() == ErrorKind::NotFound => Ok(File::default()),
            Err(e) => Err(Error::File { path: Path::new(path).into(), problem: e.to_string() }),
        }
    }

    /// Parses a file's text; `path` is for messages.
    pub fn parse(path: &str, text: &str, options: &[Opt]) -> Result<File> {
        let source = Text { path, text };
        let top = DeTable::parse(text)
            .map_err(|e| source.wrong(e.span().map_or(0, |s| s.start), e.message()))?;
        let mut entries = Vec::new();
        for (key, value) in top.get_ref() {
            match value.get_ref() {
                DeValue::Table(table) if is_command(key.get_ref(), options) => {
                    let scope = Scope { table: Some(key.get_ref()), options, source };
                    for (key, value) in table {
                        entries.push(scope.entry(key, value)?);
                    }
                }
                _ => entries.push(Scope { table: None, options, source }.entry(key, value)?),
            }
        }
        Ok(File { entries })
    }

    /// The value of a key at the top level, or in a command's table.
    pub fn get(&self, table: Option<&str>, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.table.as_deref() == table && e.key == key)
    }
}

/// An option's key in the file.
pub(super) fn key_of(option: &str) -> String {
    option.replace('-', "_")
}

fn is_command(name: &str, options: &[Opt]) -> bool {
    options.iter().any(|o| o.command.as_deref() == Some(name))
}

/// The file's text and how to point into it.
#[derive(Clone, Copy)]
struct Text<'a> {
    path: &'a str,
    text: &'a str,
}

impl Text<'_> {
    fn place(self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.path)
    }

    fn wrong(self, offset: usize, problem: &str) -> Error {
        Error::Usage(format!("{}: {problem}", self.place(offset)))
    }
}

/// A table of the file, and the options that may stand in it.
struct Scope<'a> {
    table: Option<&'a str>,
    options: &'a [Opt],
    source: Text<'a>,
}

impl Scope<'_> {
    fn entry(&self, key: &Spanned<impl AsRef<str>>, value: &Spanned<DeValue<'_>>) -> Result<Entry> {
        let name = key.get_ref().as_ref();
        let Some(kind) = self.kind(name) else {
            return Err(self.source.wrong(key.span().start, &self.unknown(name)));
        };
        let at = value.span().start;
        let checked = typed(value.get_ref(), kind).map_err(|wanted| {
            let found = value.get_ref().type_str();
            self.source.wrong(at, &format!("{name} takes {wanted}, not {found}"))
        })?;
        Ok(Entry {
            table: self.table.map(str::to_owned),
            key: name.to_owned(),
            value: checked,
            place: self.source.place(at),
        })
    }

    fn kind(&self, key: &str) -> Option<Kind> {
        self.allowed().find(|o| key_of(&o.name) == key).map(|o| o.kind)
    }

    /// The options that may stand here. A file cannot name another file.
    fn allowed(&self) -> impl Iterator<Item = &Opt> {
        let here = |o: &&Opt| match self.table {
            Some(_) => o.command.is_none() || o.command.as_deref() == self.table,
            None => true,
        };
        self.options.iter().filter(here).filter(|o| o.name != "config")
    }

    fn unknown(&self, key: &str) -> String {
        let place = self.table.map_or("at the top level".to_owned(), |t| format!("in [{t}]"));
        if let Some(meant) = self.allowed().find(|o| key_of(&o.flag) == key) {
            let name = key_of(&meant.name);
            return format!("there is no key {key:?} {place}: --{} is {name:?}", meant.flag);
        }
        let mut names: Vec<String> = self.allowed().map(|o| key_of(&o.name)).collect();
        if self.table.is_none() {
            names.extend(self.options.iter().filter_map(|o| o.command.clone()));
        }
        match near(&key_of(key), names.iter().map(String::as_str)) {
            Some(near) => format!("there is no key {key:?} {place}; did you mean {near:?}?"),
            None => format!("there is no key {key:?} {place}"),
        }
    }
}

/// The value as its option takes it; or what the option takes instead.
fn typed(value: &DeValue<'_>, kind: Kind) -> Result<Value, &'static str> {
    match (kind, value) {
        (Kind::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
        (Kind::Switch, _) => Err("true or false"),
        (Kind::Value, value) => scalar(value).map(Value::Text).ok_or("text or a number"),
        (Kind::List, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Value::List).ok_or("a list of texts")
        }
        (Kind::List, DeValue::String(one)) => Ok(Value::List(vec![one.to_string()])),
        (Kind::List, _) => Err("a list of texts"),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn parse(text: &str) -> Result<File> {
        File::parse("pinclean.toml", text, &cli::options())
    }

    #[test]
    fn a_wrong_file_says_where_and_what_would_be_right() {
        let cases = [
            (
                "\nmemroy = 1",
                "pinclean.toml:2:1: there is no key \"memroy\" at the top level; did you mean \"memory\"?",
            ),
            (
                "max-rejects = 1",
                "pinclean.toml:1:1: there is no key \"max-rejects\" at the top level; did you mean \"max_rejects\"?",
            ),
            (
                "[rum]\nfull = true",
                "pinclean.toml:1:2: there is no key \"rum\" at the top level; did you mean \"run\"?",
            ),
            ("[run]\nsede = 1\n", "pinclean.toml:2:1: there is no key \"sede\" in [run]"),
            ("[emulate]\nmemory = 1", "pinclean.toml:2:1: there is no key \"memory\" in [emulate]"),
            (
                "[vacuum]\ntables = 'clean'",
                "pinclean.toml:2:1: there is no key \"tables\" in [vacuum]: --tables is \"out\"",
            ),
            (
                "optimise_after = 1",
                "pinclean.toml:1:1: there is no key \"optimise_after\" at the top level; did you mean \"optimize_after\"?",
            ),
            ("config = \"x\"", "pinclean.toml:1:1: there is no key \"config\" at the top level"),
            ("full = 1", "pinclean.toml:1:8: full takes true or false, not integer"),
            ("memory = true", "pinclean.toml:1:10: memory takes text or a number, not boolean"),
            ("topic = [1]", "pinclean.toml:1:9: topic takes a list of texts, not array"),
            ("é = 1", "pinclean.toml:1:1: "),
            ("region = \"é\" x", "pinclean.toml:1:14: "),
            ("run = 1", "pinclean.toml:1:1: there is no key \"run\" at the top level"),
        ];
        for (text, expected) in cases {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn values_keep_their_text_and_place() {
        let file =
            parse("memory = 1_000\nbad_rate = 0.5\n[run]\nregion = \"é\"\ntopic = 'a'\n").unwrap();
        let cases = [
            (None, "memory", Value::Text("1000".into()), "pinclean.toml:1:10"),
            (None, "bad_rate", Value::Text("0.5".into()), "pinclean.toml:2:12"),
            (Some("run"), "region", Value::Text("é".into()), "pinclean.toml:4:10"),
            (Some("run"), "topic", Value::List(vec!["a".into()]), "pinclean.toml:5:9"),
        ];
        for (table, key, value, place) in cases {
            let entry = file.get(table, key).unwrap();
            assert_eq!((&entry.value, entry.place.as_str()), (&value, place));
        }
        assert!(file.get(None, "region").is_none());
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.toml");
        let error = File::load(path.to_str(), &cli::options()).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error}");
    }

    #[test]
    fn an_option_has_the_same_kind_in_every_command() {
        let options = cli::options();
        for a in &options {
            for b in options.iter().filter(|b| b.name == a.name) {
                assert_eq!(a.kind, b.kind, "--{}", a.name);
            }
        }
    }
}
