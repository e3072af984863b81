//! `pinclean query`: a question in SQL to the clean tables.

use std::io::{IsTerminal, Read};
use std::path::Path;

use super::engine;
use crate::settings::{Query, Reply, Sql};
use crate::store::Session;
use crate::{Error, Result, show, text_file, whole_file};

/// Answers a question: prints the answer, or saves it.
///
/// # Errors
/// Those of [`crate::query::Catalog::answer`]; [`Error::Usage`] if nothing is asked;
/// [`Error::Read`] and [`Error::Write`] for files.
pub fn query(settings: &Query) -> Result<()> {
    let sql = read(&settings.sql)?;
    let runtime = super::runtime()?;
    let session = Session::new(settings.snapshot.s3.clone());
    let catalog = engine::open(&settings.snapshot, &session, &runtime)?;
    let answer = catalog.answer(&sql)?;
    match &settings.reply {
        Reply::Print(form) => super::print(&show::render(&answer, *form)?),
        Reply::Save { file, form } => {
            let saved = whole_file::write(file, &form.bytes(&answer)?, settings.durability);
            saved.map_err(|e| Error::Write {
                place: file.display().to_string(),
                source: e.into(),
            })?;
            let rows = crate::grid::thousands(answer.height() as u64);
            let noun = if answer.height() == 1 { "row" } else { "rows" };
            tracing::info!("{rows} {noun} saved to {}", file.display());
            Ok(())
        }
    }
}

fn read(sql: &Sql) -> Result<String> {
    let wrong = |path: &Path, problem: String| Error::File { path: path.to_owned(), problem };
    let (bytes, place) = match sql {
        Sql::Text(sql) => return Ok(sql.clone()),
        Sql::File(file) => {
            let read = std::fs::read(file);
            (read.map_err(|e| wrong(file, format!("it cannot be read: {e}")))?, file.as_path())
        }
        Sql::StandardInput => (standard_input()?, Path::new("standard input")),
    };
    text_file::decode(bytes).map_err(|problem| wrong(place, problem.to_owned()))
}

fn standard_input() -> Result<Vec<u8>> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        return Err(Error::Usage(
            "nothing says what to ask: give the SQL, --file FILE, or pipe it in".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    let read = input.read_to_end(&mut bytes);
    read.map_err(|e| Error::of_file("read", "standard input".to_owned(), e))?;
    Ok(bytes)
}
