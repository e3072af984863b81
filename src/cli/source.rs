//! Where objects are read from, as typed.

use clap::{Args, ValueHint};

/// Where objects lie and how they are named, as typed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct SourceArgs {
    /// S3 bucket to read; means --source s3://NAME
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Folder, file:// or s3://bucket/prefix to read
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// How the sink was set up.
    #[command(flatten)]
    pub layout: LayoutArgs,
}

/// How the sink was set up, as typed.
#[derive(Debug, Args)]
pub struct LayoutArgs {
    /// The sink's topics.dir, may be empty [default: topics]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::Other)]
    pub topics_dir: Option<String>,
    /// The sink's file.delim [default: +]
    #[arg(long, value_name = "TEXT")]
    pub file_delim: Option<String>,
}
