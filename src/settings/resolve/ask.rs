//! `pinclean ask`.

use super::super::layers::{Given, Layers, Name, Rank};
use super::super::{Ask, Questions, values};
use super::{contradiction, durability, tables};
use crate::Result;
use crate::ask::Set;
use crate::cli::AskArgs;
use crate::show::Saved;

pub(super) fn ask(args: AskArgs, layers: &Layers<'_>) -> Result<Ask> {
    Ok(Ask {
        wanted: wanted(args.names, args.all, layers)?,
        set: set(args.set, layers)?,
        questions: layers.parsed("questions", args.questions, values::path)?,
        format: given("format", args.format, values::one_of(Saved::NAMES), layers)?,
        save: given("save", args.save, values::text, layers)?,
        durability: durability(args.no_fsync, layers)?,
        snapshot: tables::snapshot(args.snapshot, args.s3, layers)?,
    })
}

/// Questions that are typed win over `all` in the environment or the file.
fn wanted(names: Vec<String>, all: bool, layers: &Layers<'_>) -> Result<Questions> {
    let all = layers.given_switch("all", all)?.filter(|given| given.value);
    match all {
        Some(all) if !names.is_empty() && all.rank == Rank::Flag => {
            Err(contradiction(&names.join(" "), &all.origin))
        }
        _ if !names.is_empty() => Ok(Questions::Named(names)),
        Some(_) => Ok(Questions::All),
        None => Ok(Questions::Listed),
    }
}

/// An option of its own, with its origin.
fn given<T>(
    option: &'static str,
    flag: Option<String>,
    parser: impl Fn(&str) -> Result<T, String>,
    layers: &Layers<'_>,
) -> Result<Option<Given<T>>> {
    let given = layers.value(Name::of("ask", option), flag)?;
    given.map(|given| given.parsed(|text| parser(text))).transpose()
}

fn set(flags: Vec<String>, layers: &Layers<'_>) -> Result<Option<Set>> {
    let given = layers.given_list("set".into(), flags)?;
    let set = given.map(|given| {
        let values = given.parse(|texts| texts.iter().map(|text| pair(text)).collect())?;
        Ok(Set { values, typed: given.rank == Rank::Flag, origin: given.origin })
    });
    set.transpose()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is not NAME=VALUE, such as ties=one"))
}
