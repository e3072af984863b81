//! Prometheus' text format: families of samples, each with what it means.

use std::fmt::{Display, Write as _};

/// A text under way.
pub(super) struct Text {
    out: String,
    text: String,
}

/// One number, with labels that tell it from the others of its family.
pub(super) struct Sample {
    labels: Vec<(&'static str, String)>,
    value: String,
}

impl Sample {
    pub fn of(labels: &[(&'static str, &str)], value: impl Display) -> Sample {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Sample { labels, value: value.to_string() }
    }
}

impl Text {
    /// All samples get the label `out`: two jobs on one machine would otherwise give
    /// samples of the same name and labels, which a collector refuses altogether.
    pub fn new(out: &str) -> Text {
        Text { out: out.to_owned(), text: String::new() }
    }

    /// Adds a family of gauges, unless it is empty.
    pub fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a text cannot fail.
        _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for Sample { labels, value } in samples {
            _ = writeln!(self.text, "{}{value}", series(name, &self.out, &labels));
        }
    }

    pub fn into_string(self) -> String {
        self.text
    }
}

/// What a sample's line begins with, up to its value.
pub(super) fn series(name: &str, out: &str, labels: &[(&'static str, String)]) -> String {
    let mut text = format!("{name}{{out=\"{}\"", escaped(out));
    for (label, value) in labels {
        _ = write!(text, ",{label}=\"{}\"", escaped(value));
    }
    text + "} "
}

/// The value of a label: any text, with these three escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
