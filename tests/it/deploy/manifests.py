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
    """What becomes of an exit code, on a node that stays and on one that goes away: the
    first rule that fits."""
    def fits(rule, code, disrupted):
        if conditions := rule.get("onPodConditions"):
            return disrupted and {"type": "DisruptionTarget", "status": "True"} in conditions
        codes = rule["onExitCodes"]
        assert codes["operator"] == "In" and "containerName" not in codes
        return code in codes["values"]
    def action(code, disrupted):
        fitting = (rule["action"] for rule in rules if fits(rule, code, disrupted))
        return next(fitting, "Count")
    found = {code: (action(code, False), action(code, True)) for code in (1, 2, 3, 75, 137, 143)}
    fleeting, final = ("Count", "Ignore"), ("FailJob", "FailJob")
    assert found == {1: fleeting, 2: final, 3: final, 75: fleeting, 137: fleeting,
                     143: fleeting}, found


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
    mails(json.loads(rule["EventPattern"])["detail"]["$or"])
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


def mails(ways):
    """Whether the codes of a task's two containers are told; None is of one that was not
    started. Of an array any value may fit."""
    [told] = [way["containers"]["exitCode"] for way in ways if "containers" in way]
    [silent] = [rule["anything-but"] for rule in told]
    def mailed(*codes):
        return any(code is not None and code not in silent for code in codes)
    cases = {(0, 0): False, (75, None): False, (143, None): False, (0, 143): False,
             (1, None): True, (2, None): True, (3, None): True, (137, None): True,
             (0, 1): True, (0, 3): True}
    assert {codes: mailed(*codes) for codes in cases} == cases, silent


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
