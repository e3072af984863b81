//! What a commit says.

use serde::{Deserialize, Serialize};

use super::super::{Counts, Draft, Mode};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::write::{DataFile, Field};
use crate::{Error, Result};

/// The version of the manifests that this pinclean reads and writes.
const VERSION: u32 = 1;

/// One commit of a table. Unknown fields are ignored, so that later versions
/// can add some; what changes the meaning of the others changes `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The run that committed.
    pub run_id: String,
    /// When, as RFC 3339 in UTC.
    pub committed_at: String,
    /// Where the objects were, as a URL or folder.
    #[serde(default)]
    pub source: String,
    /// The transform's hash.
    pub spec_hash: String,
    /// The table's columns.
    pub schema: Vec<Field>,
    /// Whether the files are added to those of earlier manifests.
    pub mode: Mode,
    /// How far every source of the table is committed, this run included.
    #[serde(with = "watermarks")]
    pub watermarks: Watermarks,
    /// Files of rows that this run wrote.
    pub files: Vec<DataFile>,
    /// Files of rejects that this run wrote.
    pub rejects: Vec<DataFile>,
    /// What became of this run's records.
    pub counts: Counts,
    /// What the table holds after this run.
    pub live: Live,
}

/// How many files a table has, over all manifests since the last full one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Files of rows.
    pub files: u64,
    /// Files of rejects.
    pub rejects: u64,
}

impl Manifest {
    /// The manifest of a run that was planned from `base`.
    pub(in crate::pipeline::commit) fn following(
        base: Option<&Manifest>,
        draft: Draft,
    ) -> Manifest {
        let base = base.filter(|_| draft.mode == Mode::Append);
        let mut watermarks = base.map(|base| base.watermarks.clone()).unwrap_or_default();
        watermarks.extend(draft.reached);
        let before = base.map(|base| base.live).unwrap_or_default();
        let live = Live {
            files: before.files + draft.files.len() as u64,
            rejects: before.rejects + draft.rejects.len() as u64,
        };
        Manifest {
            version: VERSION,
            run_id: draft.run_id,
            committed_at: draft.committed_at,
            source: draft.source,
            spec_hash: draft.spec_hash,
            schema: draft.schema,
            mode: draft.mode,
            watermarks,
            files: draft.files,
            rejects: draft.rejects,
            counts: draft.counts,
            live,
        }
    }

    /// Reads a manifest; the error says what is wrong with it.
    pub(in crate::pipeline::commit) fn parse(text: &[u8]) -> Result<Manifest, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if version != VERSION {
            return Err(format!("it is of version {version}, and only {VERSION} is known"));
        }
        serde_json::from_slice(text).map_err(|e| e.to_string())
    }
}

/// Refuses a table whose columns are `there` for a run that writes `wanted`.
///
/// # Errors
///
/// [`Error::SchemaChanged`] with the first difference.
pub fn check_schema(table: &str, there: &[Field], wanted: &[Field]) -> Result<()> {
    let differs = there.iter().zip(wanted).enumerate().find(|(_, (a, b))| a != b);
    let difference = match differs {
        Some((i, (a, b))) => {
            let (column, a, b) = (i + 1, show(a), show(b));
            format!("column {column} is {a} in the table and {b} in the transform")
        }
        None if there.len() > wanted.len() => {
            format!("the transform lacks {}", show(&there[wanted.len()]))
        }
        None if there.len() < wanted.len() => {
            format!("the table lacks {}", show(&wanted[there.len()]))
        }
        None => return Ok(()),
    };
    Err(Error::SchemaChanged { table: table.to_owned(), difference })
}

fn show(field: &Field) -> String {
    format!("{} ({})", field.name, field.ty)
}

/// Watermarks as a list, since JSON has no keys but strings.
mod watermarks {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::key::{Source, Topic};
    use crate::pipeline::discover::{Watermark, Watermarks};

    #[derive(Serialize, Deserialize)]
    struct Row<'a> {
        topic: std::borrow::Cow<'a, str>,
        directory: std::borrow::Cow<'a, str>,
        partition: u32,
        #[serde(flatten)]
        watermark: Watermark,
    }

    pub(in crate::pipeline::commit) fn serialize<S: Serializer>(
        map: &Watermarks,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(map.iter().map(|(source, watermark)| Row {
            topic: source.topic.as_str().into(),
            directory: (&*source.directory).into(),
            partition: source.partition,
            watermark: *watermark,
        }))
    }

    pub(in crate::pipeline::commit) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Watermarks, D::Error> {
        Vec::<Row<'_>>::deserialize(d)?
            .into_iter()
            .map(|row| {
                let topic = Topic::parse(&row.topic)
                    .ok_or_else(|| D::Error::custom(format!("{:?} is no topic", row.topic)))?;
                let directory = row.directory.as_ref().into();
                Ok((Source { topic, directory, partition: row.partition }, row.watermark))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_column_is_named() {
        let field = |name: &str, ty: &str| Field { name: name.into(), ty: ty.into() };
        let table = [field("a", "int32"), field("b", "string")];
        let cases: [(&[Field], &str); 4] = [
            (
                &[field("a", "int64"), field("b", "string")],
                "column 1 is a (int32) in the table and a (int64)",
            ),
            (
                &[field("b", "string"), field("a", "int32")],
                "column 1 is a (int32) in the table and b (string)",
            ),
            (&table[..1], "the transform lacks b (string)"),
            (&[table[0].clone(), table[1].clone(), field("c", "date")], "the table lacks c (date)"),
        ];
        assert!(check_schema("t", &table, &table).is_ok());
        for (wanted, message) in cases {
            let error = check_schema("t", &table, wanted).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn garbage_and_other_versions_say_what_is_wrong() {
        for (text, problem) in [
            ("", "EOF"),
            ("{}", "missing field `version`"),
            (r#"{"version": 2}"#, "version 2"),
            (r#"{"version": 1}"#, "missing field"),
        ] {
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
