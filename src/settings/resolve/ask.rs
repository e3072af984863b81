//! `pinclean ask`.

use super::super::layers::{Layers, Name, Rank};
use super::super::{Ask, Questions, values};
use super::{contradiction, tables};
use crate::Result;
use crate::cli::AskArgs;
use crate::show::Saved;

pub(super) fn ask(args: AskArgs, layers: &Layers<'_>) -> Result<Ask> {
    Ok(Ask {
        wanted: wanted(args.names, args.all, layers)?,
        set: layers.list("set", args.set, set)?,
        questions: layers.parsed("questions", args.questions, values::path)?,
        format: layers.parsed(
            Name::of("ask", "format"),
            args.format,
            values::one_of(Saved::NAMES),
        )?,
        save: layers.parsed(Name::of("ask", "save"), args.save, values::text)?,
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

fn set(text: &str) -> std::result::Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is not NAME=VALUE, such as ties=one"))
}
