//! Where credentials, region and endpoint are found.

use super::world::{Pinclean, World};
use crate::s3::{ACCESS_KEY, BucketOptions, SECRET_KEY};

const VARIABLES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"];

/// A bucket in another region than the first.
fn world() -> World {
    let world = World::new();
    let options = BucketOptions { region: "eu-west-1".into(), ..BucketOptions::default() };
    world.server.create_bucket_with("far", options);
    let folder = world.emulate("bucket", &["--rows", "3"]);
    world.server.load_folder("far", &folder);
    world
}

/// A run with these AWS files and nothing of AWS in the environment.
fn run(world: &World, config: &str, credentials: &str) -> Pinclean {
    let files = ["config", "credentials"].map(|name| world.path(name));
    std::fs::write(&files[0], config).unwrap();
    std::fs::write(&files[1], credentials).unwrap();
    let out = world.path("clean");
    let run = world.run_from(&["--bucket", "far"], out.to_str().unwrap()).without(&VARIABLES);
    run.env("AWS_CONFIG_FILE", &files[0]).env("AWS_SHARED_CREDENTIALS_FILE", &files[1])
}

fn keys(profile: &str) -> String {
    format!("[{profile}]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
}

#[test]
fn a_profile_gives_keys_region_and_endpoint() {
    let world = world();
    let endpoint = world.server.endpoint();
    let plain = format!("[profile night]\nregion = eu-west-1\nendpoint_url = {endpoint}\n");
    let of_s3 = format!(
        "[profile night]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\nservices = mine\n\
         [services mine]\ns3 =\n  endpoint_url = {endpoint}\n"
    );
    for config in [plain, of_s3] {
        run(&world, &config, &keys("night")).args(["--profile", "night"]).done();
        run(&world, &config, &keys("night")).env("AWS_PROFILE", "night").done();
        // It wins over keys in the environment.
        let run = run(&world, &config, &keys("night")).args(["--profile", "night"]);
        run.env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_SECRET_ACCESS_KEY", "other").done();
    }
}

#[test]
fn a_profile_that_is_not_there_is_named() {
    let world = world();
    let endpoint = world.server.endpoint();
    let told = run(&world, "", &keys("night"))
        .args(["--profile", "nihgt", "--region", "eu-west-1", "--endpoint-url", &endpoint])
        .failed(1);
    insta::assert_snapshot!(told, @r"
    error: no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, --profile or AWS_PROFILE, run `aws sso login`, or use --no-sign-request for a public bucket
      caused by: the credential provider was not enabled: profile `nihgt` was not defined: could not find source profile nihgt referenced from the root profile
    ");
}

#[test]
fn a_profile_is_named_where_there_are_no_aws_files_at_all() {
    let world = world();
    let out = world.path("clean");
    let run = world.run_from(&["--bucket", "far"], out.to_str().unwrap()).without(&VARIABLES);
    let nowhere = world.path("none");
    let run = run.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
    let told = run.args(["--profile", "night", "--region", "eu-west-1"]).failed(1);
    assert!(told.contains("caused by: profile `night` gives none: "), "{told}");
}

#[test]
fn an_endpoint_is_taken_from_the_variable_for_s3_and_from_the_flag_first() {
    let world = world();
    let endpoint = world.server.endpoint();
    let nowhere = "http://127.0.0.1:1";
    let region = ["--region", "eu-west-1"];
    let run = || run(&world, "", &keys("default")).args(region);
    run().env("AWS_ENDPOINT_URL_S3", &endpoint).env("AWS_ENDPOINT_URL", nowhere).done();
    run().env("AWS_ENDPOINT_URL_S3", nowhere).args(["--endpoint-url", &endpoint]).done();
    run().env("PINCLEAN_ENDPOINT_URL", &endpoint).arg("--path-style").done();
}
