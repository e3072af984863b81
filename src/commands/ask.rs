//! `pinclean ask`: the business questions, answered from the clean tables.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use polars::prelude::DataFrame;
use tokio::runtime::Runtime;

use super::engine;
use crate::ask::{self, Asked, Question, Wanted};
use crate::query::Catalog;
use crate::settings::{Ask, Given, Questions, Rank};
use crate::show::{self, Form, Saved};
use crate::store::{self, Session, Store};
use crate::{Error, Result, logging};

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
    let asked = ask::choose(&questions, &wanted, settings.set.as_ref())?;
    let output = Output::of(settings, asked.len())?;
    let runtime = super::runtime()?;
    let session = Session::new(settings.snapshot.s3.clone());
    let catalog = engine::open(&settings.snapshot, &session, &runtime)?;
    match output {
        Output::Printed(form) => {
            let headed = asked.len() > 1;
            all(&asked, |asked| print(asked.question, &answer(&catalog, asked)?, form, headed))
        }
        Output::Saved(url, form) => {
            let store = Store::for_writing(url, &session, settings.durability);
            let store = runtime.block_on(store)?;
            let folder = Folder { store: store::Output::new(&store), form, runtime: &runtime };
            all(&asked, |asked| folder.save(asked.question, &answer(&catalog, asked)?))
        }
    }
}

/// Where answers go, and in which form.
#[derive(Clone, Copy)]
enum Output<'a> {
    Printed(Form),
    Saved(&'a str, Saved),
}

impl Output<'_> {
    /// Where so many answers go.
    fn of(settings: &Ask, answers: usize) -> Result<Output<'_>> {
        let format = settings.format.as_ref();
        if let Some(save) = &settings.save {
            let form = format.map_or(Saved::Text(Form::Csv), |format| format.value);
            return Ok(Output::Saved(&save.value, form));
        }
        let Some(format) = format else { return Ok(Output::Printed(Form::Table)) };
        let problem = match format.value {
            Saved::Text(form @ (Form::Table | Form::Markdown)) => return Ok(Output::Printed(form)),
            Saved::Text(form) if answers == 1 => return Ok(Output::Printed(form)),
            Saved::Text(_) => {
                "several answers in one text are a table or markdown; --save a folder for a file \
                 each"
            }
            Saved::Parquet => "parquet is for files: give --save too",
        };
        Err(format.wrong(problem))
    }
}

/// What is for answers is refused where it is typed. In the environment and the
/// file it is meant for other times.
fn list(settings: &Ask, questions: &[Question]) -> Result<()> {
    let save = settings.save.as_ref().filter(|save| save.rank == Rank::Flag).map(|_| "--save");
    let set = settings.set.as_ref().filter(|set| set.typed).map(|_| "--set");
    if let Some(option) = save.or(set) {
        let problem = "is for answers: name a question, or give --all";
        return Err(Error::Usage(format!("{option} {problem}")));
    }
    match &settings.format {
        Some(Given { value: Saved::Text(Form::Json), .. }) => {
            let json = ask::json(questions).map_err(|e| Error::Internal {
                stage: "the list of questions",
                message: e.to_string(),
            })?;
            super::print(&json)
        }
        Some(format) if format.rank == Rank::Flag && format.value != Saved::Text(Form::Table) => {
            Err(format.wrong("the list of questions is a table or json"))
        }
        _ => super::print(&ask::text(questions)),
    }
}

/// Does something about each question. Where all fail for one reason, such as a
/// bucket that is not there, it is told once.
fn all(asked: &[Asked<'_>], mut give: impl FnMut(&Asked<'_>) -> Result<()>) -> Result<()> {
    let name = |one: &Asked<'_>| one.question.name.clone();
    let failures = asked.iter().filter_map(|one| Some((name(one), give(one).err()?)));
    let mut failures: Vec<(String, Error)> = failures.collect();
    let reason = failures.first().map(|(_, error)| error.to_string());
    let alike = failures.iter().all(|(_, error)| Some(error.to_string()) == reason);
    if alike && failures.len() == asked.len() {
        return match failures.drain(..).next() {
            None => Ok(()),
            Some((name, error)) if asked.len() == 1 => Err(of_question(&name, error)),
            Some((_, error)) => Err(error),
        };
    }
    for (name, error) in &failures {
        tracing::error!("question {name}: {}", logging::with_causes(error));
    }
    unanswered(&failures, asked.len())
}

fn unanswered(failures: &[(String, Error)], asked: usize) -> Result<()> {
    let Some(code) = failures.first().map(|(_, error)| error.exit_code()) else { return Ok(()) };
    let alike = failures.iter().all(|(_, error)| error.exit_code() == code);
    let names: Vec<_> = failures.iter().map(|(name, _)| name.as_str()).collect();
    Err(Error::Unanswered {
        failed: names.join(", "),
        count: failures.len(),
        asked,
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

fn print(question: &Question, answer: &DataFrame, form: Form, headed: bool) -> Result<()> {
    let text = show::render(answer, form)?;
    super::print(&match (headed, form) {
        (true, Form::Markdown) => format!("### {}\n\n{text}\n", question.answers),
        (true, _) => format!("{}: {}\n{text}\n", question.name, question.answers),
        (false, _) => text,
    })
}

/// A folder or bucket with a file for each question.
struct Folder<'a> {
    store: store::Output,
    form: Saved,
    runtime: &'a Runtime,
}

impl Folder<'_> {
    /// Saves an answer: the file is there whole, or as it was before.
    fn save(&self, question: &Question, answer: &DataFrame) -> Result<()> {
        let bytes = self.form.bytes(answer)?;
        let path = Path::from(format!("{}.{}", question.name, self.form.ending()));
        let put = self.store.objects.put(&path, bytes.into());
        self.runtime.block_on(put).map_err(|e| self.store.write_error(&path, e))?;
        tracing::info!("{}: rows: {}", self.store.place(&path), answer.height());
        Ok(())
    }
}
