//! The permissions in `deploy/iam/policy.json`: what a run asks for is allowed.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::readme::markdown::repository;
use crate::readme::world::World;
use crate::s3::{Op, Request};

/// The permission that a request takes ("Actions, resources, and condition keys for
/// Amazon S3" in the Service Authorization Reference).
fn action(op: Op) -> &'static str {
    match op {
        Op::List | Op::HeadBucket => "s3:ListBucket",
        Op::Get | Op::Head => "s3:GetObject",
        Op::Put | Op::CreateUpload | Op::UploadPart | Op::CompleteUpload => "s3:PutObject",
        Op::Delete | Op::DeleteMany => "s3:DeleteObject",
        Op::AbortUpload => "s3:AbortMultipartUpload",
        Op::Tags => "s3:GetObjectTagging",
        Op::ListParts => "s3:ListMultipartUploadParts",
        Op::CreateBucket => "s3:CreateBucket",
        Op::BucketLocation => "s3:GetBucketLocation",
        Op::Other => "unknown",
    }
}

/// The keys of a `DeleteObjects` are in its body, which the log does not have: those of
/// the tables, as there is nothing else that is deleted.
fn resource(request: &Request) -> String {
    let key = match (&request.key, request.op) {
        (Some(key), _) => format!("/{key}"),
        (None, Op::DeleteMany) => "/clean/*".to_owned(),
        (None, _) => String::new(),
    };
    format!("arn:aws:s3:::{}{key}", request.bucket)
}

/// The pairs of action and resource that a policy allows.
fn allowed() -> Vec<(String, String)> {
    let policy = fs::read(repository().join("deploy/iam/policy.json")).unwrap();
    let policy: Value = serde_json::from_slice(&policy).unwrap();
    let mut allowed = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let actions = match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            one => vec![one.clone()],
        };
        let resource = statement["Resource"].as_str().unwrap();
        let text = |action: Value| action.as_str().unwrap().to_owned();
        allowed.extend(actions.into_iter().map(|action| (text(action), resource.to_owned())));
    }
    allowed
}

fn fits(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => resource.starts_with(start),
        None => pattern == resource,
    }
}

#[test]
fn a_run_needs_what_the_policy_allows_and_no_more() {
    let world = World::new();
    let allowed = allowed();
    let run = "pinclean run --bucket user-0a1b2c3d4e5f-bucket --out s3://lake/clean";
    let mut used = BTreeSet::new();
    // The first begins the tables, the second finds nothing new, the third replaces
    // them; then the files that it replaced go.
    let vacuum = "pinclean vacuum --tables s3://lake/clean --retain 0s --force";
    for command in [run, run, &format!("{run} --mode overwrite"), vacuum] {
        world.server.clear_log();
        assert!(world.shell(command).status.success(), "{command}");
        assert!(!world.server.log().is_empty());
        for request in world.server.log() {
            let (action, resource) = (action(request.op), resource(&request));
            let by = allowed.iter().find(|(a, pattern)| a == action && fits(pattern, &resource));
            assert!(by.is_some(), "{command}: {action} on {resource} is not allowed");
            used.extend(by);
        }
    }
    // Of an upload that is given up, which takes a run that fails.
    let rare = "s3:AbortMultipartUpload";
    let idle: Vec<_> = allowed.iter().filter(|one| !used.contains(one) && one.0 != rare).collect();
    assert!(idle.is_empty(), "allowed for nothing: {idle:?}");
}
