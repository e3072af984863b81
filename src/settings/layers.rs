//! Flags over environment over `pinclean.toml`, each value with its origin.

use std::ffi::OsString;
use std::fmt;

use super::file::{self, Entry, File, Value};
use super::values;
use crate::cli::{Cli, options};
use crate::{Error, Result};

/// How a variable of the environment is looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where a value was given; a lesser rank wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// On the command line.
    Flag,
    /// In a variable.
    Environment,
    /// A command's table in the file.
    Table,
    /// The file's top level.
    TopLevel,
}

/// A value as given, and where.
#[derive(Debug, Clone)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// How near to the user.
    pub rank: Rank,
    /// The flag, the variable or the place in the file.
    pub origin: String,
}

impl<T> Given<T> {
    /// Parses the value; an error names the origin.
    pub(super) fn parse<U>(&self, parser: impl Fn(&T) -> Result<U, String>) -> Result<U> {
        parser(&self.value).map_err(|problem| self.wrong(problem))
    }

    /// The same, with the value parsed.
    pub(super) fn parsed<U>(self, parser: impl Fn(&T) -> Result<U, String>) -> Result<Given<U>> {
        let value = self.parse(parser)?;
        Ok(Given { value, rank: self.rank, origin: self.origin })
    }

    /// What is wrong with the value, with its origin.
    pub fn wrong(&self, problem: impl fmt::Display) -> Error {
        Error::Usage(format!("{}: {problem}", self.origin))
    }
}

/// The layers below the flags, for one command.
pub struct Layers<'a> {
    command: &'static str,
    env: Env<'a>,
    file: File,
}

impl fmt::Debug for Layers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").field("command", &self.command).field("file", &self.file).finish()
    }
}

impl<'a> Layers<'a> {
    /// Reads the settings file that `--config` or `PINCLEAN_CONFIG` names, or
    /// `pinclean.toml` if it is there.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, [`Error::Usage`] with line
    /// and column if it is wrong.
    pub fn read(typed: &Cli, env: Env<'a>) -> Result<Layers<'a>> {
        let mut layers = Layers { command: typed.verb.name(), env, file: File::default() };
        let named = layers.parsed("config", typed.global.config.clone(), values::text)?;
        layers.file = File::load(named.as_deref(), &options())?;
        Ok(layers)
    }

    /// Layers over a file's text, for tests.
    #[cfg(test)]
    pub fn over(typed: &Cli, env: Env<'a>, text: &str) -> Result<Layers<'a>> {
        let file = File::parse(file::DEFAULT_PATH, text, &options())?;
        Ok(Layers { command: typed.verb.name(), env, file })
    }

    /// An option's value as given by the highest layer.
    pub(super) fn value(&self, name: Name, flag: Option<String>) -> Result<Option<Given<String>>> {
        if let Some(value) = flag {
            return Ok(Some(name.typed(value)));
        }
        if let Some(given) = self.variable(name)? {
            return Ok(Some(given));
        }
        Ok(self.entry(name).and_then(|(rank, entry)| match &entry.value {
            Value::Text(text) => Some(name.written(text.clone(), rank, entry)),
            _ => None,
        }))
    }

    /// An option's value, parsed.
    pub(super) fn parsed<T>(
        &self,
        name: impl Into<Name>,
        flag: Option<String>,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        let given = self.value(name.into(), flag)?;
        given.map(|given| given.parse(|text| parser(text))).transpose()
    }

    /// A switch as given by the highest layer; a flag can only turn it on.
    pub(super) fn given_switch(
        &self,
        name: impl Into<Name>,
        flag: bool,
    ) -> Result<Option<Given<bool>>> {
        let name = name.into();
        if flag {
            return Ok(Some(name.typed(true)));
        }
        if let Some(given) = self.variable(name)? {
            return given.parsed(|text| values::switch(text)).map(Some);
        }
        Ok(self.entry(name).and_then(|(rank, entry)| match entry.value {
            Value::Switch(on) => Some(name.written(on, rank, entry)),
            _ => None,
        }))
    }

    /// Whether a switch is on.
    pub(super) fn switch(&self, name: impl Into<Name>, flag: bool) -> Result<bool> {
        Ok(self.given_switch(name, flag)?.is_some_and(|given| given.value))
    }

    /// A list from the highest layer that gives one; in a variable, commas
    /// stand between the values.
    pub(super) fn list<T>(
        &self,
        name: impl Into<Name>,
        flags: Vec<String>,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        let given = self.given_list(name.into(), flags)?;
        given.map_or(Ok(Vec::new()), |given| {
            given.parse(|texts| texts.iter().map(|text| parser(text)).collect())
        })
    }

    /// The texts of a list, as the highest layer gives them.
    pub(super) fn given_list(
        &self,
        name: Name,
        flags: Vec<String>,
    ) -> Result<Option<Given<Vec<String>>>> {
        if !flags.is_empty() {
            return Ok(Some(name.typed(flags)));
        }
        if let Some(Given { value, rank, origin }) = self.variable(name)? {
            let value = value.split(',').map(|text| text.trim().to_owned()).collect();
            return Ok(Some(Given { value, rank, origin }));
        }
        Ok(self.entry(name).and_then(|(rank, entry)| match &entry.value {
            Value::List(texts) => Some(name.written(texts.clone(), rank, entry)),
            _ => None,
        }))
    }

    fn variable(&self, name: Name) -> Result<Option<Given<String>>> {
        let origin = name.variable();
        let Some(value) = (self.env)(&origin) else { return Ok(None) };
        match value.into_string() {
            Ok(value) => Ok(Some(Given { value, rank: Rank::Environment, origin })),
            Err(_) => Err(Error::Usage(format!("{origin}: is not UTF-8"))),
        }
    }

    fn entry(&self, name: Name) -> Option<(Rank, &Entry)> {
        let key = file::key_of(name.option);
        let own = self.file.get(Some(self.command), &key).map(|entry| (Rank::Table, entry));
        let top = || self.file.get(None, &key).map(|entry| (Rank::TopLevel, entry));
        match name.of {
            Some(_) => own,
            None => own.or_else(top),
        }
    }
}

/// The options that mean something else in another command: see [`Name::of`].
pub(super) const APART: [(&str, &str); 7] = [
    ("init", "out"),
    ("vacuum", "force"),
    ("query", "format"),
    ("query", "save"),
    ("ask", "format"),
    ("ask", "save"),
    ("man", "save"),
];

/// An option's name in every layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    option: &'static str,
    flag: &'static str,
    /// The command, if the option means something else in another one: then it
    /// has a variable of its own and is not found at the file's top level.
    of: Option<&'static str>,
}

impl From<&'static str> for Name {
    fn from(option: &'static str) -> Name {
        Name { option, flag: option, of: None }
    }
}

impl Name {
    pub fn of(command: &'static str, option: &'static str) -> Name {
        Name { option, flag: option, of: Some(command) }
    }

    /// An option whose flag is called otherwise.
    pub fn typed_as(option: &'static str, flag: &'static str) -> Name {
        Name { option, flag, of: None }
    }

    /// The variable, such as `PINCLEAN_MAX_REJECTS`.
    pub fn variable(self) -> String {
        match self.of {
            Some(command) => Name::variable_of(&format!("{command}-{}", self.option)),
            None => Name::variable_of(self.option),
        }
    }

    /// The variable of an option that means the same in every command.
    pub fn variable_of(option: &str) -> String {
        format!("PINCLEAN_{}", file::key_of(option).to_uppercase())
    }

    fn typed<T>(self, value: T) -> Given<T> {
        Given { value, rank: Rank::Flag, origin: format!("--{}", self.flag) }
    }

    fn written<T>(self, value: T, rank: Rank, entry: &Entry) -> Given<T> {
        let origin = format!("{}: {}", entry.place, file::key_of(self.option));
        Given { value, rank, origin }
    }
}
