//! What a run says when S3 refuses, and the way out that it names.

use std::time::Duration;

use super::world::{LAKE, OUT, Pinclean, World};
use crate::s3::{BucketOptions, Fault, Op, Rule};
use crate::table::Format;

const LAYOUT: [&str; 2] = ["--rows", "3"];
const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// A bucket of this kind, filled, called `special`.
fn special(world: &World, options: BucketOptions) {
    world.server.create_bucket_with("special", options);
    let folder = world.emulate("bucket", &LAYOUT);
    world.server.load_folder("special", &folder);
}

fn run_special(world: &World) -> Pinclean {
    let out = world.path("clean");
    world.run_from(&["--bucket", "special"], out.to_str().unwrap())
}

#[test]
fn a_wrong_region_names_the_right_one_which_then_works() {
    let world = World::new();
    special(&world, BucketOptions { region: "eu-west-1".into(), ..BucketOptions::default() });
    for (used, run) in [
        ("us-west-2", run_special(&world).args(["--region", "us-west-2"])),
        ("us-east-1", run_special(&world).env("AWS_REGION", "us-east-1")),
        ("us-east-1", run_special(&world)),
    ] {
        let expected = format!(
            "error: bucket special is in region eu-west-1, not {used}: \
             run again with --region eu-west-1\n"
        );
        assert_eq!(run.failed(1), expected);
    }
    run_special(&world).args(["--region", "eu-west-1"]).done();
}

#[test]
fn a_missing_bucket_is_named_as_source_and_as_output() {
    let world = World::new();
    world.fill(&LAYOUT);
    let told = world.run_from(&["--bucket", "lakes"], "s3://tables").failed(1);
    insta::assert_snapshot!(told, @r"
    error: there is no bucket lakes: check its name and the account of the credentials
      caused by: S3 answered 404 NoSuchBucket: The specified bucket does not exist
    ");
    let told = world.run("s3://table").failed(1);
    insta::assert_snapshot!(told, @r"
    error: there is no bucket table: check its name and the account of the credentials
      caused by: S3 answered 404 NoSuchBucket: The specified bucket does not exist
    ");
}

#[test]
fn what_may_not_be_deleted_is_told_and_stops_nothing() {
    let world = World::new();
    world.fill(&LAYOUT);
    for op in [Op::Delete, Op::DeleteMany] {
        world.server.faults().add(Rule::new(Fault::AccessDenied).on(op).in_bucket(OUT));
    }
    let told = world.run("s3://tables").done().stderr;
    let expected =
        "the probe stays: s3:DeleteObject is not allowed on s3://tables/_pinclean/probe-";
    assert!(told.contains(expected), "{told}");
    assert_eq!(world.server.keys(OUT, "_pinclean/").len(), 1);
}

#[test]
fn a_missing_permission_names_the_action_and_the_place() {
    Format::BOTH.into_iter().for_each(missing_permissions_are_named);
}

fn missing_permissions_are_named(format: Format) {
    let object = "topics/5f1c0d9a77b3.pin/partition=0/5f1c0d9a77b3.pin+0+0000000001.json";
    let (log, commit) = (format.commits("pin"), format.first_commit("user"));
    let cases = [
        (Op::List, LAKE, "", "s3:ListBucket is not allowed on s3://lake/topics/:"),
        (Op::Get, LAKE, object, &format!("s3:GetObject is not allowed on s3://lake/{object}:")),
        (
            Op::List,
            OUT,
            "pin/",
            &format!("s3:ListBucket is not allowed on s3://tables/{}:", log.trim_end_matches('/')),
        ),
        (
            Op::Put,
            OUT,
            "pin/",
            "s3:PutObject is not allowed on s3://tables/pin/5f1c0d9a77b3.pin+0+",
        ),
        (
            Op::Put,
            OUT,
            &format.commits("user"),
            &format!("s3:PutObject is not allowed on s3://tables/{commit}:"),
        ),
        (Op::Put, OUT, "_runs/", "s3:PutObject is not allowed on s3://tables/_runs/"),
    ];
    let world = World::of(format);
    world.fill(&LAYOUT);
    for (op, bucket, prefix, expected) in cases {
        for key in world.server.keys(OUT, "") {
            world.server.delete(OUT, &key);
        }
        world.server.faults().clear();
        let denied = Rule::new(Fault::AccessDenied).on(op).in_bucket(bucket).under(prefix);
        world.server.faults().add(denied);
        let told = world.run("s3://tables").failed(1);
        // Tables that were committed before are told first.
        assert!(told.lines().any(|line| line.starts_with(&format!("error: {expected}"))), "{told}");
        assert!(told.contains("or use others with --profile\n"), "{told}");
        assert!(told.contains("caused by: S3 answered 403 AccessDenied: Access Denied"), "{told}");
    }
    // A commit that may not be read cannot be told from one that is not there.
    world.server.faults().clear();
    world.run("s3://tables").done();
    world.server.faults().add(Rule::new(Fault::AccessDenied).on(Op::Get).in_bucket(OUT));
    let told = world.run("s3://tables").failed(1);
    let place = match format {
        Format::Delta => "geo/_delta_log".to_owned(),
        Format::Parquet => format.first_commit("geo"),
    };
    assert_eq!(
        told,
        format!(
            "error: s3:GetObject is not allowed on s3://tables/{place}: grant s3:GetObject to \
             these credentials, or use others with --profile\n  caused by: S3 answered 403 \
             AccessDenied: Access Denied (if the requester pays for the bucket, add \
             --request-payer)\n"
        )
    );
}

#[test]
fn no_credentials_and_wrong_ones_name_the_ways_to_give_some() {
    let world = World::new();
    world.fill(&LAYOUT);
    let ended = world.run("s3://tables").without(&KEYS).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.time < Duration::from_secs(15), "{:?}", ended.time);
    insta::assert_snapshot!(ended.stderr, @r"
    error: no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, --profile or AWS_PROFILE, run `aws sso login`, or use --no-sign-request for a public bucket
      caused by: the credential provider was not enabled: no credentials found in chain. Attempted:
      Environment: the credential provider was not enabled: environment variable not set
      Profile: the credential provider was not enabled
      WebIdentityToken: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set
      EcsContainer: the credential provider was not enabled: ECS provider not configured
      Ec2InstanceMetadata: the credential provider was not enabled: IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`
    ");
    let told = world.run("s3://tables").env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN").failed(1);
    insta::assert_snapshot!(told, @r"
    error: no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, --profile or AWS_PROFILE, run `aws sso login`, or use --no-sign-request for a public bucket
      caused by: S3 answered 403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.
    ");
    let told = world.run("s3://tables").env("AWS_SECRET_ACCESS_KEY", "wrong").failed(1);
    insta::assert_snapshot!(told, @r"
    error: no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, --profile or AWS_PROFILE, run `aws sso login`, or use --no-sign-request for a public bucket
      caused by: S3 answered 403 SignatureDoesNotMatch
    ");
}

#[test]
fn an_endpoint_where_nobody_answers_is_given_up_within_seconds() {
    let world = World::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{free}");
    let ended = world.run("s3://tables").args(["--endpoint-url", &endpoint]).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.time < Duration::from_secs(15), "{:?}", ended.time);
    let (told, url) = (&ended.stderr, format!("{endpoint}/tables/geo/_delta_log/_last_checkpoint"));
    assert!(told.starts_with("error: cannot read s3://tables/geo/_delta_log\n"), "{told}");
    assert!(told.contains(&url), "{told}");
    assert!(told.ends_with("caused by: Connection refused (os error 111)\n"), "{told}");
    let unknown = ["--endpoint-url", "http://no-such-host.invalid:9000"];
    let ended = world.run("s3://tables").args(unknown).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.time < Duration::from_secs(30), "{:?}", ended.time);
    assert!(ended.stderr.contains("no-such-host.invalid"), "{}", ended.stderr);
}

#[test]
fn a_requester_pays_bucket_is_read_by_who_says_to_pay() {
    let world = World::new();
    special(&world, BucketOptions { requester_pays: true, ..BucketOptions::default() });
    let told = run_special(&world).failed(1);
    insta::assert_snapshot!(told, @r"
    error: s3:ListBucket is not allowed on s3://special/topics/: grant s3:ListBucket to these credentials, or use others with --profile
      caused by: S3 answered 403 AccessDenied: Access Denied (if the requester pays for the bucket, add --request-payer)
    ");
    run_special(&world).arg("--request-payer").done();
}

#[test]
fn a_public_bucket_is_read_without_credentials() {
    let world = World::new();
    special(&world, BucketOptions { public: true, ..BucketOptions::default() });
    world.server.clear_log();
    run_special(&world).without(&KEYS).arg("--no-sign-request").done();
    assert!(world.server.log().iter().all(|request| !request.signed));
    let told = world.run("s3://tables").arg("--no-sign-request").failed(1);
    insta::assert_snapshot!(told, @r"
    error: s3:GetObject is not allowed on s3://tables/geo/_delta_log: grant s3:GetObject to these credentials, or use others with --profile
      caused by: S3 answered 403 AccessDenied: Access Denied (the bucket is not public: leave out --no-sign-request)
    ");
}

#[test]
fn a_store_that_does_not_heed_conditions_is_refused_and_left_empty() {
    for format in Format::BOTH {
        let world = World::of(format);
        world.fill(&["--rows", "30", "--bad-rate", "10%"]);
        let options = BucketOptions { careless: true, ..BucketOptions::default() };
        world.server.create_bucket_with("careless", options);
        let told = world.run("s3://careless/tables").failed(1);
        assert_eq!(
            told,
            "error: s3://careless/tables does not honour conditional puts (If-None-Match), and \
             two runs could commit the same version (it put an object twice that was to be put \
             only once): nothing was committed; use a store that does\n"
        );
        assert_eq!(world.server.keys("careless", ""), [""; 0]);
        assert_eq!(world.open_uploads(), 0);
    }
}
