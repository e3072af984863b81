//! What the listing found, told to the operator.

use crate::error::{Error, Result};
use crate::pipeline::discover::{Discovered, Strays, TopicFound};
use crate::spec::TopicGlob;

/// Tells what is new in each topic, and warns of what was passed over for its
/// name.
///
/// # Errors
/// [`Error::NothingMatched`] if there are names in the topics and none is the
/// sink's, so that `place` as a whole seems to be named another way; never if
/// something was `read_before`.
pub fn tell(discovered: &Discovered, place: &str, read_before: bool) -> Result<()> {
    let new: u64 = discovered.topics.values().map(|topic| topic.new.objects).sum();
    let passed_over: u64 = discovered.topics.values().map(strays).sum();
    for (name, topic) in &discovered.topics {
        tracing::debug!("{name}: {} new objects, {} bytes", topic.new.objects, topic.new.bytes);
        let older = topic.skipped.older_folders;
        if older > 0 {
            tracing::debug!("{name}: {older} folders older than --lookback were not listed");
        }
    }
    if new == 0 && passed_over > 0 && !read_before {
        return Err(Error::NothingMatched { place: place.to_owned(), found: none(discovered) });
    }
    for (name, topic) in discovered.topics.iter().filter(|(_, topic)| strays(topic) > 0) {
        tracing::warn!(
            "{name}: passed over {} whose names are not the sink's: {}",
            strays(topic),
            examples(topic)
        );
    }
    for objects in discovered.topics.values().flat_map(|topic| &topic.skipped.behind.examples) {
        tracing::warn!(
            objects,
            "none of these is as new as what was committed, and they were not read: if the topic \
             was created again, read it into another --out, or all with --full"
        );
    }
    let Strays { count, examples } = &discovered.strays;
    if *count > 0 {
        tracing::warn!("passed over {count} beside the topics: {}", examples.join(", "));
    }
    Ok(())
}

/// Warns of `--topic` globs that no topic there matches: one may be misspelt.
pub fn tell_idle(globs: &[TopicGlob], discovered: &Discovered) {
    for glob in idle(globs, discovered) {
        tracing::warn!("no topic matches --topic {glob}");
    }
}

fn idle<'g>(globs: &'g [TopicGlob], discovered: &Discovered) -> Vec<&'g str> {
    let there = || discovered.topics.keys().chain(&discovered.without_transform);
    let matched = |glob: &&TopicGlob| there().any(|topic| glob.matcher.is_match(topic.as_str()));
    globs.iter().filter(|glob| !matched(glob)).map(|glob| glob.pattern.as_str()).collect()
}

fn none(discovered: &Discovered) -> String {
    let (count, example) = discovered.topics.values().fold((0, String::new()), |all, topic| {
        let example = if all.1.is_empty() { examples(topic) } else { all.1 };
        (all.0 + strays(topic), example)
    });
    format!(
        "none of the {count} objects in the topics has a name of the sink \
         (<topic>+<partition>+<offset>.json): {example}; if the sink's file.delim is not +, \
         give it with --file-delim"
    )
}

fn strays(topic: &TopicFound) -> u64 {
    topic.skipped.foreign.count + topic.skipped.other.count
}

/// A few of the names, and whether there are more.
fn examples(topic: &TopicFound) -> String {
    let kept = topic.skipped.foreign.examples.iter().chain(&topic.skipped.other.examples);
    let mut names: Vec<&str> = kept.take(3).map(String::as_str).collect();
    if strays(topic) > names.len() as u64 {
        names.push("…");
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Topic;
    use crate::pipeline::discover::{Skipped, Total};

    fn discovered(objects: u64, others: &[&str]) -> Discovered {
        let other = Strays {
            count: others.len() as u64,
            examples: others.iter().map(ToString::to_string).collect(),
        };
        let topic = TopicFound {
            table: 0,
            new: Total { objects, ..Total::default() },
            skipped: Skipped { other, ..Skipped::default() },
            ..TopicFound::default()
        };
        let topics = [(Topic::parse("a.pin").unwrap(), topic)].into();
        Discovered { topics, ..Discovered::default() }
    }

    #[test]
    fn only_a_first_run_that_knows_no_name_at_all_fails() {
        let names = ["a-0-1.json", "a-0-2.json"];
        for (objects, names, read_before, fails) in [
            (0, &names[..], false, true),
            (0, &names[..], true, false),
            (1, &names[..], false, false),
            (0, &[][..], false, false),
        ] {
            let told = tell(&discovered(objects, names), "s3://b", read_before);
            assert_eq!(told.is_err(), fails, "{objects} {names:?} {read_before}");
        }
    }

    #[test]
    fn the_error_names_what_was_found_and_the_option() {
        let error = tell(&discovered(0, &["x/a-0-1.json"]), "s3://b", false).unwrap_err();
        let text = error.to_string();
        for part in ["s3://b", "none of the 1 objects", "x/a-0-1.json", "--file-delim"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_few_names_stand_for_all() {
        let found = discovered(1, &["a", "b", "c", "d"]);
        assert_eq!(examples(found.topics.values().next().unwrap()), "a, b, c, …");
    }

    #[test]
    fn a_glob_that_matches_no_topic_is_found() {
        let glob = |pattern: &str| TopicGlob {
            pattern: pattern.into(),
            matcher: globset::Glob::new(pattern).unwrap().compile_matcher(),
        };
        let mut there = discovered(1, &[]);
        there.without_transform.push(Topic::parse("a.misc").unwrap());
        let globs = [glob("*.pin"), glob("a.gxo"), glob("a.misc")];
        assert_eq!(idle(&globs, &there), ["a.gxo"]);
        assert!(idle(&[], &there).is_empty());
    }
}
