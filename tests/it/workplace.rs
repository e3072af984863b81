//! A folder to start pinclean in, and tables in it or on S3.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::command::{pinclean, said};
use crate::s3::{ACCESS_KEY, SECRET_KEY, Server};
use crate::table::Format;

/// Where a test works.
pub struct Workplace {
    folder: TempDir,
    pub format: Format,
    /// Tables on a disk without one.
    pub server: Option<Server>,
}

impl Workplace {
    /// With the tables in the folder.
    pub fn on_disk(format: Format) -> Workplace {
        Workplace { folder: tempfile::tempdir().unwrap(), format, server: None }
    }

    /// With the tables in a bucket of its own.
    pub fn on_s3(format: Format) -> Workplace {
        let server = Server::start();
        server.create_bucket("lake");
        Workplace { server: Some(server), ..Workplace::on_disk(format) }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Of the tables.
    pub fn url(&self) -> &'static str {
        match self.server {
            None => "clean",
            Some(_) => "s3://lake/clean",
        }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = pinclean(self.folder(), args);
        if let Some(server) = &self.server {
            command.env("AWS_ENDPOINT_URL", server.endpoint());
            command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
            command.env("AWS_REGION", "us-east-1");
        }
        command
    }

    /// Runs a command, which must end with this code.
    pub fn ends(&self, args: &[&str], code: i32) -> Output {
        let output = self.command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        output
    }

    /// What a command printed that went well.
    pub fn done(&self, args: &[&str]) -> String {
        String::from_utf8(self.ends(args, 0).stdout).unwrap()
    }
}
