"""`jobsmgr run --retry DIR`: on from where a former run ended, by its result.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run
from tests.cli.runs import file_of, sh


def ran(tmp_path: Path, text: str, *arguments: str) -> Any:
    """Run a file with processes, in its directory."""
    file = tmp_path / "wf.yaml"
    file.write_text(text)
    return run("run", str(file), "--executor", "process", *arguments)


def result(directory: Path) -> dict[str, Any]:
    """What result.json says of the one workflow."""
    (found,) = json.loads((directory / "result.json").read_text())["workflows"]
    assert isinstance(found, dict)
    return found


def jobs(directory: Path) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for group in result(directory)["groups"] for job in group["jobs"]}


def three(tmp_path: Path, middle: str) -> str:
    """Three jobs in a row, each of which leaves a line in a file; the second one does something more."""
    trail = tmp_path / "trail"
    each = {name: f"echo {name} >> {trail}" for name in "abc"}
    return file_of(
        sh("a", each["a"], "parallel: true"),
        sh("b", f"{each['b']}; {middle}", "parallel: false"),
        sh("c", each["c"], "parallel: false"),
    )


class TestRetry:
    """What has succeeded is kept; all else runs again, with the file as it is now."""

    def test_it_goes_on_from_where_it_failed(self, tmp_path: Path) -> None:
        """The file is fixed in between; the result is written to the same directory."""
        out = tmp_path / "out"
        assert ran(tmp_path, three(tmp_path, "exit 3"), "--output-dir", str(out)).code == 3
        before = jobs(out)
        done = ran(tmp_path, three(tmp_path, "exit 0"), "--retry", str(out))
        assert done.code == 0, done.err
        assert (tmp_path / "trail").read_text().split() == ["a", "b", "b", "c"]
        assert "succeeded before" in done.out
        after = jobs(out)
        assert after["a"] == before["a"]
        assert (result(out)["phase"], result(out)["progress"]) == ("succeeded", "3/3")
        assert [(name, job["phase"], job.get("attempt", 1)) for name, job in after.items()] == [
            ("a", "succeeded", 1),
            ("b", "succeeded", 2),
            ("c", "succeeded", 2),
        ]
        assert [one["phase"] for one in after["b"]["history"]] == ["failed"]
        assert result(out)["retry"]["jobs"] == ["g/b", "g/c"]

    def test_the_logs_of_all_tries_stay(self, tmp_path: Path) -> None:
        """Numbered on."""
        out = tmp_path / "out"
        ran(tmp_path, three(tmp_path, "echo one; exit 3"), "--output-dir", str(out))
        ran(tmp_path, three(tmp_path, "echo two"), "--retry", str(out))
        assert [(one["number"], one["log"], one["exitCode"]) for one in jobs(out)["b"]["tries"]] == [
            (1, "wf/g/b-1.log", 3),
            (2, "wf/g/b-2.log", 0),
        ]
        assert (out / "wf" / "g" / "b-1.log").read_text() == "one\n"
        assert (out / "wf" / "g" / "b-2.log").read_text() == "two\n"

    def test_to_another_directory(self, tmp_path: Path) -> None:
        """The former logs are named where they are."""
        out, more = tmp_path / "out", tmp_path / "more"
        ran(tmp_path, three(tmp_path, "exit 3"), "--output-dir", str(out))
        before = (out / "result.json").read_bytes()
        ran(tmp_path, three(tmp_path, "exit 0"), "--retry", str(out), "--output-dir", str(more))
        assert (out / "result.json").read_bytes() == before
        assert [one["log"] for one in jobs(more)["b"]["tries"]] == [str(out / "wf/g/b-1.log"), "wf/g/b-2.log"]

    def test_again_and_again(self, tmp_path: Path) -> None:
        """Until it has succeeded; then there is nothing to run."""
        out = tmp_path / "out"
        ran(tmp_path, three(tmp_path, "exit 3"), "--output-dir", str(out))
        for attempt in (2, 3):
            assert ran(tmp_path, three(tmp_path, "exit 3"), "--retry", str(out)).code == 3
            assert jobs(out)["b"]["attempt"] == attempt
        assert ran(tmp_path, three(tmp_path, "true"), "--retry", str(out)).code == 0
        trail = (tmp_path / "trail").read_text()
        done = ran(tmp_path, three(tmp_path, "true"), "--retry", str(out))
        assert (done.code, (tmp_path / "trail").read_text()) == (0, trail)
        assert result(out)["phase"] == "succeeded"

    def test_a_job_that_is_new_in_the_file_runs(self, tmp_path: Path) -> None:
        """And one that is no longer in it does not count."""
        out = tmp_path / "out"
        ran(tmp_path, three(tmp_path, "exit 3"), "--output-dir", str(out))
        text = file_of(sh("a", "exit 9"), sh("d", "echo d"))
        done = ran(tmp_path, text, "--retry", str(out))
        assert done.code == 0, done.out + done.err
        assert {name: job["phase"] for name, job in jobs(out).items()} == {"a": "succeeded", "d": "succeeded"}

    def test_after_an_interruption(self, tmp_path: Path) -> None:
        """What was stopped had not succeeded."""
        out = tmp_path / "out"
        ran(tmp_path, three(tmp_path, "exit 3"), "--output-dir", str(out))
        content = json.loads((out / "result.json").read_text())
        content["workflows"][0]["phase"] = "running"
        for job in content["workflows"][0]["groups"][0]["jobs"][1:]:
            job |= {"phase": "running", "reason": "Interrupted"}
        (out / "result.json").write_text(json.dumps(content))
        assert ran(tmp_path, three(tmp_path, "true"), "--retry", str(out)).code == 0
        assert (tmp_path / "trail").read_text().split() == ["a", "b", "b", "c"]

    def test_simulated(self, tmp_path: Path) -> None:
        """The same without running anything."""
        out, text = tmp_path / "out", file_of("name: a", "name: b", "name: c")
        (tmp_path / "wf.yaml").write_text(text)
        arguments = ("run", str(tmp_path / "wf.yaml"), "--executor", "simulate")
        assert run(*arguments, "--exit-code", "b=1", "--output-dir", str(out)).code == 3
        assert run(*arguments, "--retry", str(out)).code == 0
        assert [job.get("attempt", 1) for job in jobs(out).values()] == [1, 2, 2]


class TestBadInput:
    """One sentence, exit code 2, before anything starts."""

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (
                None,
                "out/result.json cannot be read: No such file or directory; name the --output-dir of an earlier run",
            ),
            ("{", "out/result.json is not valid JSON ("),
            ("[]", 'out/result.json has no workflow "default/wf", only: none; select workflows with --name'),
            ('{"workflows": 3}', 'out/result.json has no workflow "default/wf", only: none'),
            (
                '{"workflows": [{"namespace": "default", "name": "x"}]}',
                'has no workflow "default/wf", only: "default/x"',
            ),
        ],
    )
    def test_a_result_that_cannot_be_used(self, tmp_path: Path, content: str | None, text: str) -> None:
        """Missing, broken, or of something else."""
        out = tmp_path / "out"
        out.mkdir()
        if content is not None:
            (out / "result.json").write_text(content)
        done = ran(tmp_path, file_of(sh("a", "echo started")), "--retry", str(out))
        assert (done.code, done.out) == (2, "")
        assert text in done.err
        assert len(done.err.splitlines()) == 1

    def test_with_a_choice_of_jobs(self, tmp_path: Path) -> None:
        """It is the result that chooses."""
        done = ran(tmp_path, file_of(sh("a", "true")), "--retry", str(tmp_path), "--only", "a")
        assert done.code == 2
        assert "--retry selects the jobs itself" in done.err


class TestVariables:
    """`--env` and `--env-file`, and what becomes of them when a run goes on."""

    ENV = "  params: {env: [{name: DAY, value: sunday}, {name: HOUR, value: noon}]}\n"

    def test_a_run_sets_what_the_workflow_declares(self, tmp_path: Path) -> None:
        """As `submit` does: an option wins over a file, what is not declared is refused; jobs and result have them."""
        (tmp_path / "values").write_text("# day and hour\nDAY=monday\nHOUR=one\n")
        text = file_of(sh("a", "echo ${DAY} ${HOUR}"), more=self.ENV)
        given = ("--env-file", str(tmp_path / "values"), "--env", "HOUR=two")
        done = ran(tmp_path, text, *given, "--output-dir", str(tmp_path / "out"))
        assert (done.code, done.err) == (0, "")
        assert (tmp_path / "out" / "wf" / "g" / "a-1.log").read_text() == "monday two\n"
        content = json.loads((tmp_path / "out" / "result.json").read_text())
        assert content["env"] == {"DAY": "monday", "HOUR": "two"}
        env = jobs(tmp_path / "out")["a"]["compiledParams"]["env"]
        assert {one["name"]: one["value"] for one in env} == {"DAY": "monday", "HOUR": "two"}
        wrong = ran(tmp_path, text, "--env", "DAYS=1")
        assert wrong.code == 2
        assert 'spec.params.env has no variable "DAYS"; did you mean "DAY"?' in wrong.err
        assert ran(tmp_path, text, "--env", "DAY").code == 2

    def test_of_several_workflows_each_takes_what_it_declares(self, tmp_path: Path) -> None:
        """A variable that one of them declares is no mistake; one that none declares is."""
        other = file_of(sh("b", "echo other ${DAY}"), name="other", more="  params: {env: [{name: DAY, value: x}]}\n")
        text = f"{file_of(sh('a', 'echo one ${DAY} ${HOUR}'), more=self.ENV)}---\n{other}"
        done = ran(tmp_path, text, "--env", "DAY=monday", "--env", "HOUR=two", "--color", "never")
        assert done.code == 0, done.err
        assert "one monday two" in done.out
        assert "other monday" in done.out
        wrong = ran(tmp_path, text, "--env", "NIGHT=1").err
        assert 'no workflow\'s spec.params.env has a variable "NIGHT"; they declare DAY, HOUR\n' in wrong

    def test_a_retry_goes_on_with_the_same_values(self, tmp_path: Path) -> None:
        """Unless others are given; the command for one job has them. What the file no longer declares is dropped."""
        out = str(tmp_path / "out")
        text = file_of(sh("a", "echo ${DAY} ${HOUR}; exit 3"), more=self.ENV)
        assert ran(tmp_path, text, "--env", "DAY=monday", "--env", "HOUR=two", "--output-dir", out).code == 3
        done = ran(tmp_path, text, "--retry", out, "--env", "HOUR=three", "--logs")
        assert (done.code, "monday three" in done.out) == (3, True)
        assert "run --env=DAY=monday --only=g/a" in done.out
        assert json.loads((tmp_path / "out" / "result.json").read_text())["env"] == {"DAY": "monday", "HOUR": "three"}
        fewer = text.replace("{name: DAY, value: sunday}, ", "").replace("exit 3", "exit 0")
        done = ran(tmp_path, fewer, "--retry", out)
        assert (done.code, " three\n" in done.out) == (0, True)
