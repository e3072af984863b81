//! Messages as JSON, an object a line.
//!
//! Each says when, how grave and by which run; then the message, what belongs to
//! it, and which module it is from.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes the events of the log.
pub(super) struct Lines {
    pub run_id: String,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let about = event.metadata();
        let (level, target) = (about.level().as_str(), about.target());
        let line = Line { run_id: &self.run_id, level, target, fields: fields.0 };
        writer.write_str(&line.text().map_err(|_| fmt::Error)?)
    }
}

/// A message under way.
pub(super) struct Line<'a> {
    pub run_id: &'a str,
    /// As `INFO`.
    pub level: &'a str,
    pub target: &'a str,
    /// The message, as `message`, and what belongs to it.
    pub fields: Vec<(&'static str, Value)>,
}

impl Line<'_> {
    /// The line, with its end.
    pub fn text(&self) -> serde_json::Result<String> {
        let mut bytes = Vec::new();
        let mut json = serde_json::Serializer::new(&mut bytes);
        let mut line = json.serialize_map(None)?;
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        line.serialize_entry("timestamp", &now)?;
        line.serialize_entry("level", self.level)?;
        line.serialize_entry("run_id", self.run_id)?;
        for (name, value) in &self.fields {
            line.serialize_entry(name, value)?;
        }
        line.serialize_entry("target", self.target)?;
        line.end()?;
        bytes.push(b'\n');
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The fields of an event, the message among them.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{fmt, registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_line_is_an_object_with_the_run_whichever_thread_it_is_from() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = Lines { run_id: "run-1".to_owned() };
        let layer = fmt::layer().event_format(lines).with_writer(move || writer.clone());
        let dispatch = tracing::Dispatch::new(registry().with(layer));
        let error: &(dyn std::error::Error + 'static) =
            &io::Error::other("a \"cause\"\nof two lines");
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::warn!(table = "geo", rows = 3_u64, share = 0.5, whole = true, error, "first");
        });
        std::thread::scope(|scope| {
            let send = || {
                tracing::dispatcher::with_default(&dispatch, || tracing::info!("{} new", 7));
            };
            scope.spawn(send);
        });
        let bytes = kept.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = &lines[..] else { panic!("{text}") };
        assert!(lines.iter().all(|line| line["run_id"] == "run-1"), "{text}");
        assert_eq!((&first["level"], &first["message"]), (&"WARN".into(), &"first".into()));
        assert_eq!(first["error"], "a \"cause\"\nof two lines");
        assert_eq!((&first["rows"], &first["share"]), (&3.into(), &0.5.into()));
        assert_eq!((&first["table"], &first["whole"]), (&"geo".into(), &true.into()));
        assert_eq!(first["target"], module_path!());
        assert!(first["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!((&second["level"], &second["message"]), (&"INFO".into(), &"7 new".into()));
    }
}
