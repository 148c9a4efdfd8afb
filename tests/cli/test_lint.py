"""`jobsmgr lint` as a user meets it: what is read, where findings stand, how the command ends."""

import json
from pathlib import Path

import pytest

from tests.cli.program import EXAMPLES, HEAD, METADATA, ONE_JOB, run
from tests.lint.findings import codes, found, places

BAD = ONE_JOB.replace("image: busybox", "imag: busybox")  # one mistake, one finding
WARNED = ONE_JOB.replace("name: g,", "name: g, parallel: y,")


def _spec(text: str) -> str:
    return f"{HEAD}{METADATA}spec:\n{text}"


# What is read


def test_the_examples_have_no_finding() -> None:
    """A whole folder at once."""
    done = run("lint", str(EXAMPLES))
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith("workflows: no problems found\n")


def test_every_file_of_a_folder_is_read(tmp_path: Path) -> None:
    """Also below it, in order; hidden folders and other files are left alone; an empty file is no mistake."""
    for name in ("b.yml", "a.yaml", "inner/c.json", ".hidden/d.yaml", "e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(BAD)
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    done = run("lint", str(tmp_path))
    files = [line.split(":")[0].removeprefix(f"{tmp_path}/") for line in done.out.splitlines() if "MJ002" in line]
    assert (done.code, files) == (1, ["a.yaml", "b.yml", "inner/c.json"])


def test_standard_input_is_read_once_for_a_dash() -> None:
    """As `kustomize build . | jobsmgr lint -`."""
    done = run("lint", "-", stdin=BAD)
    assert done.code == 1
    assert "<stdin>:4:44 error MJ002" in done.out


def test_every_document_of_a_stream_is_checked() -> None:
    """Other kinds are passed over."""
    other = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: y}\n"
    text = "---\n".join(
        [other, BAD, ONE_JOB.replace("name: wf", "name: second"), BAD.replace("name: wf", "name: third")]
    )
    assert [(line, code) for line, _, code in places(text)] == [(9, "MJ002"), (19, "MJ002")]


def test_items_of_a_list_are_documents() -> None:
    """As `kubectl get mjob -o yaml` prints them; paths count from the item, positions from the file."""
    item = "\n".join(f"  {line}" for line in BAD.splitlines())
    findings = found(f"apiVersion: v1\nkind: List\nitems:\n- {item.strip()}\n")
    assert [(each.line, each.path) for each in findings] == [
        (7, "spec.groups[0].jobs[0].imag"),
    ]


def test_json_is_read_as_the_yaml_that_it_is() -> None:
    """With positions too."""
    text = json.dumps(
        {"apiVersion": "jobsmanager.raczylo.com/v1beta1", "kind": "ManagedJob", "metadata": {"name": "a"}}
    )
    assert places(text) == [(1, 1, "MJ003")]


def test_what_a_cluster_gave_back_is_taken() -> None:
    """Metadata and status of a stored object are nobody's mistake."""
    stored = ONE_JOB.replace(
        METADATA,
        "metadata: {name: wf, uid: u, generation: 1, resourceVersion: '1', creationTimestamp: 2026-01-01T00:00:00Z,"
        " managedFields: [{}], ownerReferences: [{}], finalizers: [a]}\nstatus: {phase: running}\n",
    )
    assert found(stored) == []


def test_a_generated_name_is_a_name() -> None:
    """`kubectl create` makes one of it; its five characters count."""
    assert found(ONE_JOB.replace("name: wf", "generateName: wf-")) == []
    assert codes(ONE_JOB.replace("name: wf", f"generateName: {'a' * 56}-")) == {"MJ007"}


# Documents that mean to be one


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("kind: ManagedJob", "kind: managedjob", (2, 7)),
        ("kind: ManagedJob", "kind: ManagedJobs", (2, 7)),
        ("kind: ManagedJob", "kind: ManagdJob", (2, 7)),
        ("v1beta1", "v1", (1, 13)),
        ("jobsmanager", "jobmanager", (1, 13)),
        ("jobsmanager.raczylo.com/v1beta1", "batch/v1", (1, 13)),
    ],
)
def test_a_document_that_is_nearly_one_is_told_so(old: str, new: str, where: tuple[int, int]) -> None:
    """A wrong apiVersion or kind is a finding, and no reason to pass it over."""
    assert places(ONE_JOB.replace(old, new)) == [(*where, "MJ025")]


def test_without_any_workflow_the_command_says_what_it_found(tmp_path: Path) -> None:
    """Checking nothing must not look like success."""
    (tmp_path / "a.yaml").write_text("kind: Deployment\n---\n[1]\n")
    done = run("lint", str(tmp_path / "a.yaml"))
    assert done.code == 2
    assert (
        done.err == f"Error: {tmp_path}/a.yaml has no ManagedJob (found: Deployment, no kind); name a file with one\n"
    )


@pytest.mark.parametrize(
    ("metadata", "where", "said"),
    [
        (
            "{name: wf, namespace: My_NS}",
            33,
            'metadata.namespace: "My_NS" is not a valid namespace; use at most 63 lower-case',
        ),
        ("{name: wf, labels: [a]}", 22, 'metadata.labels: expected an object, found ["a"]'),
        ("{name: wf, annotations: {a: 1}}", 39, "metadata.annotations[a]: expected a string, found 1; quote it"),
        ("{name: wf, lables: {}}", 22, 'metadata.lables: no such field; did you mean "labels"?'),
        ("{name: 5}", 18, "metadata.name: expected a string, found 5; quote it"),
        ("{labels: {}}", 1, "metadata.name: required, but missing"),
        ("[]", 1, "metadata: expected an object, found []"),
    ],
)
def test_metadata_is_checked_as_the_server_would(metadata: str, where: int, said: str) -> None:
    """Names, namespaces and the types of what it holds; the spec is checked all the same."""
    (finding,) = found(ONE_JOB.replace("{name: wf}", metadata))
    assert (finding.line, finding.column) == (3, where)
    assert finding.message.startswith(said)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("hello", 'this document is not an object, it is "hello"; remove it'),
        ("a: b", "this document has no apiVersion and no kind; remove it"),
        ("kind: Pod", "this document has no apiVersion; remove it"),
    ],
)
def test_a_document_that_stops_kubectl_is_found_beside_a_workflow(document: str, said: str, tmp_path: Path) -> None:
    """A file without a workflow may be anything: values of a chart, a list of hosts."""
    (finding,) = found(f"{ONE_JOB}---\n{document}\n")
    assert (finding.line, finding.column, finding.code, finding.message) == (6, 1, "MJ030", said)
    (tmp_path / "a.yaml").write_text(document)
    (tmp_path / "b.yaml").write_text(ONE_JOB)
    done = run("lint", str(tmp_path))
    assert (done.code, done.out) == (0, "")


def test_what_has_no_name_is_named_by_its_place() -> None:
    """A name that is none would be a riddle."""
    text = _spec("  groups:\n    - jobs: [5, {image: b}]\n    - {name: true, jobs: [{name: j}]}\n")
    assert [finding.message for finding in found(text)] == [
        "spec.groups[0].name: required, but missing",
        "spec.groups[0].jobs[0]: expected an object, found 5",
        "spec.groups[0].jobs[1].name: required, but missing",
        "spec.groups[1].name: expected a string, found true; quote it",
        "spec.groups[1].jobs[0].image: required, but missing",
    ]


# Positions


def test_a_wrong_value_stands_at_the_value() -> None:
    """Line and column count from 1."""
    assert places(_spec("  retries: three\n  groups: [{name: g, jobs: [{name: j, image: b}]}]\n")) == [(5, 12, "MJ001")]


def test_an_unknown_field_stands_at_its_key() -> None:
    """What is to be changed is the key."""
    assert places(_spec("  retry: 3\n  groups: [{name: g, jobs: [{name: j, image: b}]}]\n")) == [(5, 3, "MJ002")]


def test_a_missing_field_stands_where_it_is_missing() -> None:
    """At the object that should have it."""
    assert places(_spec("  groups:\n    - name: g\n      jobs:\n        - name: j\n")) == [(8, 11, "MJ003")]


def test_a_value_behind_an_alias_stands_where_it_is_written() -> None:
    """Where it can be fixed."""
    text = _spec(
        "  params: {env: &env [{name: A, value: 1}]}\n"
        "  groups: [{name: g, params: {env: *env}, jobs: [{name: j, image: b}]}]\n"
    )
    assert places(text) == [(5, 40, "MJ001"), (5, 40, "MJ001")]


def test_keys_with_dots_and_slashes_are_found() -> None:
    """A label's key is one step, however it looks."""
    text = _spec(
        "  params:\n    labels:\n      a: b\n      example.com/a b: c\n"
        "  groups: [{name: g, jobs: [{name: j, image: b}]}]\n"
    )
    assert places(text) == [(8, 24, "MJ012")]


def test_a_resource_with_a_dot_is_found() -> None:
    """`nvidia.com/gpu` too."""
    text = _spec(
        "  params: {resources: {limits: {nvidia.com/gpu: one}}}\n  groups: [{name: g, jobs: [{name: j, image: b}]}]\n"
    )
    assert places(text) == [(5, 49, "MJ016")]


def test_findings_come_in_the_order_of_the_text() -> None:
    """However they were found."""
    text = _spec(
        "  groups:\n    - name: g\n      parallel: y\n      jobs:\n        - name: j\n          image: b\n"
        "          dependencies: [{name: k}]\n          params: {labels: {a b: c}}\n"
    )
    assert places(text) == [(7, 17, "MJ021"), (11, 33, "MJ004"), (12, 34, "MJ012")]


# Messages


def test_a_message_names_job_and_field() -> None:
    """With the names that the user gave, not by indexes."""
    text = _spec("  groups: [{name: build, jobs: [{name: link, image: b, retries: 101}], retries: -1}]\n")
    assert [each.message for each in found(text)] == [
        'job "build/link" retries: must be at most 100, found 101',
        'group "build" retries: must be at least 0, found -1',
    ]


def test_control_characters_cannot_reach_a_terminal() -> None:
    """They are written out, in the message and in the file's name."""
    done = run("lint", "-", stdin=ONE_JOB.replace("image: busybox", 'image: busybox, "a\\e[31m\\n": 1'))
    assert "\x1b" not in done.out
    assert "a\\x1b[31m\\n" in done.out


# One mistake, one finding


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("labels: {jobmanager.raczylo.com/job-id: a}", {"MJ010"}),
        ("labels: {a: b c}", {"MJ012"}),
        ("labels: {a: 1}", {"MJ001"}),
        ("annotations: {a: true}", {"MJ001"}),
        ("resources: {limits: {cpu: 0.5}}", {"MJ001"}),
        ("resources: {limits: {cpu: a}}", {"MJ016"}),
        ("env: [{name: A=B}]", {"MJ013"}),
        ("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", {"MJ013"}),
        ("fromEnv: [{configMapRef: {}}]", {"MJ018"}),
        ("fromEnv: [{configMapRef: {name: a}, secretRef: {name: a}}]", {"MJ018"}),
        ("resources: {limits: {cpu: one}}", {"MJ016"}),
        ("resources: {limits: [cpu]}", {"MJ001"}),
        ("volumeMount: [], volumeMounts: []", {"MJ001"}),
        ("volumeMount: [{name: v, mountPath: [a]}]", {"MJ001"}),
    ],
)
def test_what_schema_and_plugin_both_refuse_is_said_once(fields: str, expected: set[str]) -> None:
    """By the one that knows more."""
    text = _spec(f"  params: {{{fields}}}\n  groups: [{{name: g, jobs: [{{name: j, image: b}}]}}]\n")
    assert codes(text) == expected
    assert len(found(text)) == 1


# Formats and exit codes


def test_json_is_a_list_of_findings() -> None:
    """An empty one if there are none."""
    assert json.loads(run("lint", "-o", "json", "-", stdin=ONE_JOB).out) == []
    assert json.loads(run("lint", "-o", "json", "-", stdin=WARNED).out) == [
        {
            "file": "<stdin>",
            "line": 4,
            "column": 37,
            "severity": "warning",
            "code": "MJ021",
            "message": "`y` is a boolean for kubectl; write true",
            "path": "spec.groups[0].parallel",
        }
    ]


def test_github_is_a_command_a_line() -> None:
    """Shown beside the line in a pull request."""
    done = run("lint", "-o", "github", "-", stdin=WARNED)
    text = "`y` is a boolean for kubectl; write true"
    assert done.out == f"::warning file=<stdin>,line=4,col=37,title=MJ021::{text}\n"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (ONE_JOB, [], 0),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        (BAD, [], 1),
        (ONE_JOB.replace("image: busybox", "image: [busybox"), [], 1),
    ],
)
@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_errors_fail_and_warnings_only_when_strict(text: str, options: list[str], code: int, output: str) -> None:
    """In every format."""
    assert run("lint", *options, "-o", output, "-", stdin=text).code == code


def test_an_info_fails_nothing() -> None:
    """Nobody can tell offline whether it matters."""
    job = "{name: j, image: b, params: {fromEnv: [{secretRef: {name: s}}]}}"
    text = _spec(f"  params: {{env: [{{name: A}}]}}\n  groups: [{{name: g, jobs: [{job}]}}]\n")
    done = run("lint", "--strict", "-", stdin=text)
    assert (done.code, done.out.split()[1:3], done.err) == (0, ["info", "MJ026"], "1 workflow: 1 info\n")


def test_the_end_sums_up() -> None:
    """On standard error, so that standard output holds findings only."""
    text = BAD + "---\n" + WARNED.replace("name: wf", "name: second")
    assert run("lint", "-", stdin=text).err == "2 workflows: 1 error, 1 warning\n"


def test_one_bad_file_hides_nothing_of_the_others(tmp_path: Path) -> None:
    """What can be read is checked; the command ends with 2 for what could not."""
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "broken.yaml").write_text("a: [")
    done = run("lint", str(tmp_path), "missing.yaml")
    assert done.code == 2
    assert [line.split()[2] for line in done.out.splitlines()] == ["MJ002", "MJ024"]
    assert "Error: missing.yaml does not exist; name a file, a folder, or - for standard input\n" in done.err


def test_a_syntax_error_stands_at_its_place() -> None:
    """With the words of the parser."""
    findings = found("a:\n  - b\n c: d\n")
    assert [(each.line, each.code) for each in findings] == [(3, "MJ024")]
    assert findings[0].message.startswith("kubectl cannot read this as YAML: ")
