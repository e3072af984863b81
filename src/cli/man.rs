//! `pinclean man`, as typed, and the pages that it prints.

use std::io;

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Cli;

pub(super) const EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --save \
is PINCLEAN_MAN_SAVE and a key of [man].

Example:
  pinclean man --save ~/.local/share/man/man1";

const DESCRIPTION: [&str; 3] = [
    "It reads the JSON objects that the S3 sink of Kafka Connect wrote, from a bucket or a folder, cleans their records as transforms files say, and adds them to Delta tables or Parquet files.",
    "Every record that was read is written, quarantined with its reason, or counted as a certain duplicate. If the sum does not hold, the run fails and commits nothing.",
    "A second run reads only what is new. Each record lands exactly once, whatever fails.",
];

const VARIABLES: &str = "Every option is also a variable of the environment, PINCLEAN_ and the option's name: --max-rejects is PINCLEAN_MAX_REJECTS.";

const ENVIRONMENT: [&str; 2] = [
    "Switches take true or false; what may be repeated takes values with commas between them. Flags win over variables, variables over the settings file.",
    "Credentials, region and endpoint of S3 are found as the AWS command line finds them, by AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL and the others.",
];

const FILES: [(&str, &str); 3] = [
    (
        "pinclean.toml",
        "Settings, if it is in the working directory, or the file that --config names. Every option is a key, such as max_rejects. A key at the top holds for every command that has the option, one in a command's table, such as [run], for that command alone.",
    ),
    ("~/.aws/config, ~/.aws/credentials", "Profiles, as the AWS command line has them."),
    (
        "OUT/_runs/RUN.json",
        "The report of each run: what became of its records, by outcome, column and rule.",
    ),
];

const EXIT_STATUS: [(&str, &str); 6] = [
    ("0", "done, or nothing new"),
    ("1", "failed; a table is committed whole or not at all, and a warning names those that were"),
    ("2", "a mistake in the options, the settings file, the transforms, the SQL or a question"),
    (
        "3",
        "committed, but more rejects than --max-rejects allows, or a table got none of its records",
    ),
    ("75", "another run was ahead: try again"),
    ("130, 143", "stopped by Ctrl-C or SIGTERM; nothing is half done"),
];

/// `pinclean man`, as typed.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder, not the first one to standard output
    #[arg(long, value_name = "DIR")]
    pub save: Option<String>,
}

/// A page of the manual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name of its file, such as `pinclean-run.1`.
    pub file: String,
    /// Its text, for `man`.
    pub text: String,
}

/// The page of the program.
pub fn manual() -> Page {
    page(&built())
}

/// The page of the program, then those of its commands.
pub fn manuals() -> Vec<Page> {
    let program = built();
    std::iter::once(&program).chain(program.get_subcommands()).map(page).collect()
}

/// The commands, each with the options that all of them have.
fn built() -> clap::Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

fn page(command: &clap::Command) -> Page {
    let name = command.get_display_name().unwrap_or("pinclean").to_owned();
    let generated = Man::new(command.clone());
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (notes, line) = help.split_once("Example:\n").unwrap_or((&help, ""));
    // The rule, or the rule and how the command departs from it.
    let mut variables = VARIABLES;
    let mut middle = Vec::new();
    if command.has_subcommands() {
        middle.push(paragraphs("DESCRIPTION", &DESCRIPTION));
        let commands = generated_by(|to| generated.render_subcommands_section(to));
        middle.push(commands.replacen("SUBCOMMANDS", "COMMANDS", 1));
    } else {
        middle.push(generated_by(|to| generated.render_description_section(to)));
        if !notes.trim().is_empty() {
            variables = notes.trim();
        }
    }
    let text = [
        Roff::new().render(),
        title(&name),
        generated_by(|to| generated.render_name_section(to)),
        synopsis(command),
        middle.concat(),
        grouped(&generated_by(|to| generated.render_options_section(to))),
        paragraphs("ENVIRONMENT", &[&[variables], &ENVIRONMENT[..]].concat()),
        terms("FILES", &FILES),
        terms("EXIT STATUS", &EXIT_STATUS),
        example(line),
        see_also(command),
    ];
    Page { file: format!("{name}.1"), text: text.concat() }
}

/// What the library renders, without the definitions that begin a page.
fn generated_by(render: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut text = Vec::new();
    // Memory takes all that is written.
    _ = render(&mut text);
    let text = String::from_utf8_lossy(&text);
    text.strip_prefix(&Roff::new().render()).unwrap_or(&text).to_owned()
}

fn written(write: impl FnOnce(&mut Roff)) -> String {
    let mut roff = Roff::new();
    write(&mut roff);
    generated_by(|to| roff.to_writer(to))
}

/// The page's head. It has no date: the pages of one version are the same
/// wherever they are made.
fn title(name: &str) -> String {
    let version = concat!("pinclean ", env!("CARGO_PKG_VERSION"));
    written(|roff| {
        roff.control("TH", [name, "1", "\"\"", version, "User Commands"]);
        // Names are to be found and copied whole.
        roff.control("nh", []);
        roff.control("ad", ["l"]);
    })
}

/// The usage of the help, and not all options once more.
fn synopsis(command: &clap::Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let name = command.get_bin_name().unwrap_or_default();
    let rest = usage.strip_prefix(name).unwrap_or(usage);
    written(|roff| {
        roff.control("SH", ["SYNOPSIS"]);
        roff.text([bold(name), roman(rest)]);
    })
}

/// The options, their groups below one heading.
fn grouped(options: &str) -> String {
    let mut text = String::new();
    for line in options.lines() {
        match line.strip_prefix(".SH ") {
            Some(group) if group != "OPTIONS" => {
                let (first, rest) = group.split_at(group.chars().next().map_or(0, char::len_utf8));
                text.push_str(&format!(".SS {first}{}\n", rest.to_lowercase()));
            }
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

fn paragraphs(heading: &str, texts: &[&str]) -> String {
    written(|roff| {
        roff.control("SH", [heading]);
        for (nth, text) in texts.iter().enumerate() {
            if nth > 0 {
                roff.control("PP", []);
            }
            roff.text([roman(*text)]);
        }
    })
}

fn terms(heading: &str, terms: &[(&str, &str)]) -> String {
    written(|roff| {
        roff.control("SH", [heading]);
        for (term, text) in terms {
            roff.control("TP", []);
            roff.text([bold(*term)]);
            roff.text([roman(*text)]);
        }
    })
}

fn example(line: &str) -> String {
    written(|roff| {
        roff.control("SH", ["EXAMPLES"]);
        roff.text([bold(line.trim())]);
    })
}

fn see_also(command: &clap::Command) -> String {
    let others: Vec<String> = match command.has_subcommands() {
        true => command.get_subcommands().map(page_name).collect(),
        false => vec!["pinclean(1)".to_owned()],
    };
    paragraphs("SEE ALSO", &[&others.join(", ")])
}

fn page_name(command: &clap::Command) -> String {
    format!("{}(1)", command.get_display_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(page: &Page) -> String {
        let text = page.text.replace("\\-", "-").replace("\\*(Aq", "'");
        ["\\fB", "\\fI", "\\fR"].iter().fold(text, |text, font| text.replace(font, ""))
    }

    #[test]
    fn there_is_a_page_for_the_program_and_for_each_command() {
        let pages = manuals();
        assert_eq!(pages[0], manual());
        let files: Vec<_> = pages.iter().map(|page| page.file.as_str()).collect();
        let names = Cli::command();
        let names =
            names.get_subcommands().map(|command| format!("pinclean-{}.1", command.get_name()));
        assert_eq!(files, [vec!["pinclean.1".to_owned()], names.collect()].concat());
    }

    #[test]
    fn each_page_has_its_options_with_their_help_and_ends_with_an_example() {
        let program = built();
        for (command, page) in
            std::iter::once(&program).chain(program.get_subcommands()).zip(manuals())
        {
            let text = plain(&page);
            for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
                let flag = format!("--{}", arg.get_long().unwrap());
                let (_, after) =
                    text.split_once(&flag).unwrap_or_else(|| panic!("{}: {flag}", page.file));
                let help = arg.get_help().unwrap().to_string();
                assert!(after.contains(&help), "{}: {flag}: {help}", page.file);
            }
            for option in ["--config", "--log", "-q, --quiet", "-v, --verbose", "-h, --help"] {
                assert!(text.contains(option), "{}: {option}", page.file);
            }
            let help = command.get_after_help().unwrap().to_string();
            let example = help.lines().last().unwrap().trim();
            assert!(text.contains(&format!(".SH EXAMPLES\n{example}\n")), "{}: {text}", page.file);
        }
    }

    #[test]
    fn options_are_grouped_below_one_heading_and_headings_are_those_of_manuals() {
        let known = [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "COMMANDS",
            "OPTIONS",
            "ENVIRONMENT",
            "FILES",
            "\"EXIT STATUS\"",
            "EXAMPLES",
            "\"SEE ALSO\"",
        ];
        for page in manuals() {
            let headings: Vec<_> =
                page.text.lines().filter_map(|l| l.strip_prefix(".SH ")).collect();
            let expected: Vec<_> = known.iter().filter(|name| headings.contains(name)).collect();
            assert_eq!(headings.iter().collect::<Vec<_>>(), expected, "{}", page.file);
            assert!(headings.len() >= 9, "{}: {headings:?}", page.file);
        }
        let run = manuals().into_iter().find(|page| page.file == "pinclean-run.1").unwrap();
        let groups: Vec<_> = run.text.lines().filter_map(|l| l.strip_prefix(".SS ")).collect();
        assert!(
            ["Input", "Output", "S3", "Global"].iter().all(|g| groups.contains(g)),
            "{groups:?}"
        );
    }

    #[test]
    fn a_page_says_where_its_command_departs_from_the_rule() {
        let page = |name: &str| {
            plain(manuals().iter().find(|page| page.file == format!("pinclean-{name}.1")).unwrap())
        };
        assert!(page("history").contains("is the --out of `run`: PINCLEAN_OUT and the key out."));
        assert!(page("init").contains("PINCLEAN_INIT_OUT"));
        assert!(page("run").contains(".SH SYNOPSIS\npinclean run [OPTIONS]\n"));
    }
}
