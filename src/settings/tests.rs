use std::collections::BTreeMap;

use super::*;
use crate::Result;
use crate::cli::{self, Kind, Opt};

/// What is given in each layer, for one test.
#[derive(Debug, Default, Clone)]
struct World {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    file: String,
}

impl World {
    /// The command with what it cannot do without, from the lowest layer.
    fn of(command: &str) -> World {
        let typed: &[&str] = match command {
            "init" => &["pinclean", "init", "a.pin"],
            "completions" => &["pinclean", "completions", "bash"],
            "emulate" => &["pinclean", "emulate", "out"],
            other => &["pinclean", other],
        };
        let args = typed.iter().map(|arg| arg.to_string()).collect();
        World { args, file: "source = \"base\"\n".to_owned(), ..World::default() }
    }

    fn arg(mut self, arg: &str) -> World {
        self.args.push(arg.to_owned());
        self
    }

    fn var(mut self, name: &str, value: &str) -> World {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn toml(mut self, text: &str) -> World {
        self.file.push_str(text);
        self
    }

    /// An option in the command's table; `check` and `completions` have none.
    fn table(self, command: &str, option: &Opt, value: &str) -> World {
        match command {
            "check" | "completions" => self.toml(&line(option, value)),
            _ => self.toml(&format!("[{command}]\n{}", line(option, value))),
        }
    }

    fn resolve(&self) -> Result<(Ui, Command)> {
        let typed = cli::parse(&self.args).expect("a command line that clap takes");
        let env = |name: &str| self.env.get(name).map(Into::into);
        let layers = Layers::over(&typed, &env, &self.file)?;
        Ok((Ui::resolve(&typed, &layers)?, Command::resolve(typed.verb, &layers)?))
    }

    /// What the command uses; for `ask`, but for where it was written.
    fn shown(&self) -> String {
        let mut resolved = self.resolve().unwrap();
        if let Command::Ask(Ask { set, save, format, .. }) = &mut resolved.1 {
            if let Some(Set { typed, origin, .. }) = set {
                (*typed, *origin) = (true, String::new());
            }
            if let Some(Given { rank, origin, .. }) = save {
                (*rank, *origin) = (Rank::Flag, String::new());
            }
            if let Some(Given { rank, origin, .. }) = format {
                (*rank, *origin) = (Rank::Flag, String::new());
            }
        }
        format!("{resolved:?}")
    }

    fn run(&self) -> Run {
        match self.resolve().unwrap().1 {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    fn error(&self) -> String {
        self.resolve().unwrap_err().to_string()
    }
}

/// Three values of an option that differ from one another and from its default.
fn samples(name: &str) -> [&'static str; 3] {
    match name {
        "bucket" => ["one", "two", "three"],
        "source" | "topics-dir" | "transforms" | "out" | "report" | "metrics" | "profile"
        | "region" | "user" | "topic" | "sort" => ["a", "b", "c"],
        "file-delim" => ["-", "_", "~"],
        "endpoint-url" => ["http://a", "http://b", "http://c"],
        "max-rejects" => ["1", "2%", "3"],
        "memory" | "target-size" => ["65m", "66m", "67m"],
        "retain" => ["8d", "200h", "3w"],
        "lookback" => ["1d", "2h", "3w"],
        "bad-rate" => ["0.1", "0.2", "3%"],
        "concurrency" | "sample" | "rows" | "start-offset" | "seed" | "flush-size"
        | "partitions" | "optimize-after" | "limit" => ["11", "12", "13"],
        "save" => ["a.csv", "b.md", "c.parquet"],
        "file" | "questions" => ["a", "b", "c"],
        "set" => ["a=1", "b=2", "c=3"],
        "as-of" => ["1", "2026-11-20", "2026-11-20T10:00:00Z"],
        "partitioner" => ["field", "daily", "hourly"],
        other => panic!("add three values of --{other}"),
    }
}

fn commands_of(option: &Opt) -> Vec<String> {
    match &option.command {
        Some(command) => vec![command.clone()],
        None => [
            "run",
            "check",
            "init",
            "emulate",
            "optimize",
            "vacuum",
            "replay",
            "history",
            "query",
            "ask",
            "completions",
            "man",
        ]
        .map(str::to_owned)
        .into(),
    }
}

fn variable(option: &Opt, command: &str) -> String {
    let name = option.name.replace('-', "_").to_uppercase();
    match (command, option.name.as_str()) {
        ("init", "out") => "PINCLEAN_INIT_OUT".to_owned(),
        ("vacuum", "force") => "PINCLEAN_VACUUM_FORCE".to_owned(),
        ("ask", "format" | "save") => format!("PINCLEAN_ASK_{name}"),
        ("query", "format" | "save") => format!("PINCLEAN_QUERY_{name}"),
        ("man", "save") => "PINCLEAN_MAN_SAVE".to_owned(),
        _ => format!("PINCLEAN_{name}"),
    }
}

fn line(option: &Opt, value: &str) -> String {
    let key = option.name.replace('-', "_");
    match option.kind {
        Kind::Switch => format!("{key} = {value}\n"),
        Kind::Value => format!("{key} = {value:?}\n"),
        Kind::List => format!("{key} = [{value:?}]\n"),
    }
}

/// Options with two or three words for values; they have tests of their own.
const WORDS: [&str; 5] = ["config", "log", "progress", "format", "mode"];

#[test]
fn every_value_comes_from_flag_over_environment_over_file() {
    let valued = |o: &Opt| o.kind != Kind::Switch && !WORDS.contains(&o.name.as_str());
    for option in cli::options().into_iter().filter(valued) {
        for command in commands_of(&option) {
            let [a, b, c] = samples(&option.name);
            let base = World::of(&command);
            let flag = |w: World, value| w.arg(&format!("--{}={value}", option.flag));
            let env = |w: World, value| w.var(&variable(&option, &command), value);
            let file = |w: World, value| w.table(&command, &option, value);
            let place = format!("{command} --{}", option.name);

            let typed = [a, b, c].map(|value| flag(base.clone(), value).shown());
            assert_ne!(typed[0], typed[1], "{place} is ignored");
            assert_ne!(typed[1], typed[2], "{place} is ignored");
            assert_ne!(typed[0], base.shown(), "{place} is ignored");
            assert_eq!(file(base.clone(), c).shown(), typed[2], "{place} in the file");
            assert_eq!(env(file(base.clone(), c), b).shown(), typed[1], "{place}: env over file");
            let all = flag(env(file(base.clone(), c), b), a);
            assert_eq!(all.shown(), typed[0], "{place}: flag over all");
        }
    }
}

#[test]
fn what_ask_was_told_is_known_with_its_place() {
    let written = World::of("ask")
        .var("PINCLEAN_SET", "ties=one, count=rows")
        .toml("[ask]\nsave = \"answers\"\nformat = \"csv\"\n");
    let ask = |world: &World| match world.resolve().unwrap().1 {
        Command::Ask(ask) => ask,
        other => panic!("{other:?}"),
    };
    let Ask { set, save, format, .. } = ask(&written);
    let (set, save, format) = (set.unwrap(), save.unwrap(), format.unwrap());
    let values = [("ties", "one"), ("count", "rows")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!((set.values.as_slice(), set.typed), (values.as_slice(), false));
    assert_eq!(set.origin, "PINCLEAN_SET");
    assert_eq!((save.rank, save.origin.as_str()), (Rank::Table, "pinclean.toml:3:8: save"));
    assert_eq!((format.rank, format.origin.as_str()), (Rank::Table, "pinclean.toml:4:10: format"));
    let typed = written.arg("--set=ties=all").arg("--save=x").arg("--format=json");
    let Ask { set, save, format, .. } = ask(&typed);
    let (set, save, format) = (set.unwrap(), save.unwrap(), format.unwrap());
    assert_eq!((set.values.len(), set.typed, set.origin.as_str()), (1, true, "--set"));
    assert_eq!((save.rank, save.origin.as_str()), (Rank::Flag, "--save"));
    assert_eq!((format.rank, format.origin.as_str()), (Rank::Flag, "--format"));
}

#[test]
fn every_switch_comes_from_flag_over_environment_over_file() {
    for option in cli::options().into_iter().filter(|o| o.kind == Kind::Switch) {
        for command in commands_of(&option) {
            let base = World::of(&command);
            let variable = variable(&option, &command);
            let file = |value| base.clone().table(&command, &option, value);
            let place = format!("{command} --{}", option.name);
            let off = base.shown();
            let on = base.clone().arg(&format!("--{}", option.flag)).shown();

            assert_ne!(on, off, "{place} is ignored");
            assert_eq!(file("true").shown(), on, "{place} in the file");
            assert_eq!(base.clone().var(&variable, "yes").shown(), on, "{place}: env");
            assert_eq!(file("true").var(&variable, "no").shown(), off, "{place}: env over file");
            let all = file("false").var(&variable, "0").arg(&format!("--{}", option.flag));
            assert_eq!(all.shown(), on, "{place}: flag over all");
        }
    }
}

#[test]
fn a_key_at_the_top_level_holds_for_every_command_that_has_the_option() {
    let apart = ["bucket", "source"];
    for option in cli::options() {
        let command = option.command.as_deref().unwrap_or_default();
        let own = layers::APART.contains(&(command, option.name.as_str()));
        if own || WORDS.contains(&option.name.as_str()) || apart.contains(&option.name.as_str()) {
            continue;
        }
        let value = match option.kind {
            Kind::Switch => "true",
            _ => samples(&option.name)[0],
        };
        for command in commands_of(&option) {
            let base = World::of(&command);
            let top = base.clone().toml(&line(&option, value));
            let table = base.table(&command, &option, value);
            assert_eq!(top.shown(), table.shown(), "{command} --{}", option.name);
        }
    }
}

#[test]
fn the_folder_of_the_tables_is_never_the_file_that_init_writes() {
    let init = World::of("init");
    let unset = init.shown();
    assert_eq!(init.clone().toml("out = \"clean\"\n").shown(), unset);
    assert_eq!(init.var("PINCLEAN_OUT", "clean").shown(), unset);
}

#[test]
fn a_commands_table_wins_over_the_top_level_and_no_other_command_sees_it() {
    let run = World::of("run")
        .toml("concurrency = 2\n[run]\nconcurrency = 3\n[emulate]\nconcurrency = 4\n");
    assert_eq!(run.run().concurrency, 3);
    let run = World::of("run").toml("concurrency = 2\n[emulate]\nconcurrency = 4\n");
    assert_eq!(run.run().concurrency, 2);
}

#[test]
fn words_are_looked_up() {
    for (world, expected) in [
        (World::of("run").arg("--log=json"), (ProgressMode::Auto, LogFormat::Json)),
        (World::of("check").var("PINCLEAN_LOG", "json"), (ProgressMode::Auto, LogFormat::Json)),
        (World::of("run").toml("log = \"text\""), (ProgressMode::Auto, LogFormat::Text)),
        (World::of("run").arg("--progress=never"), (ProgressMode::Never, LogFormat::Text)),
        (World::of("run").toml("progress = \"always\""), (ProgressMode::Always, LogFormat::Text)),
    ] {
        let ui = world.resolve().unwrap().0;
        assert_eq!((ui.progress, ui.log), expected);
    }
    for (name, format) in [("parquet", Format::Parquet), ("delta", Format::Delta)] {
        assert_eq!(World::of("run").var("PINCLEAN_FORMAT", name).run().format, format);
    }
}

#[test]
fn the_words_that_shells_complete_are_those_that_are_taken() {
    let mut seen = Vec::new();
    for option in cli::options().into_iter().filter(|option| !option.words.is_empty()) {
        for command in commands_of(&option) {
            let given = |word: &str| {
                let world = World::of(&command).arg(&format!("--{}={word}", option.flag));
                // Parquet is for files.
                if (command.as_str(), option.name.as_str()) == ("query", "format") {
                    world.arg("--save=a")
                } else {
                    world
                }
            };
            for word in &option.words {
                assert!(given(word).resolve().is_ok(), "{command} --{} {word}", option.flag);
            }
            let refused = given("other").error().replace('`', "");
            assert!(
                refused.starts_with(&format!("--{}: \"other\" is no", option.flag)),
                "{refused}"
            );
            let all = format!(" {}", option.words.join(", "));
            assert!(refused.ends_with(&all), "{command}: {refused}");
        }
        seen.push(option.name);
    }
    for name in ["log", "format", "mode", "progress", "partitioner"] {
        assert!(seen.iter().any(|seen| seen == name), "--{name}: {seen:?}");
    }
}

#[test]
fn completions_are_for_the_shells_that_are_known() {
    let of = |shell: &str| World {
        args: ["pinclean", "completions", shell].map(String::from).into(),
        ..World::of("check")
    };
    for (word, shell) in [
        ("bash", Shell::Bash),
        ("zsh", Shell::Zsh),
        ("fish", Shell::Fish),
        ("elvish", Shell::Elvish),
        ("powershell", Shell::PowerShell),
    ] {
        assert!(
            matches!(of(word).resolve().unwrap().1, Command::Completions(s) if s == shell),
            "{word}"
        );
    }
    let known = "SHELL: \"tcsh\" is not one of: bash, zsh, fish, elvish, powershell";
    assert_eq!(of("tcsh").error(), known);
}

#[test]
fn an_error_names_where_the_value_came_from() {
    let cases = [
        (World::of("run").arg("--memory=12q"), "--memory: \"12q\" is not a size"),
        (World::of("run").var("PINCLEAN_MEMORY", "1m"), "PINCLEAN_MEMORY: \"1m\" is too little"),
        (
            World::of("run").toml("memory = \"x\""),
            "pinclean.toml:2:10: memory: \"x\" is not a size",
        ),
        (
            World::of("run").arg("--concurrency=0"),
            "--concurrency: \"0\" is not a whole number from 1 to 4096",
        ),
        (World::of("run").arg("--format=csv"), "--format: \"csv\" is not one of: delta, parquet"),
        (World::of("run").arg("--lookback=7"), "--lookback: \"7\" is not a span of time"),
        (World::of("run").toml("format = \"csv\""), "pinclean.toml:2:10: format: \"csv\" is not"),
        (World::of("run").var("PINCLEAN_FULL", "maybe"), "PINCLEAN_FULL: \"maybe\" is neither"),
        (World::of("run").var("PINCLEAN_FULL", ""), "PINCLEAN_FULL: \"\" is neither"),
        (World::of("run").var("PINCLEAN_OUT", ""), "PINCLEAN_OUT: is empty"),
        (World::of("run").var("PINCLEAN_TOPIC", "a,,b"), "PINCLEAN_TOPIC: is empty"),
        (World::of("run").arg("--topic=a["), "--topic: \"a[\" is not a glob"),
        (World::of("run").arg("--bucket=s3://b"), "--bucket: \"s3://b\" is a URL"),
        (World::of("run").arg("--log=xml"), "--log: \"xml\" is not one of: text, json"),
        (World::of("emulate").arg("--user=a/b"), "--user: \"a/b\" cannot start a topic's name"),
        (World::of("emulate").arg("--bad-rate=2"), "--bad-rate: \"2\" is not a share"),
        (
            World::of("run").arg("--mode=replace"),
            "--mode: \"replace\" is not one of: append, overwrite",
        ),
        (
            World::of("run").var("PINCLEAN_OPTIMIZE_AFTER", "0"),
            "PINCLEAN_OPTIMIZE_AFTER: \"0\" is not a whole number from 1",
        ),
        (World::of("optimize").arg("--tables="), "--tables: is empty"),
        (World::of("history").var("PINCLEAN_OUT", ""), "PINCLEAN_OUT: is empty"),
        (World::of("optimize").arg("Pin"), "TABLE: \"Pin\" is no table's name"),
        (World::of("optimize").arg("--target-size=128"), "--target-size: \"128\" is too little"),
        (World::of("optimize").toml("[optimize]\nsort = ''"), "pinclean.toml:3:8: sort: is empty"),
        (World::of("replay").arg("--memory=1m"), "--memory: \"1m\" is too little: 64MiB"),
        (World::of("replay").arg("--report=s3://b/r"), "--report: \"s3://b/r\" is a URL"),
        (World::of("history").arg("--limit=0"), "--limit: \"0\" is not a whole number from 1"),
        (World::of("vacuum").arg("--retain=7"), "--retain: \"7\" is not a span of time"),
        (World::of("run").arg("-qv"), "--quiet and --verbose contradict each other"),
    ];
    for (world, expected) in cases {
        let message = world.error();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn source_and_bucket_contradict_each_other_only_in_one_layer() {
    let both = World::of("run").arg("--source=a").arg("--bucket=abc");
    assert!(both.error().starts_with("--source and --bucket contradict"), "{}", both.error());
    let bucket = World::of("run").var("PINCLEAN_SOURCE", "a").arg("--bucket=abc");
    assert_eq!(bucket.run().source, "s3://abc");
    let source = World::of("run").var("PINCLEAN_BUCKET", "abc").arg("--source=a");
    assert_eq!(source.run().source, "a");
    let neither = World { file: String::new(), ..World::of("run") };
    assert!(neither.error().contains("--bucket NAME or --source URL"));
}

#[test]
fn quiet_and_verbose_follow_the_higher_layer() {
    let world = World::of("run").toml("quiet = true").arg("-v");
    let ui = world.resolve().unwrap().0;
    assert_eq!((ui.quiet, ui.verbose), (false, true));
}

#[test]
fn topics_are_separated_by_commas_in_the_environment() {
    let topics = World::of("run").var("PINCLEAN_TOPIC", "*.pin, *.geo").run().topics;
    let patterns: Vec<_> = topics.iter().map(|topic| topic.pattern.as_str()).collect();
    assert_eq!(patterns, ["*.pin", "*.geo"]);
}

#[test]
fn a_blank_topics_dir_can_be_given_in_every_layer() {
    for world in [
        World::of("run").arg("--topics-dir="),
        World::of("run").var("PINCLEAN_TOPICS_DIR", ""),
        World::of("run").toml("topics_dir = ''"),
    ] {
        assert_eq!(world.run().layout.topics_dir, "");
    }
}

#[test]
fn what_is_not_given_has_its_default() {
    let run = World::of("run").run();
    assert_eq!(run.source, "base");
    assert_eq!(run.out, "./clean");
    assert_eq!(run.layout, Layout { topics_dir: "topics".into(), file_delim: "+".into() });
    assert_eq!((run.memory, run.concurrency, run.mode), (256 << 20, 512, Mode::Append));
    assert_eq!((run.format, run.optimize_after), (Format::Delta, None));
    assert_eq!(run.lookback.as_secs(), 7 * 86_400);
    assert!(run.topics.is_empty() && run.max_rejects.is_none() && run.transforms.is_none());
}

#[test]
fn check_takes_the_transforms_that_run_would_take() {
    let transforms = |world: World| match world.resolve().unwrap().1 {
        Command::Check(check) => check.transforms,
        other => panic!("{other:?}"),
    };
    let world = World::of("check").toml("transforms = 'mine'");
    assert_eq!(transforms(world.clone()), Some("mine".into()));
    assert_eq!(transforms(world.arg("other")), Some("other".into()));
    assert_eq!(transforms(World::of("check")), None);
}

#[test]
fn init_refuses_what_cannot_be_a_topic() {
    let mut world = World::of("init");
    world.args[2] = "a+b".to_owned();
    assert!(world.error().contains("\"a+b\" cannot be a topic's name"));
}

#[test]
fn full_is_mode_overwrite_and_the_higher_layer_wins() {
    let run = || World::of("run");
    for (world, expected) in [
        (run(), Mode::Append),
        (run().arg("--full"), Mode::Overwrite),
        (run().arg("--mode=overwrite"), Mode::Overwrite),
        (run().arg("--mode=overwrite").arg("--full"), Mode::Overwrite),
        (run().arg("--mode=append").var("PINCLEAN_FULL", "yes"), Mode::Append),
        (run().arg("--full").var("PINCLEAN_MODE", "append"), Mode::Overwrite),
        (run().var("PINCLEAN_MODE", "append").toml("full = true"), Mode::Append),
        (run().var("PINCLEAN_MODE", "append").var("PINCLEAN_FULL", "no"), Mode::Append),
        (run().toml("full = true\n[run]\nmode = 'append'"), Mode::Append),
        (run().toml("mode = 'overwrite'\nfull = false"), Mode::Overwrite),
        (run().var("PINCLEAN_FULL", "no").toml("mode = 'overwrite'"), Mode::Overwrite),
    ] {
        assert_eq!(world.run().mode, expected, "{world:?}");
    }
    let both = run().arg("--mode=append").arg("--full").error();
    assert!(both.starts_with("--mode append and --full contradict each other"), "{both}");
    let wrong = run().arg("--full").var("PINCLEAN_MODE", "x").error();
    assert!(wrong.starts_with("PINCLEAN_MODE: \"x\" is not one of"), "{wrong}");
}

fn tables(world: &World) -> Tables {
    match world.resolve().unwrap().1 {
        Command::Optimize(optimize) => optimize.tables,
        Command::Vacuum(vacuum) => vacuum.tables,
        Command::Replay(replay) => replay.tables,
        Command::History(history) => history.tables,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_tables_are_where_run_puts_them() {
    for command in ["optimize", "vacuum", "replay", "history"] {
        let world = World::of(command);
        assert_eq!(tables(&world).url, World::of("run").run().out, "{command}");
        assert!(tables(&world).names.is_empty(), "{command}");
        let world = world.toml("out = 's3://lake/clean'\nregion = 'eu-west-1'\n[run]\nout = 'c'");
        assert_eq!(tables(&world).url, "s3://lake/clean", "{command}");
        assert_eq!(tables(&world).s3.region.as_deref(), Some("eu-west-1"), "{command}");
        let world = world.arg("pin").arg("geo").arg("--tables=d").arg("pin");
        assert_eq!(tables(&world).url, "d", "{command}");
        assert_eq!(tables(&world).names, ["pin", "geo"], "{command}");
    }
}

#[test]
fn what_is_not_given_of_finished_tables_has_its_default() {
    let Command::Optimize(optimize) = World::of("optimize").resolve().unwrap().1 else { panic!() };
    assert_eq!((optimize.target_size, optimize.memory), (128 << 20, 256 << 20));
    assert_eq!(optimize.sort, None);
    let Command::Replay(replay) = World::of("replay").resolve().unwrap().1 else { panic!() };
    assert_eq!((replay.memory, replay.transforms, replay.report), (256 << 20, None, None));
    let Command::History(history) = World::of("history").resolve().unwrap().1 else { panic!() };
    assert_eq!((history.limit, history.json), (20, false));
}

fn vacuum(world: &World) -> Vacuum {
    match world.resolve().unwrap().1 {
        Command::Vacuum(vacuum) => vacuum,
        other => panic!("{other:?}"),
    }
}

#[test]
fn vacuum_keeps_seven_days_unless_it_is_forced() {
    const DAY: u64 = 86_400;
    let world = World::of("vacuum");
    let retain = |world: World| vacuum(&world).retain.as_secs();
    assert_eq!(retain(world.clone()), 7 * DAY);
    assert_eq!(retain(world.clone().arg("--retain=168h")), 7 * DAY);
    assert_eq!(retain(world.clone().arg("--retain=30d").arg("--force")), 30 * DAY);
    assert_eq!(retain(world.clone().arg("--retain=0s").arg("--force")), 0);
    assert_eq!(retain(world.clone().arg("--retain=6d").var("PINCLEAN_VACUUM_FORCE", "1")), 6 * DAY);
    for given in [
        world.clone().arg("--retain=604799s"),
        world.clone().arg("--retain=0d").arg("--dry-run"),
        world.clone().var("PINCLEAN_RETAIN", "6d"),
        // `force` of `init` is about a file.
        world.clone().arg("--retain=6d").var("PINCLEAN_FORCE", "yes"),
        world.clone().arg("--retain=6d").toml("force = true"),
    ] {
        let message = given.error();
        assert!(message.contains("is less than 7d: files that a running job"), "{message}");
        assert!(message.contains("--force"), "{message}");
    }
}
