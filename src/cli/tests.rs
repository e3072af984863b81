use super::*;

fn help(command: &[&str]) -> String {
    let args = ["pinclean"].iter().chain(command).chain(&["--help"]);
    // As on a wide terminal, wherever the tests run.
    Cli::command().term_width(100).try_get_matches_from(args).unwrap_err().to_string()
}

#[test]
fn clap_finds_no_fault_with_the_commands() {
    Cli::command().debug_assert();
}

#[test]
fn help_tells_the_commands_and_the_layers() {
    insta::assert_snapshot!(help(&[]), @r"
    Turn the JSON of a Kafka S3 sink into clean tables, and prove nothing was lost

    Usage: pinclean [OPTIONS] <COMMAND>

      run          Clean what is new in a bucket or folder into tables
      query        Answer a question in SQL from clean tables
      ask          Answer the business questions from clean tables
      check        Validate transforms and run their examples
      init         Write a first transforms file for a topic, from a sample of it
      emulate      Write a bucket of invented records, as the sink would
      replay       Clean the quarantined records again, after transforms were mended
      optimize     Pack the small files of tables into larger ones
      vacuum       Delete files that tables no longer use
      history      Show the runs of tables, and how far each partition is read
      completions  Print what makes a shell complete commands and options
      man          Print the manual page, or save one of each command
      help         Print this message or the help of the given subcommand(s)

    Each command has --help, --quiet, --verbose, --log text|json and --config FILE.
    Each option is also a variable, PINCLEAN_<OPTION>, and a key of pinclean.toml.

    Example:
      pinclean run --bucket my-bucket --out ./clean
    ");
}

#[test]
fn the_help_of_the_program_fits_the_smallest_terminal_and_its_prompt() {
    for flag in ["-h", "--help"] {
        let help = Cli::command().term_width(80).try_get_matches_from(["pinclean", flag]);
        let help = help.unwrap_err().to_string();
        assert!(help.lines().count() <= 23, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let (_, example) = help.split_once("\nExample:\n  ").unwrap();
        assert!(example.starts_with("pinclean run "), "{example}");
        assert_eq!(example.trim().lines().count(), 1, "{example}");
    }
}

#[test]
fn what_the_help_of_the_program_says_of_all_commands_is_so() {
    let program = Cli::command();
    let notes = program.get_after_help().unwrap().to_string();
    let (notes, _) = notes.split_once("Example:").unwrap();
    for arg in program.get_arguments().filter(|arg| arg.is_global_set()) {
        let flag = format!("--{}", arg.get_long().unwrap());
        assert!(notes.contains(&flag), "{flag}: {notes}");
        let words = words_of(arg);
        assert!(notes.contains(&words.join("|")), "{words:?}: {notes}");
    }
}

#[test]
fn help_of_a_command_fits_narrow_terminals() {
    for command in Cli::command().get_subcommands().map(clap::Command::get_name) {
        for width in [60, 80] {
            let args = ["pinclean", command, "--help"];
            let help = Cli::command().term_width(width).try_get_matches_from(args);
            let help = help.unwrap_err().to_string();
            let options = help.split("\nExample:").next().unwrap();
            for line in options.lines() {
                assert!(line.chars().count() <= width, "{command}: {line:?}");
            }
        }
    }
}

#[test]
fn help_of_a_command_ends_with_an_example() {
    insta::assert_snapshot!(help(&["check"]), @r"
    Validate transforms and run their examples

    Usage: pinclean check [OPTIONS] [DIR]

    Arguments:
      [DIR]  Folder of transforms [default: transforms of `run`, else those built in]

    Options:
      -h, --help  Print help

    Global:
          --config <FILE>  Settings file [default: pinclean.toml, if it is there]
          --log <FORM>     Form of the messages on standard error: text or json [default: text]
      -q, --quiet          Say nothing but errors
      -v, --verbose        Say more, for finding faults

    Example:
      pinclean check ./transforms
    ");
}

#[test]
fn help_fits_a_screen() {
    for command in Cli::command().get_subcommands().map(clap::Command::get_name) {
        let help = help(&[command]);
        let (_, example) = help.split_once("\nExample:\n  ").unwrap();
        assert!(example.starts_with(&format!("pinclean {command} ")), "{example}");
        assert_eq!(example.trim().lines().count(), 1, "{example}");
        assert!(help.lines().count() <= 60, "{command}: {} lines", help.lines().count());
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line:?}");
        }
    }
}

#[test]
fn help_and_version_are_no_errors_but_a_wrong_flag_is() {
    for (arg, code) in [("--help", 0), ("--version", 0), ("--nonsense", 2), ("nonsense", 2)] {
        assert_eq!(parse(["pinclean", arg]).unwrap_err().exit_code(), code, "{arg}");
    }
    assert_eq!(parse(["pinclean"]).unwrap_err().exit_code(), 2);
}

#[test]
fn global_options_may_stand_before_and_after_the_command() {
    for args in [["pinclean", "-q", "check"], ["pinclean", "check", "-q"]] {
        assert!(parse(args).unwrap().global.quiet);
    }
}

#[test]
fn the_list_of_options_knows_their_kinds() {
    let kind = |name: &str| {
        options().into_iter().find(|o| o.name == name).map(|o| (o.command.is_none(), o.kind))
    };
    assert_eq!(kind("quiet"), Some((true, Kind::Switch)));
    assert_eq!(kind("memory"), Some((false, Kind::Value)));
    assert_eq!(kind("topic"), Some((false, Kind::List)));
    assert_eq!(kind("help"), None);
}

#[test]
fn only_the_place_of_the_tables_has_a_flag_of_another_name() {
    let renamed = options().into_iter().filter(|o| o.flag != o.name);
    let renamed: Vec<_> = renamed.map(|o| (o.command.unwrap(), o.flag, o.name)).collect();
    let tables = |command: &str| (command.to_owned(), "tables".to_owned(), "out".to_owned());
    let commands = ["query", "ask", "replay", "optimize", "vacuum", "history"];
    assert_eq!(renamed, commands.map(tables));
}

#[test]
fn the_place_of_the_tables_may_be_called_as_run_calls_it() {
    for flag in ["--tables", "--out"] {
        let typed = parse(["pinclean", "history", flag, "s3://lake/clean"]).unwrap();
        let Verb::History(history) = typed.verb else { panic!("{typed:?}") };
        assert_eq!(history.tables.place.out.as_deref(), Some("s3://lake/clean"), "{flag}");
    }
    let both = ["pinclean", "history", "--tables", "a", "--out", "b"];
    assert_eq!(parse(both).unwrap_err().exit_code(), 2);
}
