//! What a table says of itself.

use std::collections::HashMap;

use chrono::Utc;
use delta_kernel::actions::{Metadata, Protocol};
use delta_kernel::schema::StructType;
use deltalake_core::kernel::Action;
use serde_json::json;

use super::log::State;
use crate::{Error, Result};

/// The properties that pinclean keeps in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// The table's name: whoever has it is one of ours.
    Table,
    /// The hash of the transform that cleaned the latest rows.
    SpecHash,
    /// Where the objects were, as a URL or folder.
    Source,
    /// The columns that are a row's key, separated by commas.
    UniqueBy,
}

impl Property {
    /// The property's key.
    pub fn key(self) -> &'static str {
        match self {
            Property::Table => "pinclean.table",
            Property::SpecHash => "pinclean.specHash",
            Property::Source => "pinclean.source",
            Property::UniqueBy => "pinclean.uniqueBy",
        }
    }
}

/// What a table is to say of itself.
#[derive(Debug, Clone)]
pub struct Description<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub text: &'a str,
    /// Its columns.
    pub schema: &'a StructType,
    /// The columns that files are told apart by.
    pub partition_by: &'a [String],
    /// Properties of pinclean.
    pub properties: Vec<(Property, String)>,
}

/// Every tenth commit, so that a reader replays at most nine.
const CHECKPOINT_INTERVAL: (&str, &str) = ("delta.checkpointInterval", "10");
/// Statistics are of use for every column, not only for the first 32.
const INDEXED_COLUMNS: (&str, &str) = ("delta.dataSkippingNumIndexedCols", "-1");

/// The actions that begin a table, in its first commit. The protocol is the
/// lowest that Spark gives a table: no feature is used that asks for more.
///
/// # Errors
/// [`Error::Internal`]
pub fn begin(description: &Description<'_>, id: &str) -> Result<Vec<Action>> {
    let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
    let protocol: Protocol = serde_json::from_value(protocol).map_err(internal)?;
    let defaults = [CHECKPOINT_INTERVAL, INDEXED_COLUMNS];
    let configuration = defaults.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let created = Utc::now().timestamp_millis();
    let metadata = metadata(description, id, created, configuration)?;
    Ok(vec![Action::Protocol(protocol), Action::Metadata(metadata)])
}

/// The action that changes what a table says of itself; none if it says all
/// that already. Properties that others have set stay.
///
/// # Errors
/// [`Error::Internal`]
pub fn evolve(state: &State, description: &Description<'_>) -> Result<Option<Action>> {
    let there = state.metadata();
    let (id, created) = (there.id(), there.created_time().unwrap_or_default());
    let wanted = metadata(description, id, created, there.configuration().clone())?;
    Ok((wanted != *there).then_some(Action::Metadata(wanted)))
}

fn metadata(
    description: &Description<'_>,
    id: &str,
    created: i64,
    mut configuration: HashMap<String, String>,
) -> Result<Metadata> {
    for (property, value) in &description.properties {
        match value.is_empty() {
            true => configuration.remove(property.key()),
            false => configuration.insert(property.key().to_owned(), value.clone()),
        };
    }
    let schema = serde_json::to_string(description.schema).map_err(internal)?;
    // The kernel has no other way to make one yet.
    serde_json::from_value(json!({
        "id": id,
        "name": description.name,
        "description": description.text,
        "format": { "provider": "parquet", "options": {} },
        "schemaString": schema,
        "partitionColumns": description.partition_by,
        "configuration": configuration,
        "createdTime": created,
    }))
    .map_err(internal)
}

fn internal(e: serde_json::Error) -> Error {
    Error::Internal { stage: "table metadata", message: e.to_string() }
}
