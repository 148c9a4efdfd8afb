"""Which engine is found, what the error is where none works, and what its images are called."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from jobsmgr.local import engines
from jobsmgr.local.engines import Engine, Image, find_engine, full_name
from jobsmgr.local.errors import ImageMissing, NoContainerEngine
from tests.local.podman import Podman
from tests.plane.images import IMAGE, OTHER_IMAGE


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Programs of these names, as shell scripts, and no others on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(**scripts: str) -> Path:
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        return tmp_path

    return make


WORKS = "echo 1.0"
NO_DAEMON = "echo 'Warning: something' >&2; echo 'Error: cannot connect to its socket' >&2; exit 125"


class TestFinding:
    """The first one that really answers."""

    @pytest.mark.parametrize(
        ("scripts", "found"),
        [
            ({"podman": WORKS, "docker": WORKS}, "podman"),
            ({"docker": WORKS}, "docker"),
            ({"podman": NO_DAEMON, "docker": WORKS}, "docker"),
        ],
    )
    async def test_which(self, programs: Callable[..., Path], scripts: dict[str, str], found: str) -> None:
        """podman before docker; one that is there and does not work is passed over."""
        programs(**scripts)
        assert (await find_engine()).program == found

    async def test_a_real_one(self, podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is asked what it runs containers with."""
        for name, value in podman.environment.items():
            monkeypatch.setenv(name, value)
        assert (await find_engine()).program == "podman"

    @pytest.mark.parametrize(
        ("scripts", "reasons"),
        [
            ({}, "podman is not installed, docker is not installed"),
            (
                {"podman": NO_DAEMON, "docker": "exit 1"},
                "podman does not work (cannot connect to its socket), docker does not work (exit code 1)",
            ),
            ({"podman": "exec /bin/sleep 1000"}, "podman did not answer within 1 s, docker is not installed"),
        ],
    )
    async def test_none(
        self,
        programs: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        scripts: dict[str, str],
        reasons: str,
    ) -> None:
        """What keeps each from working, and the two flags to choose from; a silent one is not waited for."""
        monkeypatch.setattr(engines, "_PROBE_SECONDS", 1.0)
        programs(**scripts)
        with pytest.raises(NoContainerEngine) as caught:
            await find_engine()
        assert str(caught.value) == (
            f"no container engine works here: {reasons}; use --executor process (runs the commands on this machine,"
            " without isolation) or --executor simulate (runs nothing)"
        )

    async def test_a_program_that_cannot_be_run(self, programs: Callable[..., Path]) -> None:
        """Is none."""
        (programs() / "podman").write_text("no program")
        with pytest.raises(NoContainerEngine, match=r"podman cannot be run \(Permission denied\), docker is not"):
            await find_engine()


class TestImages:
    """Had once for a run, whoever asks."""

    @pytest.mark.parametrize(
        ("image", "full"),
        [
            ("busybox", "docker.io/library/busybox"),
            ("busybox:1.37", "docker.io/library/busybox:1.37"),
            ("busybox@sha256:0", "docker.io/library/busybox@sha256:0"),
            ("team/tool:1", "docker.io/team/tool:1"),
            ("quay.io/team/tool", "quay.io/team/tool"),
            ("localhost/tool", "localhost/tool"),
            ("registry:5000/tool", "registry:5000/tool"),
        ],
    )
    def test_short_names_are_those_of_docker_hub(self, image: str, full: str) -> None:
        """As Kubernetes reads them."""
        assert full_name(image) == full

    async def test_jobs_side_by_side_pull_once(self, programs: Callable[..., Path]) -> None:
        """The second one takes what the first one got."""
        log = programs(podman=f'echo "$*" >> "{programs()}/log"; [ "$1" = pull ]') / "log"
        engine, names = Engine("podman"), list[str]()

        async def ask() -> None:
            names.append((await engine.image("tool", "IfNotPresent")).name)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        assert names == ["docker.io/library/tool"] * 5
        assert [line for line in log.read_text().splitlines() if line.startswith("pull")] == [
            "pull --quiet -- docker.io/library/tool"
        ]

    async def test_a_pull_that_failed_is_tried_again(self, programs: Callable[..., Path]) -> None:
        """By the next job that wants the image; the reason is the engine's last words."""
        programs(podman="echo one >&2; echo 'Error: no such image' >&2; exit 125")
        engine = Engine("podman")
        for _ in range(2):
            with pytest.raises(ImageMissing, match=r'^image "tool" could not be pulled: no such image$'):
                await engine.image("tool", "Always")

    async def test_what_a_real_one_has(self, podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
        """By its short name too, and whom it runs as."""
        for name, value in podman.environment.items():
            monkeypatch.setenv(name, value)
        engine = Engine("podman")
        images = [await engine.image(name, "Never") for name in ("busybox:1.37", IMAGE, OTHER_IMAGE)]
        assert [image.user for image in images] == ["", "", "1000:2000"]
        assert images[-1] == Image(
            name=OTHER_IMAGE,
            user="1000:2000",
            variables=frozenset({"PATH", "OF_THE_IMAGE", "FOR_BOTH"}),
            entrypoint=("echo", "entrypoint"),
            command=("of the image",),
        )
        with pytest.raises(ImageMissing, match="it does not exist on this machine, and imagePullPolicy is Never"):
            await engine.image("busybox:0", "Never")
