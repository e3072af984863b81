//! `pinclean query`.

use std::path::PathBuf;

use super::super::layers::{Layers, Name, Rank};
use super::super::{Query, Reply, Sql, values};
use super::{contradiction, durability, tables};
use crate::cli::QueryArgs;
use crate::show::{Form, Saved};
use crate::{Error, Result};

pub(super) fn query(args: QueryArgs, layers: &Layers<'_>) -> Result<Query> {
    Ok(Query {
        sql: sql(args.sql, args.file, layers)?,
        reply: reply(args.format, args.save, layers)?,
        durability: durability(args.no_fsync, layers)?,
        snapshot: tables::snapshot(args.snapshot, args.s3, layers)?,
    })
}

/// SQL that is typed wins over a file that the environment or the settings name.
fn sql(typed: Option<String>, file: Option<String>, layers: &Layers<'_>) -> Result<Sql> {
    let file = layers.value("file".into(), file)?;
    match (typed, file) {
        (Some(_), Some(file)) if file.rank == Rank::Flag => {
            Err(contradiction("the SQL", &file.origin))
        }
        (Some(sql), _) if sql == "-" => Ok(Sql::StandardInput),
        (Some(sql), _) => Ok(Sql::Text(sql)),
        (None, Some(file)) if file.value == "-" => Ok(Sql::StandardInput),
        (None, Some(file)) => file.parse(|text| values::path(text)).map(Sql::File),
        (None, None) => Ok(Sql::StandardInput),
    }
}

fn reply(format: Option<String>, save: Option<String>, layers: &Layers<'_>) -> Result<Reply> {
    let format = layers.value(Name::of("query", "format"), format)?;
    let form = format
        .as_ref()
        .map(|given| given.parse(|text| values::one_of(Saved::NAMES)(text)))
        .transpose()?;
    let Some(save) = layers.value(Name::of("query", "save"), save)? else {
        return match form {
            None => Ok(Reply::Print(Form::Table)),
            Some(Saved::Text(form)) => Ok(Reply::Print(form)),
            Some(Saved::Parquet) => {
                let origin = format.map(|given| given.origin).unwrap_or_default();
                Err(Error::Usage(format!("{origin}: parquet is for files: give --save FILE too")))
            }
        };
    };
    save.parse(|text| {
        let file: PathBuf = values::path(text)?;
        let form = form.or_else(|| Saved::of_path(&file)).ok_or_else(|| {
            format!(
                "{text:?} ends with none of .csv, .json, .ndjson, .md, .txt and .parquet: give \
                 --format too"
            )
        })?;
        Ok(Reply::Save { file, form })
    })
}
