//! Which folders are topics, and which table each belongs to.

use super::{Strays, Survey};
use crate::key::Topic;
use crate::pipeline::plan::PlanInput;
use crate::spec::{Spec, TopicGlob};
use crate::{Error, Result};

/// How many names a message lists.
const NAMES: usize = 10;

/// A topic and the table that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub topic: Topic,
    /// Index of the table's spec.
    pub table: usize,
}

/// The topics' folders, sorted out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub matched: Vec<Chosen>,
    pub without_transform: Vec<Topic>,
    /// Left out by the operator.
    pub left_out: Vec<Topic>,
    /// Folders that cannot be topics.
    pub strays: Strays,
}

/// Sorts folders out.
///
/// # Errors
/// [`Error::Usage`] if two tables claim a topic.
pub(super) fn choose(folders: &[String], input: &PlanInput<'_>) -> Result<Choice> {
    let mut choice = Choice::default();
    for folder in folders {
        let Some(topic) = Topic::parse(folder) else {
            choice.strays.add(|| format!("{}{folder}/", input.layout.topics_prefix()));
            continue;
        };
        if !input.topic_globs.is_empty() && !matches(input.topic_globs, &topic) {
            choice.left_out.push(topic);
            continue;
        }
        match table(input.specs, &topic)? {
            Some(table) => choice.matched.push(Chosen { topic, table }),
            None => choice.without_transform.push(topic),
        }
    }
    Ok(choice)
}

fn matches(globs: &[TopicGlob], topic: &Topic) -> bool {
    globs.iter().any(|glob| glob.matcher.is_match(topic.as_str()))
}

fn table(specs: &[Spec], topic: &Topic) -> Result<Option<usize>> {
    let mut claims = (0..specs.len()).filter(|&table| matches(&specs[table].topics, topic));
    match (claims.next(), claims.next()) {
        (Some(first), Some(second)) => Err(Error::Usage(format!(
            "topic {topic} belongs to two tables, {} ({}) and {} ({}): \
             change `topics` in one of them, or leave the topic out with --topic",
            specs[first].table, specs[first].file, specs[second].table, specs[second].file,
        ))),
        (claim, _) => Ok(claim),
    }
}

/// Says what is there when no topic matched; `siblings` are the folders at the
/// root, if the topics' folder is not there.
pub(super) fn explain(
    survey: &Survey,
    choice: &Choice,
    siblings: &[String],
    input: &PlanInput<'_>,
) -> String {
    if survey.is_empty() {
        return explain_missing(siblings, input);
    }
    let mut parts = Vec::new();
    if !choice.without_transform.is_empty() {
        let topics = list(choice.without_transform.iter().map(Topic::as_str));
        let globs = list(input.specs.iter().flat_map(|s| &s.topics).map(|g| g.pattern.as_str()));
        parts.push(format!("no transform is for the topics {topics}; there are some for {globs}"));
    }
    if !choice.left_out.is_empty() {
        let topics = list(choice.left_out.iter().map(Topic::as_str));
        let globs = list(input.topic_globs.iter().map(|g| g.pattern.as_str()));
        parts.push(format!("--topic {globs} leaves out the topics {topics}"));
    }
    if choice.strays.count > 0 {
        let strays = list(choice.strays.examples.iter().map(String::as_str));
        parts.push(format!("these folders cannot be topics: {strays}"));
    }
    if survey.files.count > 0 && survey.folders.is_empty() {
        let files = list(survey.files.examples.iter().map(String::as_str));
        parts.push(format!("there are files and no folders: {files}"));
    }
    if input.layout.topics_dir.is_empty() && survey.folders.iter().any(|f| f == "topics") {
        parts.push("there is a folder topics: try --topics-dir topics".into());
    }
    parts.join("; ")
}

fn explain_missing(siblings: &[String], input: &PlanInput<'_>) -> String {
    let dir = &input.layout.topics_dir;
    if siblings.is_empty() {
        return "there are no folders in it".into();
    }
    let there = list(siblings.iter().map(String::as_str));
    let is_topic = |folder: &&String| {
        Topic::parse(folder).is_some_and(|t| input.specs.iter().any(|s| matches(&s.topics, &t)))
    };
    let advice = match siblings.iter().find(is_topic) {
        Some(topic) => format!("{topic} is a topic itself: try --topics-dir \"\""),
        None => "name the one that holds the topics with --topics-dir".into(),
    };
    format!("there is nothing in {dir}/; there are the folders {there}; {advice}")
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
