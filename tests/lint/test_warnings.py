"""What is taken and surprises: hidden variables, unused volumes, missing keys, shared names, odd scalars."""

import pytest

from tests.cli.program import HEAD, METADATA
from tests.lint.findings import codes, found

SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {LEVEL: debug, MODE: fast}\n---\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {USER: a}\ndata: {PASSWORD: YQ==}\n---\n"


def _workflow(workflow: str = "", group: str = "", job: str = "", *, before: str = "", metadata: str = METADATA) -> str:
    """Documents of a workflow of one job with the parameters of each level, in flow style."""
    levels = [f"params: {{{each}}}" for each in (workflow, group, job)]
    return (
        f"{before}{HEAD}{metadata}spec:\n  {levels[0]}\n  groups:\n  - name: g\n    {levels[1]}\n"
        f"    jobs:\n    - name: j\n      image: busybox\n      {levels[2]}\n"
    )


FROM = "fromEnv: [{configMapRef: {name: settings}}]"


# Variables


@pytest.mark.parametrize(
    ("workflow", "group", "job"),
    [
        ("env: [{name: LEVEL}]", FROM, ""),
        ("env: [{name: LEVEL}]", "", FROM),
        ("", "env: [{name: LEVEL}]", FROM),
        ("fromEnv: [{secretRef: {name: other}, key: LEVEL}]", "", FROM),
        ("env: [{name: P_LEVEL}]", "", "fromEnv: [{configMapRef: {name: settings}, prefix: P_}]"),
    ],
)
def test_an_outer_variable_hides_that_of_an_inner_source(workflow: str, group: str, job: str) -> None:
    """On every pair of levels; a single key that is imported becomes an `env` and hides as well."""
    assert codes(_workflow(workflow, group, job, before=SETTINGS)) == {"MJ020"}


@pytest.mark.parametrize(
    ("workflow", "group", "job"),
    [
        (FROM, "", "env: [{name: LEVEL}]"),
        ("env: [{name: OTHER}]", "", FROM),
        ("env: [{name: LEVEL}]", "", f"env: [{{name: LEVEL}}], {FROM}"),
        ("env: [{name: LEVEL}]", "", "fromEnv: [{configMapRef: {name: settings}, key: LEVEL}]"),
        ("env: [{name: LEVEL}]", "", "fromEnv: [{configMapRef: {name: settings}, prefix: P_}]"),
        (f"env: [{{name: LEVEL}}], {FROM}", "", ""),
    ],
)
def test_what_hides_nothing_is_not_said(workflow: str, group: str, job: str) -> None:
    """An inner env is meant; other names, other prefixes and the same level are no surprise."""
    assert codes(_workflow(workflow, group, job, before=SETTINGS)) == set()


def test_the_message_names_what_is_hidden_and_where() -> None:
    """At the source, for that is what has no effect."""
    env = "env: [{name: LEVEL}, {name: MODE}, {name: OTHER}]"
    finding = found(_workflow(env, "", FROM, before=SETTINGS))[0]
    assert finding.path == "spec.groups[0].jobs[0].params.fromEnv[0]"
    assert finding.message == (
        'job "g/j" params.fromEnv[0]: an env of an outer level hides LEVEL and MODE from ConfigMap "settings": in'
        " Kubernetes, env overrides envFrom; set it under env here too"
    )


def test_a_source_that_is_elsewhere_may_be_hidden() -> None:
    """As an info, with the first few names."""
    env = f"env: [{', '.join(f'{{name: V{n}}}' for n in range(6))}]"
    finding = found(_workflow(env, "", FROM))[0]
    assert (finding.code, finding.severity) == ("MJ026", "info")
    assert 'if ConfigMap "settings" has V0, V1, V2 or 3 more, an env of an outer level hides it' in finding.message


# Keys of ConfigMaps and Secrets


@pytest.mark.parametrize(
    "params",
    [
        "fromEnv: [{configMapRef: {name: settings}, key: LEVLE}]",
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: LEVLE}}}]",
        "volumes: [{name: v, configMap: {name: settings, items: [{key: LEVLE, path: p}]}}],"
        " volumeMount: [{name: v, mountPath: /v}]",
        "volumes: [{name: v, projected: {sources: [{configMap: {name: settings, items: [{key: LEVLE, path: p}]}}]}}],"
        " volumeMount: [{name: v, mountPath: /v}]",
    ],
)
def test_a_key_that_is_not_there_is_said_wherever_it_is_wanted(params: str) -> None:
    """With the nearest one that is."""
    findings = found(_workflow(job=params, before=SETTINGS))
    assert [each.code for each in findings] == ["MJ027"]
    assert findings[0].path.endswith(".key")
    assert findings[0].message.endswith('ConfigMap "settings" in these files has no key "LEVLE"; did you mean "LEVEL"?')


@pytest.mark.parametrize("key", ["USER", "PASSWORD"])
def test_both_halves_of_a_secret_count(key: str) -> None:
    """`data` and `stringData`."""
    text = f"env: [{{name: A, valueFrom: {{secretKeyRef: {{name: db, key: {key}}}}}}}]"
    assert found(_workflow(job=text, before=SECRET)) == []


@pytest.mark.parametrize(
    "reference",
    [
        "{name: settings, key: X, optional: true}",
        "{name: elsewhere, key: X}",
    ],
)
def test_what_may_be_missing_is_not_said(reference: str) -> None:
    """An optional key, and a ConfigMap that the files do not have."""
    text = f"env: [{{name: A, valueFrom: {{configMapKeyRef: {reference}}}}}]"
    assert found(_workflow(job=text, before=SETTINGS)) == []


def test_a_source_of_another_namespace_is_another_one() -> None:
    """One without a namespace may be applied into any."""
    text = "fromEnv: [{configMapRef: {name: settings}, key: X}]"
    elsewhere = SETTINGS.replace("name: settings", "name: settings, namespace: b")
    here = "metadata: {name: wf, namespace: a}\n"
    assert codes(_workflow(job=text, before=elsewhere, metadata=here)) == set()
    assert codes(_workflow(job=text, before=SETTINGS, metadata=here)) == {"MJ027"}


def test_a_source_that_cannot_be_read_has_unknown_keys() -> None:
    """Nothing is claimed of them, but that it cannot be read."""
    broken = SETTINGS.replace("{LEVEL: debug, MODE: fast}", "[LEVEL]")
    (finding,) = found(_workflow(job="fromEnv: [{configMapRef: {name: settings}, key: X}]", before=broken))
    assert finding.message == 'ConfigMap "settings" data: expected an object, found ["LEVEL"]'


def test_a_variable_cannot_be_binary_data() -> None:
    """A volume can show it."""
    binary = SETTINGS.replace("\ndata:", "\nbinaryData:").replace("debug", "AAAA").replace("fast", "AAAA")
    (finding,) = found(_workflow(job="fromEnv: [{configMapRef: {name: settings}, key: MODE}]", before=binary))
    assert finding.message.endswith("for variables; it is in binaryData: move it to data, or mount it")
    volume = "volumes: [{name: v, configMap: {name: settings, items: [{key: MODE, path: m}]}}], "
    assert found(_workflow(job=f"{volume}volumeMount: [{{name: v, mountPath: /v}}]", before=binary)) == []


def test_of_two_sources_of_one_name_the_last_counts() -> None:
    """As when both are applied, and as in a local run."""
    other = SETTINGS.replace("LEVEL: debug, ", "")
    text = _workflow(job="fromEnv: [{configMapRef: {name: settings}, key: LEVEL}]", before=SETTINGS + "---\n" + other)
    assert [finding.code for finding in found(text)] == ["MJ027"]


# Volumes


def test_a_volume_is_used_if_one_job_of_its_level_mounts_it() -> None:
    """The workflow's volume by a job deep inside."""
    volume = "volumes: [{name: v, emptyDir: {}}]"
    assert codes(_workflow(volume, "", "volumeMount: [{name: v, mountPath: /v}]")) == set()
    assert codes(_workflow(volume)) == {"MJ015"}


def test_a_mount_that_an_inner_one_replaces_uses_nothing() -> None:
    """Of the mounts of one path the innermost counts."""
    both = "volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}], volumeMount: [{name: v, mountPath: /data}]"
    findings = found(_workflow(both, "", "volumeMount: [{name: w, mountPath: /data}]"))
    assert [(each.code, each.path) for each in findings] == [("MJ015", "spec.params.volumes[0].name")]


# Names


def test_a_long_name_is_shown_as_it_will_be() -> None:
    """With its length and what it is cut to."""
    text = _workflow(metadata=f"metadata: {{name: {'w' * 60}}}\n")
    finding = found(text)[0]
    assert (finding.code, finding.path) == ("MJ007", "spec.groups[0].jobs[0].name")
    assert finding.message.startswith(
        f'job "g/j" name: the name of the Job would be "{"w" * 60}-g-j", 64 characters, and 63 are allowed;'
        ' its name becomes "wwww'
    )


def test_a_name_of_63_characters_is_fine() -> None:
    """The limit itself."""
    assert found(_workflow(metadata=f"metadata: {{name: {'w' * 59}}}\n")) == []


def test_workflows_of_one_name_are_told_apart_by_namespace() -> None:
    """Applied into one namespace, one would replace the other."""
    first, second = (_workflow(metadata=f"metadata: {{name: wf, namespace: {name}}}\n") for name in "ab")
    assert found(f"{first}---\n{second}") == []
    finding = found(f"{first}---\n{first}")[0]
    assert (finding.code, finding.line) == ("MJ028", 16)
    assert finding.message == 'metadata.name: a ManagedJob "wf" is also in <stdin>:3:18; rename one of them'


def test_three_of_a_kind_are_each_found() -> None:
    """Every later job of a name, once."""
    text = f"{HEAD}{METADATA}spec: {{groups: [{{name: g, jobs: [{', '.join(['{name: j, image: b}'] * 3)}]}}]}}\n"
    assert [each.path for each in found(text)] == ["spec.groups[0].jobs[1].name", "spec.groups[0].jobs[2].name"]


# Scalars


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("y", "`y` is a boolean for kubectl; write true"),
        ("Off", "`Off` is a boolean for kubectl; write false"),
    ],
)
def test_a_boolean_that_looks_like_a_word_is_said(value: str, said: str) -> None:
    """With what to write instead."""
    text = _workflow().replace("name: g\n", f"name: g\n    parallel: {value}\n")
    assert [each.message for each in found(text)] == [said]


def test_a_number_in_another_base_is_said() -> None:
    """`0010` is 8."""
    findings = found(_workflow().replace("  groups:", "  retries: 0010\n  groups:"))
    assert [each.message for each in findings] == ["`0010` is the number 8 for kubectl; write 8"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("labels: {a: no}", "`no` is a boolean for kubectl; quote it"),
        ("labels: {a.example.com/b: 1_000}", "`1_000` is the number 1000 for kubectl; quote it"),
        ("resources: {limits: {cpu: 1_0}}", "`1_0` is the number 10 for kubectl; write 10"),
        ("resources: {limits: {cpu: 1e1}}", "`1e1` is the number 10 for kubectl; quote it, or write 10"),
        ("restartPolicy: no", "`no` is a boolean for kubectl"),
        ("automountServiceAccountToken: 010", "`010` is the number 8 for kubectl"),
    ],
)
def test_a_surprise_is_advised_as_its_field_takes_it(params: str, said: str) -> None:
    """Neither quotes around what must be a number or a boolean, nor a number in place of text."""
    assert said in [each.message for each in found(_workflow(params)) if each.code == "MJ021"]


def test_an_octal_file_mode_is_no_surprise() -> None:
    """It is how modes are written."""
    volume = "volumes: [{name: v, secret: {secretName: s, defaultMode: 0644, items: [{key: k, path: p, mode: 0400}]}}]"
    assert found(_workflow(job=f"{volume}, volumeMount: [{{name: v, mountPath: /v}}]")) == []


def test_a_key_that_is_no_string_is_said() -> None:
    """`on` as a label's key is `true`."""
    findings = found(_workflow('labels: {on: "1"}'))
    assert [each.message for each in findings] == ["the key `on` is a boolean for kubectl; quote it"]
