"""`jobsmgr run`: what it runs, what it says, how it ends."""

import json
import subprocess
from pathlib import Path

import pytest

from jobsmgr import Workflow
from jobsmgr.api.plan import Plan
from jobsmgr.core import plan
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import plan_workflow
from jobsmgr.lint import validation
from tests.cli.program import EXAMPLES, HEAD, PROGRAM, ROOT, Done, run, run_process
from tests.cli.runs import file_of, sh
from tests.plane.eventually import DEADLINE

QUICKSTART = str(EXAMPLES / "quickstart.yaml")
FAIL = ("--exit-code", "1")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {WORD: hello}\n"
USES_CONFIG = "command: [printenv, WORD], params: {fromEnv: [{configMapRef: {name: conf}}]}"


def ran(text: str, *options: str) -> Done:
    """Run a file given on standard input with processes."""
    return run("run", "--executor", "process", *options, "-", stdin=text)


def simulated(text: str, *options: str) -> Done:
    return run("run", "--executor", "simulate", *options, "-", stdin=text)


def order(done: Done) -> list[str]:
    """The jobs in the order in which they began."""
    return [line.split()[1] for line in done.out.splitlines() if line.startswith("●") and "try" not in line]


class TestQuickstart:
    """The first command of the README."""

    def test_it_runs_with_processes(self) -> None:
        """In order, with prefixed output and one line at the end; nothing goes to stderr."""
        done = run_process("run", "--executor", "process", QUICKSTART)
        lines = done.out.splitlines()
        assert "prepare/fruit   │ Hello from the orchard" in lines
        assert "serve/breakfast │ Breakfast is ready, World" in lines
        assert lines.index("prepare/bread   │ 2 loaves") < lines.index("● serve/breakfast running")
        assert lines[-1].startswith("✔ quickstart succeeded  4/4 jobs in ")
        assert done.err == ""

    def test_lines_are_only_appended_to_a_pipe(self) -> None:
        """No control characters, no colours."""
        done = run_process("run", "--executor", "simulate", QUICKSTART)
        assert "\x1b" not in done.out
        assert "\r" not in done.out


class TestExitCodes:
    """One for each way to end."""

    def test_failed(self) -> None:
        """3, and the last line says which job and why."""
        done = ran(file_of(sh("a", "exit 5"), "name: b, args: [echo, x]"))
        assert done.code == 3
        end, _, why = done.out.splitlines()[-1].partition(": ")
        assert end.startswith("✘ wf failed  0/2 jobs in ")
        assert why == ('job "g/a" failed: BackoffLimitExceeded (failed with exit code 5); 1 job could not start')
        assert '⊘ g/b aborted  job "g/a" did not succeed' in done.out

    def test_a_command_that_is_not_there(self) -> None:
        """Exit code 128 of the job, as a kubelet has it, and 3 of the run."""
        done = ran(file_of("name: a, command: [no-such-command]"))
        assert done.code == 3
        assert (
            'exit code 128 (StartError): command "no-such-command" was not found in the PATH of this machine'
            in done.out
        )

    def test_one_of_two_workflows_failed(self) -> None:
        """The worst end counts; both run to theirs."""
        text = file_of(sh("a", "exit 1")) + "---\n" + file_of(sh("a", "echo fine"), name="other")
        done = ran(text)
        assert done.code == 3
        assert "other:g/a │ fine" in done.out

    def test_fail_fast_ends_the_others(self) -> None:
        """And says so."""
        done = ran(file_of(sh("a", "exec sleep 1000"), sh("b", "exit 1")), "--fail-fast")
        assert done.code == 3
        assert "wf failed  0/2" in done.out
        assert done.out.splitlines()[-1].endswith(
            'job "g/b" failed: BackoffLimitExceeded (failed with exit code 1); 1 job was stopped'
        )

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("--only", "a", "--from", "a"), "--only runs just these jobs, --from also all jobs after them"),
            (("--duration", "5s"), "--duration and --exit-code need --executor simulate"),
            (("--parallelism", "0"), '"0" is not a whole number of at least 1'),
            (("--only", "aa"), 'workflow "wf" has no job "aa"; did you mean "a"?'),
            (("--from", "g"), '"g" is a group; name one of its jobs: g/a'),
            (
                ("--executor", "simulate", "--duration", "b=5s"),
                'no job matches "b" (--duration); use one of g/a, or a pattern',
            ),
            (
                ("--executor", "simulate", "--exit-code", "1", "--exit-code", "g/x*=1"),
                'no job matches "g/x*" (--exit-code); use one of g/a, or a pattern',
            ),
            (("--name", "x"), 'has no ManagedJob "x"; there is "wf"'),
            (("--output-dir", "/proc/none"), "/proc/none cannot be written"),
            (("-f", "-"), "standard input can be read only once"),
        ],
    )
    def test_usage(self, arguments: tuple[str, ...], text: str) -> None:
        """2, in one sentence, before anything starts."""
        done = ran(file_of(sh("a", "echo started")), *arguments)
        assert (done.code, done.out) == (2, "")
        assert text in done.err
        assert len(done.err.splitlines()) == 1

    def test_the_file_of_kubectl_is_an_argument_here(self) -> None:
        """Where fingers write `-f` by themselves."""
        done = run("run", "-f", QUICKSTART)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "Error: Missing argument 'FILE'. Give it without -f; -f is for additional files."
            " Try 'jobsmgr run --help'.\n"
        )
        assert run("run").err == "Error: Missing argument 'FILE'. Try 'jobsmgr run --help'.\n"

    def test_an_invalid_workflow(self) -> None:
        """1, with the position of what is wrong."""
        done = ran(file_of("name: a, args: [x], dependencies: [{name: aa}]"))
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("Error: <stdin>:9:")

    def test_a_workflow_that_stands_there_twice(self) -> None:
        """Refused: which one would the result be of?"""
        done = ran(file_of(sh("a", "true")) + "---\n" + file_of(sh("a", "true")))
        assert done.code == 2
        assert 'workflow "default/wf" appears twice' in done.err

    def test_a_workflow_that_is_suspended(self) -> None:
        """Refused with the field's position: a run of which no job may start would never end."""
        done = ran(file_of(sh("a", "echo started"), more="  suspend: true\n"))
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "Error: <stdin>:6:12: spec.suspend is true, so no job would start; set it to false to run this\n"
        )
        assert ran(file_of(sh("a", "echo started"), more="  suspend: false\n")).code == 0

    def test_no_container_engine(self, tmp_path: Path) -> None:
        """One sentence with the two flags to choose from."""
        done = subprocess.run(
            [PROGRAM, "run", QUICKSTART],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=DEADLINE,
            env={"PATH": str(tmp_path)},
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "Error: no container engine works here: podman is not installed, docker is not installed; use --executor"
            " process (runs the commands on this machine, without isolation) or --executor simulate (runs nothing)\n"
        )


class TestRefusals:
    """What the executor cannot give is refused before the start, at the line where it is asked for."""

    def test_volume_mounts_of_a_process(self) -> None:
        """The level that mounts is named, not the merged container."""
        more = "  params:\n    volumes: [{name: v, emptyDir: {}}]\n    volumeMounts: [{name: v, mountPath: /v}]\n"
        done = ran(file_of(sh("first", "echo started"), more=more))
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "Error: <stdin>:8:20: spec.params.volumeMount[0]: "
            'job "g/first": "/v" cannot be mounted for a process; remove it, or use --executor container\n'
        )

    def test_args_without_command(self) -> None:
        """For an image whose entrypoint nobody here knows; the first job has not been started either."""
        done = ran(
            file_of(sh("first", "echo started"), "name: j, args: [x]").replace("busybox, name: j", "nginx, name: j")
        )
        assert (done.code, done.out) == (2, "")
        assert 'spec.groups[0].jobs[1].command: job "g/j": the program that image "nginx" runs with' in done.err

    def test_a_missing_config_map(self) -> None:
        """With the two ways to give it."""
        done = ran(file_of(f"name: a, {USES_CONFIG}"))
        assert done.code == 2
        assert "spec.groups[0].jobs[0].params.fromEnv[0].configMapRef.name" in done.err
        assert 'ConfigMap "conf" is not in any of the files; add it to this file, or give its file with -f' in done.err


class TestDocuments:
    """Where ConfigMaps and Secrets come from."""

    def test_in_the_same_file(self) -> None:
        """Beside the workflow."""
        assert "g/a │ hello" in ran(CONFIG + "---\n" + file_of(f"name: a, {USES_CONFIG}")).out

    def test_in_a_further_file_or_folder(self, tmp_path: Path) -> None:
        """With -f."""
        (tmp_path / "conf.yaml").write_text(CONFIG)
        for place in (tmp_path, tmp_path / "conf.yaml"):
            assert "g/a │ hello" in ran(file_of(f"name: a, {USES_CONFIG}"), "-f", str(place)).out

    def test_a_file_that_was_got_from_a_cluster(self) -> None:
        """Its status, uid and deletion do not count: it runs anew."""
        text = file_of(sh("a", "echo again")).replace(
            "metadata: {name: wf}",
            "metadata: {name: wf, uid: x, deletionTimestamp: 2026-01-01T00:00:00Z, finalizers: [a/b]}\n"
            "status: {observedGeneration: 1, phase: succeeded}",
        )
        assert "g/a │ again" in ran(text).out

    def test_one_of_several_workflows(self) -> None:
        """With --name."""
        text = file_of(sh("a", "echo one")) + "---\n" + file_of(sh("a", "echo two"), name="other")
        done = ran(text, "--name", "other")
        assert "g/a │ two" in done.out
        assert "one" not in done.out

    def test_the_namespace(self) -> None:
        """Of the workflow and of what it refers to."""
        field = "params: {env: [{name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]}"
        text = CONFIG + "---\n" + file_of(f"name: a, {USES_CONFIG}", f"name: b, command: [printenv, NS], {field}")
        done = ran(text, "-n", "team")
        assert "g/a │ hello" in done.out
        assert "g/b │ team" in done.out


GROUPS = f"""{HEAD}metadata: {{name: wf}}
spec:
  retries: 0
  groups:
    - {{name: one, jobs: [{{name: a, image: busybox}}, {{name: b, image: busybox}}]}}
    - {{name: two, parallel: true, jobs: [{{name: c, image: busybox, dependencies: [{{name: one/a}}]}}]}}
    - {{name: free, parallel: true, jobs: [{{name: d, image: busybox}}]}}
    - {{name: last, jobs: [{{name: e, image: busybox}}]}}
"""


class TestSelection:
    """Parts of a workflow."""

    def test_only(self) -> None:
        """What the job waits for is not there at all."""
        done = simulated(GROUPS, "--only", "last/e")
        assert order(done) == ["last/e"]
        assert "wf succeeded  1/1" in done.out

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["a", "one/b"], ["one/a", "one/b"]),
            (["e", "d", "c"], ["two/c", "free/d", "last/e"]),
            (["one/*"], ["one/a", "one/b"]),
            (["*"], ["one/a", "two/c", "free/d", "one/b", "last/e"]),
            (["[ab]"], ["one/a", "one/b"]),
            (["?", "a"], ["one/a", "two/c", "free/d", "one/b", "last/e"]),
        ],
    )
    def test_only_several(self, names: list[str], expected: list[str]) -> None:
        """Each that is named, one by one or by pattern; they wait for each other as they are written."""
        options = [word for name in names for word in ("--only", name)]
        done = simulated(GROUPS, *options)
        assert (done.code, sorted(order(done))) == (0, sorted(expected))
        assert f"wf succeeded  {len(expected)}/{len(expected)} jobs" in done.out

    @pytest.mark.parametrize("name", ["two/c", "wf-two-c"])
    def test_only_keeps_what_is_waited_for_among_them(self, name: str) -> None:
        """Of a dependency, however it is called, and of order; of others nothing is left."""
        text = GROUPS.replace(
            "last, jobs: [{name: e,",
            f"last, parallel: true, jobs: [{{name: e, dependencies: [{{name: {name}}}, {{name: one/b}}],",
        )
        options = ("--only", "e", "--only", "c", "--duration", "c=1h")
        done = simulated(text, *options)
        assert (done.code, order(done)) == (0, ["two/c", "last/e"])
        assert "2/2 jobs in 1h00m" in done.out
        assert "1/1 jobs in 1.0s" in simulated(text, "--only", "e").out

    def test_from_several(self) -> None:
        """All behind any of them."""
        done = simulated(GROUPS, "--from", "d", "--from", "two/*")
        assert (done.code, order(done)) == (0, ["two/c", "free/d", "last/e"])

    @pytest.mark.parametrize("option", ["--only", "--from"])
    def test_each_name_must_fit(self, option: str) -> None:
        """One that fits none is a typo, whatever the others say."""
        done = simulated(GROUPS, option, "a", option, "x*")
        assert done.err == (
            'Error: no job matches "x*" (workflow "wf"); use one of one/a, one/b, two/c, free/d, last/e, or a pattern\n'
        )
        assert 'has no job "aa"' in simulated(GROUPS, option, "a", option, "aa").err

    @pytest.mark.parametrize(
        ("job", "expected"),
        [
            ("one/a", ["one/a", "one/b", "two/c", "last/e"]),
            ("b", ["one/b", "last/e"]),
            ("d", ["free/d", "last/e"]),
            ("last/e", ["last/e"]),
        ],
    )
    def test_from(self, job: str, expected: list[str]) -> None:
        """It and all behind it, through order and dependencies; the rest is assumed to have succeeded."""
        done = simulated(GROUPS, "--from", job)
        assert (done.code, order(done)) == (0, expected)
        assert "wf succeeded  5/5" in done.out

    def test_what_is_not_run_is_not_checked(self) -> None:
        """A job that this machine could not run does not stand in the way."""
        text = file_of(f"name: a, {USES_CONFIG}", sh("b", "echo ran", more=""))
        assert ran(text).code == 2
        assert ran(text, "--from", "b").code == 0

    @pytest.mark.parametrize(
        ("options", "plans"), [((), 1), (("--from", "b"), 1), (("--only", "b"), 2)], ids=["all", "from", "only"]
    )
    def test_a_plan_is_made_once(self, options: tuple[str, ...], plans: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The loop takes over what the check before the run has made; one job alone is another workflow."""
        planned = []

        def spy(workflow: Workflow, hooks: Hooks) -> Plan:
            planned.append(workflow)
            return plan_workflow(workflow, hooks)

        for module in (validation, plan):
            monkeypatch.setattr(module, "plan_workflow", spy)
        assert simulated(GROUPS, *options).code == 0
        assert len(planned) == plans


class TestSimulation:
    """Options of --executor simulate."""

    def test_durations_and_exit_codes(self) -> None:
        """By pattern; the last that fits counts."""
        done = simulated(GROUPS, "--duration", "1h", "--duration", "one/*=2h", "--exit-code", "last/e=7")
        assert done.code == 3
        assert "✔ one/b  succeeded  2h00m" in done.out
        assert "✔ free/d succeeded  1h00m" in done.out
        assert "in 5h00m (simulated)" in done.out

    @pytest.mark.parametrize("option", [("--duration", "a=soon"), ("--exit-code", "a=many")])
    def test_what_cannot_be_read(self, option: tuple[str, str]) -> None:
        """Is refused with how to write it."""
        done = simulated(GROUPS, *option)
        assert done.code == 2
        assert "write it like" in done.err


class TestOutput:
    """What is printed, and what is written to files."""

    def test_a_log_for_each_try_and_a_result(self, tmp_path: Path) -> None:
        """Byte by byte; the result is what a cluster's status would be, with the tries."""
        mark = tmp_path / "mark"
        script = rf"printf '\033[31mtry\000\n'; [ -e {mark} ] || {{ touch {mark}; exit 4; }}"
        text = file_of(sh("a", script)).replace("retries: 0", "retries: 1")
        assert ran(text, "--output-dir", str(tmp_path / "out")).code == 0
        logs = [(tmp_path / "out" / "wf" / "g" / f"a-{number}.log").read_bytes() for number in (1, 2)]
        assert logs == [b"\x1b[31mtry\0\n"] * 2
        (result,) = json.loads((tmp_path / "out" / "result.json").read_text())["workflows"]
        assert (result["name"], result["phase"], result["progress"]) == ("wf", "succeeded", "1/1")
        assert result["groups"][0]["jobs"][0]["tries"] == [
            {"number": 1, "log": "wf/g/a-1.log", "exitCode": 4},
            {"number": 2, "log": "wf/g/a-2.log", "exitCode": 0},
        ]

    def test_output_of_jobs_cannot_move_the_cursor(self) -> None:
        """Escapes are written out, colours left out, rewritten lines shown as they were last."""
        script = r"printf '\033[2J\033[31mred\033[0m\n10%%\r20%%\r\nno line end \342\200\256'"
        lines = ran(file_of(sh("a", script))).out.splitlines()
        assert "g/a │ \\x1b[2Jred" in lines
        assert "g/a │ 20%" in lines
        assert "g/a │ no line end \\u202e" in lines

    def test_quiet(self) -> None:
        """One line a workflow."""
        assert len(ran(file_of(sh("a", "echo x")), "-q").out.splitlines()) == 1

    def test_no_logs(self) -> None:
        """Events alone."""
        done = ran(file_of(sh("a", "echo x")), "--no-logs")
        assert [line.split()[0] for line in done.out.splitlines()] == ["●", "✔", "✔"]

    def test_ascii(self) -> None:
        """By flag, or where the output can carry nothing else."""
        assert ran(file_of(sh("a", "echo x")), "--ascii").out.isascii()

    @pytest.mark.parametrize(
        ("arguments", "environment", "colored"),
        [
            ((), {}, False),
            ((), {"FORCE_COLOR": "1"}, True),
            ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            (("--color", "always"), {"NO_COLOR": "1"}, True),
            (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        ],
    )
    def test_color(
        self, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], environment: dict[str, str], colored: bool
    ) -> None:
        """On a terminal by itself; the flag stands over NO_COLOR, which stands over FORCE_COLOR."""
        for name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert ("\x1b[" in simulated(GROUPS, *arguments).out) is colored

    def test_a_reader_that_goes_away_ends_the_run(self) -> None:
        """As `| head` does: nothing is left running, and there is no traceback."""
        text = file_of(sh("a", "while :; do echo line; sleep 0.01; done"))
        process = subprocess.Popen(
            [PROGRAM, "run", "--executor", "process", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(text.encode())
        process.stdin.close()
        process.stdout.readline()
        process.stdout.close()
        with process.stderr as stderr:
            assert stderr.read() == b""
        assert process.wait(DEADLINE) == 1


class TestFailures:
    """What stands at the end of a run, for each job that failed."""

    def again(self, done: Done) -> list[str]:
        """The commands that run them again."""
        return [
            line.removeprefix("  run again: ") for line in done.out.splitlines() if line.startswith("  run again: ")
        ]

    def test_the_command_runs_what_failed_as_it_was_run(self) -> None:
        """What chose other jobs is left out, and what is put in comes before a `--`."""
        text = file_of(sh("a", "true", more=""), sh("b", "exit 3", more=""))
        job = "jobsmgr run --only=g/b --executor process"
        assert self.again(ran(text, "--from", "a")) == [f"{job} -"]
        assert self.again(ran(text, "--from=a", "-j", "2")) == [f"{job} -j 2 -"]
        assert self.again(ran(text, "--only", "b")) == [f"{job} -"]
        assert self.again(ran(text, "--")) == [f"{job} -- -"]

    def test_of_several_workflows(self) -> None:
        """Names of jobs stand behind the workflow's."""
        done = ran(file_of(sh("a", "true")) + "---\n" + file_of(sh("a", "exit 3"), name="other"))
        assert self.again(done) == ["jobsmgr run --name=other --only=g/a --executor process -"]
        assert "✘ other:g/a failed  try 1: failed with exit code 3" in done.out

    def test_ten_at_most(self) -> None:
        """And how many more there are."""
        done = simulated(file_of(*(f"name: j{number}, args: [x], parallel: true" for number in range(13))), *FAIL)
        assert len(self.again(done)) == 10
        assert done.out.splitlines()[-2] == "3 more failed."

    def test_what_was_stopped_did_not_fail_by_itself(self) -> None:
        """Under --fail-fast there is one block, however many ran."""
        done = ran(file_of(sh("a", "exit 1"), sh("b", "exec sleep 1000")), "--fail-fast")
        assert len(self.again(done)) == 1

    def test_quiet(self) -> None:
        """One line a workflow, failed or not."""
        assert len(simulated(GROUPS, *FAIL, "-q").out.splitlines()) == 1

    def test_a_long_line_is_cut(self) -> None:
        """The log has all of it."""
        done = ran(file_of(sh("a", "head -c 5000 /dev/zero | tr '\\0' x; exit 1")), "--no-logs")
        (line,) = [line for line in done.out.splitlines() if line.startswith("  │ ")]
        assert line == f"  │ {'x' * 1000}…"
