//! What a run tells whoever watches it, in Prometheus' text format.
//!
//! A file of it is taken up by node_exporter's textfile collector. All samples
//! are gauges: each run puts its own in the place of those of the run before.
//! Format: "Text-based format" in "Exposition formats" of the Prometheus docs.

mod lag;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::pipeline::report::{Report, TableReport};
use crate::store::RequestCounts;

pub use lag::{Lag, lag};
use text::{Sample, Text};

/// What a run knows of itself at its end, whichever end that is.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// Where the tables are: it tells one job's samples from another's.
    pub out: &'a str,
    /// Where the objects are.
    pub source: &'a str,
    /// The run.
    pub run_id: &'a str,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// How long it took.
    pub elapsed: Duration,
    /// What the process ends with.
    pub exit_code: u8,
    /// Requests as sent, to both stores; `None` if they are not known.
    pub requests: Option<RequestCounts>,
    /// What became of the tables, if the run came so far.
    pub report: Option<&'a Report>,
    /// How far each table is behind its source, as far as that is known.
    pub lag: &'a BTreeMap<String, Lag>,
    /// When the last run before this one that ended with 0 did so, in seconds since
    /// 1970; `None` if none is known.
    pub last_success: Option<i64>,
}

/// The samples of a run, with what they mean.
pub fn render(run: &Snapshot<'_>) -> String {
    let mut text = Text::new(run.out);
    of_the_process(&mut text, run);
    if let Some(report) = run.report {
        of_the_tables(&mut text, report);
    }
    if let Some(requests) = &run.requests {
        of_the_requests(&mut text, requests);
    }
    of_the_lag(&mut text, run.lag);
    text.into_string()
}

/// The sample of the last success in what [`render`] wrote for the same output.
pub fn last_success(before: &str, out: &str) -> Option<i64> {
    let series = text::series(LAST_SUCCESS, out, &[]);
    let of_it = |line: &str| line.strip_prefix(&series)?.trim().parse().ok();
    before.lines().find_map(of_it)
}

const LAST_SUCCESS: &str = "pinclean_last_success_timestamp_seconds";

fn of_the_process(text: &mut Text, run: &Snapshot<'_>) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.gauge(
        "pinclean_build_info",
        "The version of pinclean; always 1.",
        [Sample::of(&version, 1)],
    );
    let names = [("run_id", run.run_id), ("source", run.source)];
    text.gauge(
        "pinclean_run_info",
        "The last run, by its id, and what it read; always 1.",
        [Sample::of(&names, 1)],
    );
    text.gauge(
        "pinclean_run_timestamp_seconds",
        "When the last run ended.",
        [Sample::of(&[], run.ended.timestamp())],
    );
    text.gauge(
        "pinclean_run_duration_seconds",
        "How long the last run took.",
        [Sample::of(&[], format!("{:.3}", run.elapsed.as_secs_f64()))],
    );
    text.gauge(
        "pinclean_run_exit_code",
        "The exit code of the last run.",
        [Sample::of(&[], run.exit_code)],
    );
    let success = if run.exit_code == 0 { Some(run.ended.timestamp()) } else { run.last_success };
    text.gauge(
        LAST_SUCCESS,
        "When the last run ended that had exit code 0.",
        success.map(|seconds| Sample::of(&[], seconds)),
    );
}

fn of_the_tables(text: &mut Text, report: &Report) {
    // What was read for a table that was not committed is to be read again.
    let landed = |table: &TableReport, count: u64| if table.commit.is_some() { count } else { 0 };
    let counts = report.tables.iter().flat_map(|(name, table)| {
        let outcomes = [
            ("written", table.records_written),
            ("quarantined", table.records_quarantined),
            ("duplicate", table.records_duplicate),
        ];
        outcomes.map(|(outcome, count)| {
            Sample::of(&[("table", name), ("outcome", outcome)], landed(table, count))
        })
    });
    text.gauge(
        "pinclean_run_records",
        "Records that the last run committed, by what became of them; their sum is what was read.",
        counts,
    );
    let tables = [
        (
            "pinclean_run_rows_replaced",
            "Rows that a later record of their key replaced in the last run.",
            (|table| table.records_replaced) as fn(&TableReport) -> u64,
        ),
        ("pinclean_run_objects", "Objects whose records the last run committed.", |table| {
            table.objects
        }),
        ("pinclean_run_object_bytes", "Bytes of these objects, as stored.", |table| table.bytes),
    ];
    for (name, help, count) in tables {
        let sample = |(name, table): (&String, &TableReport)| {
            Sample::of(&[("table", name)], landed(table, count(table)))
        };
        text.gauge(name, help, report.tables.iter().map(sample));
    }
}

fn of_the_requests(text: &mut Text, requests: &RequestCounts) {
    let &RequestCounts { list, get, put, other, retries, bytes_read, bytes_written, .. } = requests;
    let kinds = [("list", list), ("get", get), ("put", put), ("other", other)];
    text.gauge(
        "pinclean_run_requests",
        "Requests that the last run sent, each attempt counted; of folders, calls of their kind.",
        kinds.map(|(kind, count)| Sample::of(&[("kind", kind)], count)),
    );
    let totals = [
        (
            "pinclean_run_retries",
            "Attempts of the last run that failed, and could be repeated.",
            retries,
        ),
        ("pinclean_run_read_bytes", "Bytes that the last run read.", bytes_read),
        ("pinclean_run_written_bytes", "Bytes that the last run wrote.", bytes_written),
    ];
    for (name, help, count) in totals {
        text.gauge(name, help, [Sample::of(&[], count)]);
    }
}

fn of_the_lag(text: &mut Text, lag: &BTreeMap<String, Lag>) {
    let each = |value: fn(&Lag) -> Option<i64>| {
        let sample =
            move |(table, lag): (&String, &Lag)| Some(Sample::of(&[("table", table)], value(lag)?));
        lag.iter().filter_map(sample)
    };
    text.gauge(
        "pinclean_lag_objects",
        "Objects that the last run listed, and that neither it nor a run before it committed. Not \
         there if not all were listed.",
        each(|lag| lag.objects.map(|objects| i64::try_from(objects).unwrap_or(i64::MAX))),
    );
    text.gauge(
        "pinclean_lag_seconds",
        "How much later the newest object that the last run listed was written than the newest \
         that is committed; 0 if all are. Not there if either is not known.",
        each(|lag| lag.seconds),
    );
    text.gauge(
        "pinclean_newest_object_timestamp_seconds",
        "When the newest object that the last run listed was written.",
        each(|lag| lag.newest.map(|at| at.timestamp())),
    );
}

#[cfg(test)]
mod tests;
