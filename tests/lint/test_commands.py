"""Commands that mean a shell, variables that nobody defines, a `parallel` without effect: reported where it is one."""

import pytest

from tests.cli.program import HEAD, METADATA
from tests.lint.findings import found


def _job(words: str, image: str = "busybox", params: str = "", before: str = "") -> str:
    return (
        f"{before}{HEAD}{METADATA}spec:\n  groups:\n  - name: g\n    jobs:\n"
        f"    - name: j\n      image: {image}\n      {words}\n      params: {{{params}}}\n"
    )


def _codes(*args: str, **kwargs: str) -> list[str]:
    return [finding.code for finding in found(_job(*args, **kwargs))]


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("command: [echo hello world]", ["MJ034"]),
        ("command: ['sh -c \"true\"']", ["MJ034"]),
        ("args: [echo hello]", ["MJ034"]),
        ("command: ['a && b']", ["MJ034"]),
        ("command: [echo, hello world]", []),
        ("command: [/bin/true]", []),
        ("command: [make, all, '&&', make, check]", ["MJ035"]),
        ("command: [echo, a, '|', grep, a]", ["MJ035"]),
        ("command: [echo, a, '>', /tmp/a]", ["MJ035"]),
        ("args: [echo, a, '>>', /tmp/a, '2>&1']", ["MJ035", "MJ035"]),
        ("command: [sh, -c, echo a, '&&', echo b]", ["MJ035"]),
        ("command: [bash, -ec, echo, '|', cat]", ["MJ035"]),
        ("command: [sh, -c, 'a && b | c > d; e']", []),
        ("command: [sh, script.sh, '|']", []),
        ("command: [./run.sh, '>', a]", []),
        ("command: [cut, -d, '|']", []),
        ("command: [expr, a, '|', b]", []),
        ("command: [test, a, '>', b]", []),
        ("command: [find, /, -exec, rm, '{}', ';']", []),
        ("command: [grep, '|', a]", []),
        ("command: [grep, a, b, '&&', c]", ["MJ035"]),
        ("command: [tar, -xf, $HOME/a]", ["MJ036"]),
        ("command: [tar, -xf, '${HOME}/a']", ["MJ036"]),
        ("args: [ls, $HOME]", ["MJ036"]),
        ("command: [ls], args: [$HOME]", ["MJ036"]),
        ("command: [sh, -c, ls $HOME]", []),
        ("command: [/usr/bin/env, bash, -c, ls $HOME]", []),
        ("command: [awk, '{print $NF, $(NF)}']", []),
        ("command: [grep, -E, '^a$|b$', 'cost $5']", []),
        ("command: [sed, 's/$USER/x/']", []),
        ("command: [ls], workingDir: $HOME", ["MJ036"]),
        ("command: [ls, $(HOME)]", ["MJ033"]),
        ("command: [ls, $$(HOME)]", []),
        ("command: [ls, $(not a name), $(date +%s)]", []),
        ("command: [ls, $(DB_SERVICE_HOST), $(DB_PORT_5432_TCP)]", []),
        ("command: [sh, -c, 'echo $(date) $(hostname) $(NF)']", []),
        ("command: [sh, -c, 'echo $(VERSION)']", ["MJ033"]),
    ],
)
def test_words(words: str, codes: list[str]) -> None:
    """The program's own syntax and a shell's script are left alone."""
    assert _codes(words.replace("], ", "]\n      ")) == codes


@pytest.mark.parametrize("words", ["args: [echo hello]", "args: [$HOME]", "args: ['echo $(date)']"])
def test_the_entrypoint_of_an_unknown_image_may_be_a_shell(words: str) -> None:
    """Nothing is claimed of its arguments."""
    assert _codes(words, image="example.com/tool") == []


SOURCE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {A: a}\n---\n"


@pytest.mark.parametrize(
    ("params", "before", "codes"),
    [
        ("env: [{name: A, value: a}]", "", []),
        ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "", []),
        ("env: [{name: B, value: a}]", "", ["MJ033"]),
        ("fromEnv: [{key: A, configMapRef: {name: s}}]", "", []),
        ("fromEnv: [{configMapRef: {name: s}}]", "", []),
        ("fromEnv: [{configMapRef: {name: s}}]", SOURCE, []),
        ("fromEnv: [{configMapRef: {name: s}}]", SOURCE.replace("A: a", "B: a"), ["MJ033"]),
        ("fromEnv: [{prefix: X_, configMapRef: {name: s}}]", SOURCE, ["MJ033"]),
        ("env: [{name: A, value: a}, {name: B, value: $(A)}]", "", []),
        ("env: [{name: B, value: $(A)}, {name: A, value: a}]", "", ["MJ033"]),
        ("env: [{name: A, value: a}, {name: B, value: $A/b}]", "", ["MJ036"]),
        ("env: [{name: A, value: '$PATH:/a'}]", "", ["MJ036"]),
        ("env: [{name: A, value: 'cost: $FOO ${bar}'}]", "", []),
    ],
)
def test_variables(params: str, before: str, codes: list[str]) -> None:
    """By level and order, as in the container; a source that the files do not have may have any."""
    assert _codes("command: [ls, $(A)]", params=params, before=before) == codes


def test_a_level_that_jobs_share_is_reported_once() -> None:
    """Though each of them gets it; an inner level cannot define what an outer one refers to."""
    text = HEAD + METADATA + "spec:\n  params: {env: [{name: B, value: $(A)}]}\n  groups:\n  - name: g\n    jobs:\n"
    jobs = "".join(f"    - {{name: j{n}, image: b, params: {{env: [{{name: A, value: a}}]}}}}\n" for n in range(3))
    (finding,) = found(text + jobs)
    assert (finding.path, finding.code) == ("spec.params.env[0].value", "MJ033")
    assert finding.message == (
        "spec.params.env[0].value: nothing defines $(A) before it, so it stays as written;"
        " set A under env, before it, or write $$(A) to mean that text"
    )


@pytest.mark.parametrize(
    ("groups", "paths"),
    [
        ("[{name: a, parallel: true, jobs: J}, {name: b, jobs: J}]", ["spec.groups[0].parallel"]),
        ("[{name: a, parallel: true, jobs: J}, {name: b, parallel: true, jobs: J}]", []),
        ("[{name: a, parallel: true, jobs: J}, {name: b, parallel: false, jobs: J}]", []),
        ("[{name: a, parallel: true, jobs: J}]", []),
        ("[{name: a, jobs: J}, {name: b, parallel: true, jobs: J}]", []),
        ("[{name: a, parallel: false, jobs: J}, {name: b, jobs: J}]", []),
        (
            "[{name: a, jobs: [{name: x, image: b, parallel: true}, {name: z, image: b}]}]",
            ["spec.groups[0].jobs[0].parallel"],
        ),
        ("[{name: a, jobs: [{name: x, image: b, parallel: true}]}]", []),
    ],
)
def test_parallel(groups: str, paths: list[str]) -> None:
    """Of the first one, where no later one says it too: then its author means the next one, which waits."""
    text = HEAD + METADATA + f"spec: {{groups: {groups.replace('J', '[{name: j, image: b}]')}}}\n"
    assert [(finding.path, finding.code) for finding in found(text)] == [(path, "MJ037") for path in paths]
