//! The pages in `deploy/`: their commands are run in the order in which they are read,
//! each page as one script, with stand-ins for what there is no server of here.

mod stand_ins;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;

use super::named;
use crate::command::said;
use crate::readme::markdown::{Document, code, repository};
use crate::readme::world::{World, copy};

const PAGES: [&str; 7] = [
    "deploy/README.md",
    "deploy/airflow/README.md",
    "deploy/cron/README.md",
    "deploy/docker/README.md",
    "deploy/ecs/README.md",
    "deploy/kubernetes/README.md",
    "deploy/systemd/README.md",
];

/// A clone with all that the pages name, and stand-ins for the programs.
fn world() -> World {
    let world = World::new();
    copy(&repository().join("deploy"), &world.folder().join("deploy"));
    for file in ["Dockerfile", ".dockerignore"] {
        fs::copy(repository().join(file), world.folder().join(file)).unwrap();
    }
    for (name, script) in stand_ins::ALL {
        world.program(name, script);
    }
    world
}

/// The commands of a page.
fn script(path: &'static str) -> String {
    let blocks = Document::read(path).blocks().into_iter();
    let typed = blocks.filter(|block| block.language == "sh").map(|block| block.text);
    typed.collect()
}

/// Runs a page. Returns the reports of its runs, which must have committed rows.
fn follow(world: &World, path: &'static str, script: &str) -> Vec<Value> {
    let output = world.shell(script);
    assert!(output.status.success(), "{path}: {}", said(&output));
    let reports = world.reports();
    for report in &reports {
        assert_eq!(report["outcome"], "committed", "{path}: {report:#}");
        let written = report["tables"]["pin"]["records_written"].as_u64();
        assert!(written > Some(0), "{path}: {report:#}");
    }
    reports
}

#[test]
fn the_pages_of_docker_and_systemd_lead_to_a_run() {
    for (path, runs) in [("deploy/docker/README.md", 2), ("deploy/systemd/README.md", 1)] {
        let reports = follow(&world(), path, &script(path));
        assert_eq!(reports.len(), runs, "{path}");
    }
}

#[test]
fn the_page_of_cron_leads_to_a_run_by_hand_and_one_by_each_crontab() {
    let path = "deploy/cron/README.md";
    let world = world();
    assert_eq!(follow(&world, path, &script(path)).len(), 1);
    let entry = Regex::new(r"^(?:[0-9*]+ ){5} *(.+)$").unwrap();
    let bare_percent = Regex::new(r"(^|[^\\])%").unwrap();
    let blocks = Document::read(path).blocks().into_iter();
    let mut entries = 0;
    for line in blocks.filter(|block| block.language == "cron").flat_map(|block| {
        let lines: Vec<String> = block.text.lines().map(str::to_owned).collect();
        lines
    }) {
        if line.starts_with("MAILTO=") {
            continue;
        }
        let command = &entry.captures(&line).unwrap_or_else(|| panic!("{path}: {line}"))[1];
        assert!(!bare_percent.is_match(command), "{path}: cron ends the line at %: {line}");
        let command = command.replace(r"\%", "%").replace("/usr/local/bin/", "");
        let output = world.shell(&command);
        assert!(output.status.success(), "{line}: {}", said(&output));
        // What is quiet sends no mail.
        let quiet = output.stdout.is_empty() && output.stderr.is_empty();
        assert!(quiet || !line.contains("--quiet"), "{line}: {}", said(&output));
        entries += 1;
    }
    assert_eq!(entries, 4);
}

#[test]
fn the_page_of_kubernetes_is_what_kubectl_and_aws_take() {
    let path = "deploy/kubernetes/README.md";
    let Some(aws) = Aws::start() else { return };
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("skipped: there is no kubectl");
        return;
    }
    let world = world();
    aws.put_into(&world);
    follow(&world, path, &script(path));
}

#[test]
fn the_page_of_ecs_sets_up_a_schedule() {
    let path = "deploy/ecs/README.md";
    let Some(aws) = Aws::start() else { return };
    let world = world();
    aws.put_into(&world);
    // A network that is there, in place of the one that the page invents.
    let network = "export SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId')\n\
        export GROUP=$(aws ec2 describe-security-groups --query 'SecurityGroups[0].GroupId')\n";
    let page = script(path)
        .replace("'awsvpcConfiguration=", "awsvpcConfiguration=")
        .replace("]}'", "]}")
        .replace("[subnet-0123456789abcdef0]", "[$SUBNET]")
        .replace("[sg-0123456789abcdef0]", "[$GROUP]");
    assert!(page.contains("$SUBNET") && page.contains("$GROUP"), "{page}");
    let there = "aws scheduler get-schedule --name pinclean --query Target.Arn >&2\n\
        aws events list-targets-by-rule --rule pinclean-failed --query 'Targets[0].Arn' >&2\n";
    let output = world.shell(&format!("{network}{page}{there}"));
    assert!(output.status.success(), "{path}: {}", said(&output));
    let asked = String::from_utf8_lossy(&output.stderr);
    assert!(asked.contains(":cluster/pinclean") && asked.contains(":pinclean-failed"), "{asked}");
}

#[test]
fn the_page_of_airflow_leads_to_a_dag_that_runs() {
    let path = "deploy/airflow/README.md";
    let Some(airflow) = named("PINCLEAN_AIRFLOW", "Airflow") else { return };
    let world = world();
    // The environment is made already: it takes minutes.
    let bin = airflow.parent().unwrap();
    world.program(
        "python3.11",
        &format!("mkdir -p \"$3/bin\" && ln -s \"{}\"/* \"$3/bin\"", bin.display()),
    );
    let page = script(path).replace("airflow-venv/bin/pip install ", "test -s requirements.txt ");
    let page = page.replace("test -s requirements.txt --requirement ", "test -s ");
    let reports = follow(&world, path, &page);
    assert_eq!(reports.len(), 1);
    assert!(world.server.keys("lake", "clean/_answers/").len() >= 8);
}

/// A server that speaks the interfaces of AWS, and the program `aws` that speaks to it.
struct Aws {
    server: Child,
    endpoint: String,
    program: PathBuf,
}

impl Aws {
    fn start() -> Option<Aws> {
        let python = named("PINCLEAN_DEPLOY_PYTHON", "Python with moto and awscli")?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port().to_string();
        let bin = python.parent().unwrap();
        let server = Command::new(bin.join("moto_server"))
            .args(["-p", &port])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let endpoint = format!("http://127.0.0.1:{port}");
        let aws = Aws { server, endpoint, program: bin.join("aws") };
        let patience = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            assert!(Instant::now() < patience, "moto does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(aws)
    }

    fn put_into(&self, world: &World) {
        let (program, endpoint) = (self.program.display(), &self.endpoint);
        let script = format!(
            "export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_DEFAULT_REGION=eu-west-1\n\
             exec \"{program}\" --endpoint-url {endpoint} --output text \"$@\""
        );
        world.program("aws", &script);
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        _ = self.server.kill();
        _ = self.server.wait();
    }
}

#[test]
fn what_the_pages_name_is_there() {
    let known: Vec<String> = pinclean::cli::options().into_iter().map(|o| o.name).collect();
    let option = Regex::new(r"--([a-z][a-z0-9-]*)").unwrap();
    for path in PAGES {
        let document = Document::read(path);
        let folder = repository().join(path);
        for link in document.local_links() {
            assert!(folder.parent().unwrap().join(&link).exists(), "{path}: {link}");
        }
        let prose = document.prose();
        let spans = code(&prose).into_iter().filter(|span| !span.starts_with("--env"));
        for found in spans.flat_map(|span| option.captures_iter(span)) {
            // Here `--tables` is the flag of the setting `out`.
            let ours = &found[1] == "tables" || known.iter().any(|name| *name == found[1]);
            assert!(ours, "{path}: {}", &found[0]);
        }
    }
}

#[test]
fn each_page_says_what_each_exit_code_does() {
    let mut pages = 0;
    for path in PAGES.into_iter().filter(|path| Document::read(path).text.contains("| exit code")) {
        let rows = Document::read(path).table("exit code");
        let codes: Vec<&str> = rows.iter().flat_map(|row| row[0].split(", ")).collect();
        for code in ["0", "1", "2", "3", "75", "143"] {
            assert!(codes.contains(&code), "{path}: {code}");
        }
        pages += 1;
    }
    assert_eq!(pages, 5);
}
