"""Jobs as processes of this machine: really started, in their own group, and nothing left of them."""

import re
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from jobsmgr.api.images import WITHOUT_ENTRYPOINT, has_no_entrypoint
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Exit, ForceStop
from jobsmgr.local.objects import Objects
from jobsmgr.local.processes import Processes
from jobsmgr.local.tries import pod_identity
from tests.local.world import HOST, attempt, ended, manifest, phases, run, workflow
from tests.plane.eventually import eventually


def execute(directory: Path, container: dict[str, object], pod: dict[str, object] | None = None) -> tuple[Exit, str]:
    """Run one try to its end; how it ended and what it wrote."""
    job, chunks = manifest(container, pod), list[bytes]()

    async def main() -> Exit:
        return await Processes(Objects(), ForceStop(), HOST).run(attempt(job, directory / "pod", chunks.append))

    return anyio.run(main), b"".join(chunks).decode()


def shell(script: str) -> dict[str, object]:
    """A shell's script; `$$`, which Kubernetes would make a `$`, is escaped."""
    return {"command": ["sh", "-c", script.replace("$$", "$$$$")]}


class TestWhatAJobGets:
    """Command, environment and directory."""

    def test_variables_of_the_workflow_and_three_of_this_machine(self, tmp_path: Path) -> None:
        """Nothing else leaks in."""
        env = [{"name": "OWN", "value": "1"}, {"name": "LANG", "value": "C"}]
        _, output = execute(tmp_path, {"command": ["env"], "env": env})
        found = dict(line.split("=", 1) for line in output.splitlines())
        assert found == {"PATH": HOST["PATH"], "HOME": HOST["HOME"], "LANG": "C", "OWN": "1"}

    def test_an_empty_directory_of_its_own(self, tmp_path: Path) -> None:
        """Below the pod's."""
        _, output = execute(tmp_path, shell("pwd; ls -A | wc -l"))
        assert output.split() == [str(tmp_path / "pod" / "work-0"), "0"]

    def test_references_in_command_and_args(self, tmp_path: Path) -> None:
        """Expanded by us, not by a shell."""
        env = [{"name": "A", "value": "x y"}]
        _, output = execute(
            tmp_path, {"command": ["printf", "[%s]"], "args": ["$(A)", "$$(A)", "$(B)", "$A"], "env": env}
        )
        assert output == "[x y][$(A)][$(B)][$A]"

    def test_args_alone_where_the_image_has_no_entrypoint(self, tmp_path: Path) -> None:
        """They are the command then."""
        how, output = execute(tmp_path, {"image": "busybox:1.37", "args": ["echo", "hi"]})
        assert (how.code, output) == (0, "hi\n")

    def test_standard_input_is_empty_and_stderr_is_output(self, tmp_path: Path) -> None:
        """A job that reads does not hang on the terminal."""
        how, output = execute(tmp_path, shell("cat; echo out; echo err >&2"))
        assert (how.code, sorted(output.split())) == (0, ["err", "out"])


class TestHowItEnds:
    """Exit codes as a shell says them."""

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)]
    )
    def test_codes(self, tmp_path: Path, script: str, code: int) -> None:
        """A signal is 128 and its number."""
        assert execute(tmp_path, shell(script))[0].code == code

    def test_a_command_that_is_not_there(self, tmp_path: Path) -> None:
        """As a kubelet says it, and final."""
        how, _ = execute(tmp_path, {"command": ["no-such-command-here"]})
        text = 'command "no-such-command-here" was not found in the PATH of this machine; correct or install it'
        assert how == Exit(code=128, reason="StartError", message=text, final=True)

    def test_a_command_that_cannot_be_run(self, tmp_path: Path) -> None:
        """The same; the message says what is wrong with it."""
        (tmp_path / "file").write_text("x")
        how, _ = execute(tmp_path, {"command": [str(tmp_path / "file")]})
        assert (how.code, how.reason, how.final) == (128, "StartError", True)
        assert "cannot be run: it is not executable; run chmod" in how.message

    def test_what_it_left_in_the_background_is_ended_with_it(self, tmp_path: Path) -> None:
        """The whole group goes, and its output is not waited for."""
        _, output = execute(tmp_path, shell("sleep 1000 & echo $!"))
        eventually(lambda: ended(int(output)), "its process is ended")

    def test_output_to_the_last_byte(self, tmp_path: Path) -> None:
        """Even much of it, right before the end."""
        _, output = execute(tmp_path, shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"))
        assert output.splitlines() == [f"line {n}" for n in range(20000)]


class TestStopping:
    """A try that is cancelled."""

    async def stop(
        self, directory: Path, script: str, grace: float, force_stop: ForceStop, then: Callable[[], None] = lambda: None
    ) -> tuple[str, float]:
        """Start a job, cancel it when it has said "ready"; what it said, and how long the end took."""
        chunks, ready = list[bytes](), anyio.Event()

        def write(chunk: bytes) -> None:
            chunks.append(chunk)
            if b"ready" in b"".join(chunks):
                ready.set()

        job = manifest(shell(script), {"terminationGracePeriodSeconds": grace})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Processes(Objects(), force_stop, HOST).run, attempt(job, directory / "pod", write))
            await ready.wait()
            began = anyio.current_time()
            tasks.cancel_scope.cancel()
            then()
        return b"".join(chunks).decode(), anyio.current_time() - began

    async def test_it_is_asked_first(self, tmp_path: Path) -> None:
        """SIGTERM, and what it says then is still heard."""
        # It starts nothing that the signal would end too: a shell may report the end of a child.
        script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do :; done"
        output, _ = await self.stop(tmp_path, script, 60, ForceStop())
        assert output == "ready\nbye\n"

    async def test_who_does_not_listen_is_killed_after_the_grace_period(self, tmp_path: Path) -> None:
        """With the whole group."""
        script = "trap '' TERM; sleep 1000 & echo $! ready; wait; wait"
        output, took = await self.stop(tmp_path, script, 1, ForceStop())
        assert took >= 1
        eventually(lambda: ended(int(output.split()[0])), "its process is ended")

    async def test_a_forced_stop_gives_no_grace(self, tmp_path: Path) -> None:
        """Requested before, or while it is waited for: the grace period of an hour is cut short."""
        script = "trap '' TERM; echo ready; while :; do sleep 1000; done"
        force_stop = ForceStop()
        await self.stop(tmp_path, script, 3600, force_stop, force_stop.request)


class TestRefusals:
    """What only a container can give."""

    @pytest.mark.parametrize(
        ("container", "path"),
        [
            ({"command": ["true"], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, "volumeMounts[0]"),
            ({"command": ["true"], "workingDir": "/w"}, "workingDir"),
            ({"image": "nginx", "args": ["x"]}, "command"),
            ({"image": "example.com/busybox", "args": ["x"]}, "command"),
            ({"image": "busybox"}, "args"),
            ({"command": ["true"], "envFrom": [{"secretRef": {"name": "none"}}]}, "envFrom[0].secretRef.name"),
        ],
    )
    def test_before_anything_starts(self, container: dict[str, object], path: str) -> None:
        """Each names its field."""
        job = manifest(container)
        with pytest.raises(CannotRun) as caught:
            Processes(Objects(), ForceStop(), HOST).check(job, pod_identity(job, ""))
        assert caught.value.problem.path == path

    @pytest.mark.parametrize(
        "image",
        ["busybox", "busybox:1.37", "docker.io/library/alpine:3", "library/debian", "ubuntu@sha256:0", "python:3"],
    )
    def test_images_without_entrypoint(self, image: str) -> None:
        """By whatever name."""
        assert has_no_entrypoint(image)

    @pytest.mark.parametrize("image", ["nginx", "quay.io/me/busybox", "me/busybox", "busybox-plus", "localhost/alpine"])
    def test_others_are_not_known(self, image: str) -> None:
        """A namesake in another registry may have any entrypoint."""
        assert not has_no_entrypoint(image)

    def test_the_list_is_documented(self) -> None:
        """docs/run.md names exactly the images that the code knows."""
        page = (Path(__file__).parents[2] / "docs" / "run.md").read_text()
        (paragraph,) = (part for part in page.split("\n\n") if part.startswith("`almalinux`"))
        assert set(re.findall(r"`([a-z-]+)`", paragraph)) == WITHOUT_ENTRYPOINT


class TestWorkflows:
    """The whole loop over real processes."""

    def test_order_and_retries(self, tmp_path: Path) -> None:
        """A job that fails first and succeeds then; what waits runs last."""
        mark = tmp_path / "mark"
        flaky = f"[ -e {mark} ] || {{ touch {mark}; exit 1; }}"
        spec = workflow({"name": "g", "jobs": [{"name": "a", "command": ["sh", "-c", flaky]}, {"name": "b"}]})
        ran = run(Processes(Objects(), ForceStop(), HOST), tmp_path, spec, virtual=False)
        assert phases(ran.status) == {"g/a": "succeeded", "g/b": "succeeded"}
        assert [code for _, _, code, _ in ran.record.exits] == [1, 0, 0]
        assert ran.record.exits[0][3] == 1.0

    def test_a_restart_in_place_begins_in_an_empty_directory(self, tmp_path: Path) -> None:
        """As a restarted container begins with its image's files."""
        job = {"name": "a", "command": ["sh", "-c", "[ ! -e x ] && touch x && exit 1"]}
        spec = workflow({"name": "g", "jobs": [job]}, retries=1, params={"restartPolicy": "OnFailure"})
        ran = run(Processes(Objects(), ForceStop(), HOST), tmp_path, spec, virtual=False)
        assert [code for _, _, code, _ in ran.record.exits] == [1, 1]

    def test_a_deadline_ends_the_process(self, tmp_path: Path) -> None:
        """Nothing of it is left."""
        job = {"name": "a", "command": ["sh", "-c", "echo $$$$; exec sleep 1000"], "activeDeadlineSeconds": 1}
        ran = run(
            Processes(Objects(), ForceStop(), HOST), tmp_path, workflow({"name": "g", "jobs": [job]}), virtual=False
        )
        assert phases(ran.status) == {"g/a": "failed"}
        eventually(lambda: ended(int(ran.record.output["g/a"])), "its process is ended")
