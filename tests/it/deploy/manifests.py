"""Checks the manifests in deploy/ against their schemas, without a network. Prints the
command lines of each, as JSON: {"file": [["run", ...], ...]}."""

import json
import pathlib
import sys

import botocore.session
import botocore.validate
import kubernetes_validate
import parliament
import yaml

DEPLOY = pathlib.Path(sys.argv[1]) / "deploy"
VERSION = sys.argv[2]
# The oldest Kubernetes whose podFailurePolicy and timeZone are stable, and the newest known.
KUBERNETES = ["1.31", kubernetes_validate.latest_version()]


def read(path):
    text = (DEPLOY / path).read_text()
    return json.loads(text) if path.endswith(".json") else yaml.safe_load(text)


def kubernetes():
    folder = DEPLOY / "kubernetes"
    kustomization = read("kubernetes/kustomization.yaml")
    assert sorted(kustomization["resources"]) == sorted(
        p.name for p in folder.glob("*.yaml") if p.name != "kustomization.yaml"
    )
    for name in kustomization["resources"]:
        for version in KUBERNETES:
            kubernetes_validate.validate(read(f"kubernetes/{name}"), version, strict=True)
    job = read("kubernetes/cronjob.yaml")["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    [first], [then] = pod["initContainers"], pod["containers"]
    for container in first, then:
        restricted(pod, container)
    assert read("kubernetes/serviceaccount.yaml")["metadata"]["name"] == pod["serviceAccountName"]
    [image] = kustomization["images"]
    assert (image["name"], image["newTag"]) == (first["image"], VERSION) and then["image"] == first["image"]
    retries(job["podFailurePolicy"]["rules"])
    return [first["args"], then["args"]]


def restricted(pod, container):
    """What the Pod Security Standard `restricted` asks for, and a root that is read-only."""
    context = pod["securityContext"]
    assert context["runAsNonRoot"] and context["seccompProfile"]["type"] == "RuntimeDefault"
    own = container["securityContext"]
    assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"]
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert all(set(volume) - {"name"} <= {"configMap"} for volume in pod["volumes"])


def retries(rules):
    """What becomes of an exit code: the first rule that fits."""
    def action(code):
        for rule in rules:
            codes = rule.get("onExitCodes")
            if codes and "containerName" not in codes and code in codes["values"]:
                return rule["action"]
        return "Count"
    found = {code: action(code) for code in (1, 2, 3, 75, 137, 143)}
    assert found == {1: "Count", 2: "FailJob", 3: "FailJob", 75: "Count", 137: "Count",
                     143: "Count"}, found


def ecs():
    session = botocore.session.get_session()
    task = read("ecs/task-definition.json")
    schedule = read("ecs/schedule.json")
    rule = {"Name": "x", "EventPattern": json.dumps(read("ecs/failed-rule.json"))}
    for service, operation, given in [
        ("ecs", "RegisterTaskDefinition", task),
        ("scheduler", "CreateSchedule", schedule),
        ("events", "PutRule", rule),
    ]:
        shape = session.get_service_model(service).operation_model(operation).input_shape
        problems = botocore.validate.ParamValidator().validate(given, shape)
        assert not problems.has_errors(), problems.generate_report()
    target = schedule["Target"]
    assert target["EcsParameters"]["TaskDefinitionArn"].endswith("/" + task["family"])
    first, then = task["containerDefinitions"]
    assert then["dependsOn"] == [{"containerName": first["name"], "condition": "SUCCESS"}]
    for container in first, then:
        assert container["image"].endswith(f":{VERSION}") and container["readonlyRootFilesystem"]
    reserved = [container["memoryReservation"] for container in (first, then)]
    assert sum(reserved) <= int(task["memory"]), "ECS refuses it"
    allowed = {s["Action"]: s["Resource"] for s in read("ecs/schedule-policy.json")["Statement"]}
    assert set(allowed["iam:PassRole"]) == {task["taskRoleArn"], task["executionRoleArn"]}
    assert allowed["sqs:SendMessage"] == target["DeadLetterConfig"]["Arn"]
    assert target["EcsParameters"]["TaskDefinitionArn"] in allowed["ecs:RunTask"]
    return [first["command"], then["command"]]


def policies():
    """Actions that there are, resources that fit them; the policies of trust have none."""
    for path in DEPLOY.rglob("*.json"):
        if path.stem.endswith("policy"):
            findings = parliament.analyze_policy_string(path.read_text()).findings
            assert not findings, (path, [(f.issue, f.detail) for f in findings])
        if path.stem.endswith("trust"):
            [statement] = json.loads(path.read_text())["Statement"]
            assert statement["Action"].startswith("sts:AssumeRole") and statement["Principal"]
            assert statement["Condition"], path


policies()
print(json.dumps({"kubernetes/cronjob.yaml": kubernetes(), "ecs/task-definition.json": ecs()}))
