//! `pinclean ask`: the business questions, answered from the clean tables.

use std::error::Error as _;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use polars::prelude::DataFrame;
use tokio::runtime::Runtime;

use crate::ask::{self, Asked, Question, Wanted};
use crate::query::Catalog;
use crate::settings::{Ask, Questions};
use crate::show::{self, Form, Saved};
use crate::store::{Output, Session, Store};
use crate::{Error, Result};

/// Lists the questions, or answers some or all of them. One that fails does not
/// stop the others.
///
/// # Errors
/// [`Error::Spec`] for questions files that are wrong; [`Error::Usage`] for what
/// does not go together; those of the one question that was asked, or
/// [`Error::Unanswered`].
pub fn ask(settings: &Ask) -> Result<()> {
    let questions = ask::load(settings.questions.as_deref())?;
    let wanted = match &settings.wanted {
        Questions::Listed => return list(settings, &questions),
        Questions::All => Wanted::All,
        Questions::Named(names) => Wanted::Named(names),
    };
    let asked = ask::choose(&questions, &wanted, &settings.set)?;
    let form = form(settings, asked.len())?;
    let runtime = super::runtime()?;
    let session = Session::new(settings.tables.s3.clone());
    super::engine::explain_panics();
    let catalog =
        runtime.block_on(Catalog::open(&settings.tables.url, settings.as_of, &session))?;
    let target = match (&settings.save, form) {
        (Some(url), form) => {
            let store = runtime.block_on(Store::for_writing(url, &session))?;
            Target::Folder(Folder { output: Output::new(&store), form, runtime: &runtime })
        }
        (None, Saved::Text(form)) => Target::Terminal { form, headed: asked.len() > 1 },
        (None, Saved::Parquet) => return Err(unprintable("parquet")),
    };
    all(&asked, |asked| target.give(asked.question, &answer(&catalog, asked)?))
}

fn list(settings: &Ask, questions: &[Question]) -> Result<()> {
    let nothing = |option: &str| {
        Err(Error::Usage(format!("{option} is for answers: name a question, or give --all")))
    };
    if settings.save.is_some() {
        return nothing("--save");
    }
    if !settings.set.is_empty() {
        return nothing("--set");
    }
    match settings.format {
        None | Some(Saved::Text(Form::Table)) => super::print(&ask::text(questions)),
        Some(Saved::Text(Form::Json)) => {
            let json = ask::json(questions).map_err(|e| Error::Internal {
                stage: "the list of questions",
                message: e.to_string(),
            })?;
            super::print(&json)
        }
        Some(_) => {
            let problem = "--format: the list of questions is a table or json";
            Err(Error::Usage(problem.to_owned()))
        }
    }
}

/// In which form so many answers are given.
fn form(settings: &Ask, answers: usize) -> Result<Saved> {
    let default = if settings.save.is_some() { Form::Csv } else { Form::Table };
    let form = settings.format.unwrap_or(Saved::Text(default));
    match form {
        _ if settings.save.is_some() => Ok(form),
        Saved::Parquet => Err(unprintable("parquet")),
        Saved::Text(Form::Table | Form::Markdown) => Ok(form),
        Saved::Text(_) if answers > 1 => Err(Error::Usage(
            "--format: several answers in one text are a table or markdown; --save a folder for \
             a file each"
                .to_owned(),
        )),
        Saved::Text(_) => Ok(form),
    }
}

fn unprintable(form: &str) -> Error {
    Error::Usage(format!("--format: {form} is for files: give --save too"))
}

/// Does something about each question. A single failure of one is told as it is.
fn all(asked: &[Asked<'_>], mut give: impl FnMut(&Asked<'_>) -> Result<()>) -> Result<()> {
    let mut failed: Vec<(&str, u8)> = Vec::new();
    for one in asked {
        let Err(error) = give(one) else { continue };
        let name = &one.question.name;
        if asked.len() == 1 {
            return Err(of_question(name, error));
        }
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        tracing::error!("question {name}: {error}{causes}");
        failed.push((name, error.exit_code()));
    }
    let Some((_, code)) = failed.first().copied() else { return Ok(()) };
    let alike = failed.iter().all(|(_, other)| *other == code);
    let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    Err(Error::Unanswered {
        failed: names.join(", "),
        count: failed.len(),
        asked: asked.len(),
        exit_code: if alike { code } else { 1 },
    })
}

fn of_question(name: &str, error: Error) -> Error {
    match error {
        Error::Sql(problem) => Error::Sql(format!("question {name}: {problem}")),
        error => error,
    }
}

/// The answer, which has the columns that its question says.
fn answer(catalog: &Catalog, asked: &Asked<'_>) -> Result<DataFrame> {
    let answer = catalog.answer(&asked.sql)?;
    let columns = answer.columns().iter().map(|column| column.name().to_string());
    let columns: Vec<_> = columns.collect();
    match columns == asked.question.columns {
        true => Ok(answer),
        false => Err(Error::Sql(format!(
            "the answer has the columns {}, but the header says {}",
            columns.join(", "),
            asked.question.columns.join(", ")
        ))),
    }
}

/// Where answers go.
enum Target<'a> {
    Terminal { form: Form, headed: bool },
    Folder(Folder<'a>),
}

/// A folder or bucket with a file for each question.
struct Folder<'a> {
    output: Output,
    form: Saved,
    runtime: &'a Runtime,
}

impl Target<'_> {
    fn give(&self, question: &Question, answer: &DataFrame) -> Result<()> {
        match self {
            Target::Folder(folder) => folder.save(question, answer),
            Target::Terminal { form, headed } => {
                let text = show::render(answer, *form)?;
                match (headed, form) {
                    (true, Form::Markdown) => {
                        super::print(&format!("### {}\n\n{text}\n", question.answers))
                    }
                    (true, _) => {
                        super::print(&format!("{}: {}\n{text}\n", question.name, question.answers))
                    }
                    (false, _) => super::print(&text),
                }
            }
        }
    }
}

impl Folder<'_> {
    /// Saves an answer: the file is there whole, or as it was before.
    fn save(&self, question: &Question, answer: &DataFrame) -> Result<()> {
        let bytes = self.form.bytes(answer)?;
        let path = Path::from(format!("{}.{}", question.name, self.form.ending()));
        let put = self.output.objects.put(&path, bytes.into());
        self.runtime.block_on(put).map_err(|e| self.output.write_error(&path, e))?;
        tracing::info!("{}: rows: {}", self.output.place(&path), answer.height());
        Ok(())
    }
}
