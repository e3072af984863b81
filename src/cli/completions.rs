//! `pinclean completions`, as typed, and what it prints.

use clap::builder::ValueHint;
use clap::{Args, CommandFactory};
use clap_complete::{Shell as Dialect, generate};

use super::Cli;
use super::words::Words;

pub(super) const EXAMPLE: &str = "\
Example:
  pinclean completions bash > ~/.local/share/bash-completion/completions/pinclean";

/// `pinclean completions`, as typed.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    #[arg(
        value_name = "SHELL",
        value_parser = Words(&["bash", "zsh", "fish", "elvish", "powershell"]),
        hide_possible_values = true
    )]
    pub shell: String,
}

/// A shell that completions can be printed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// Elvish
    Elvish,
    /// PowerShell
    PowerShell,
}

/// The script that teaches a shell the commands, options and values.
pub fn completions(shell: Shell) -> String {
    let dialect = match shell {
        Shell::Bash => Dialect::Bash,
        Shell::Zsh => Dialect::Zsh,
        Shell::Fish => Dialect::Fish,
        Shell::Elvish => Dialect::Elvish,
        Shell::PowerShell => Dialect::PowerShell,
    };
    let mut script = Vec::new();
    generate(dialect, &mut hinted(Cli::command()), "pinclean", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The commands, with a hint for each value that has none.
fn hinted(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let hint = hint(&arg);
        arg.value_hint(hint)
    });
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, hinted))
}

/// What completes a value, by what the help calls it. Without a hint, shells
/// offer files, even for a number.
fn hint(arg: &clap::Arg) -> ValueHint {
    let given = arg.get_value_hint();
    let takes_value = arg.get_action().takes_values();
    if given != ValueHint::Unknown || !takes_value {
        return given;
    }
    match arg.get_value_names().unwrap_or_default().first().map(|name| name.as_str()) {
        Some("FILE") => ValueHint::FilePath,
        Some("DIR" | "OUT") => ValueHint::DirPath,
        Some("URL") if arg.get_long() == Some("endpoint-url") => ValueHint::Url,
        // Of objects or tables: a folder, or a bucket that no shell knows.
        Some("URL") => ValueHint::DirPath,
        _ => ValueHint::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_knows_the_options_of_each_command() {
        let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell];
        for shell in shells {
            let script = completions(shell);
            for option in crate::cli::options() {
                assert!(script.contains(&option.flag), "{shell:?}: --{}", option.flag);
            }
        }
    }

    #[test]
    fn values_are_completed_as_what_they_are() {
        let cases = [
            ("run", "out", ValueHint::DirPath),
            ("run", "report", ValueHint::FilePath),
            ("run", "transforms", ValueHint::DirPath),
            ("run", "endpoint_url", ValueHint::Url),
            ("run", "topics_dir", ValueHint::Other),
            ("run", "memory", ValueHint::Other),
            ("run", "full", ValueHint::Unknown),
            ("history", "out", ValueHint::DirPath),
            ("emulate", "out", ValueHint::DirPath),
            ("check", "dir", ValueHint::DirPath),
        ];
        let cli = hinted(Cli::command());
        for (command, option, expected) in cases {
            let command = cli.find_subcommand(command).unwrap();
            let arg = command.get_arguments().find(|arg| arg.get_id() == option).unwrap();
            assert_eq!(arg.get_value_hint(), expected, "{command} --{option}");
        }
        let config = cli.get_arguments().find(|arg| arg.get_id() == "config").unwrap();
        assert_eq!(config.get_value_hint(), ValueHint::FilePath);
    }
}
