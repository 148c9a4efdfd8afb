"""The operator's image, built once for all tests of a process. Nothing is tested here."""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.image import base
from tests.local.podman import NoPodman, Podman, configured
from tests.plane.access import ROOT

REQUIRED = "JOBSMGR_IMAGE"
"""The environment variable that, set to `required`, makes a missing podman or base image a failure."""

BASE = "localhost/base:1"
IMAGE = "localhost/jobsmgr:tested"
VERSION, REVISION = "1.2.3", "abc123"

MINUTES = 600.0
"""Seconds that a build may take: it fetches what is locked."""

RESTRICTED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges")
"""What the shipped pod may not do: no file can be written, not even below /tmp."""

_INDEX = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy")


@attrs.frozen
class Image:
    """Builds, runs and looks at images in a podman of the tests' own."""

    podman: Podman
    base: str

    def build(self, tag: str, *options: str) -> "subprocess.CompletedProcess[str]":
        """Build the Containerfile; pip finds there what it finds on this machine."""
        secrets = [f"--secret=id={path.name},src={path}" for path in _pip_files(self.podman.root)]
        arguments = [f"--build-arg={name}" for name in (f"BASE={self.base}", f"VERSION={VERSION}")]
        words = ("--network=host", *secrets, *arguments, f"--build-arg=REVISION={REVISION}", *options)
        return self.podman.run("build", *words, "--tag", tag, str(ROOT), seconds=MINUTES)

    def run(self, *words: str, image: str = IMAGE) -> "subprocess.CompletedProcess[str]":
        """Run it with no more than its pod may do, without a network."""
        return self.podman.run("run", "--rm", "--network=none", *RESTRICTED, image, *words)

    def python(self, script: str, image: str = IMAGE) -> Any:
        """What a script prints as JSON, run by the Python that runs the operator."""
        words = ("run", "--rm", *RESTRICTED, "--network=none", "--entrypoint", "/opt/jobsmgr/bin/python", image)
        return json.loads(self.podman.order(*words, "-c", script))

    def configuration(self, image: str = IMAGE) -> Mapping[str, Any]:
        """What the image says of itself."""
        (found,) = json.loads(self.podman.order("image", "inspect", image))
        configuration: Mapping[str, Any] = found["Config"]
        return configuration


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built; skipped where that cannot be, and failed there if `JOBSMGR_IMAGE` is `required`."""
    with tempfile.TemporaryDirectory(prefix="podman-", dir="/tmp", ignore_cleanup_errors=True) as run:
        try:
            made = _set_up(tmp_path_factory.mktemp("podman"), Path(run))
        except (NoPodman, base.NoBase) as lack:
            if os.environ.get(REQUIRED) == "required":
                pytest.fail(f"{REQUIRED} is set to required, but {lack}", pytrace=False)
            pytest.skip(f"no image can be built: {lack}")
        try:
            built = made.build(IMAGE)
            assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
            yield made
        finally:
            made.podman.order("rm", "--all", "--force")
            made.podman.order("rmi", "--all", "--force", seconds=MINUTES)


def _set_up(root: Path, run: Path) -> Image:
    podman = configured(root, run, driver="overlay")
    named = os.environ.get(base.VARIABLE)
    if named:
        return Image(podman, named)
    archive = base.base_archive()
    podman.order("import", str(archive), BASE, seconds=MINUTES)
    return Image(podman, BASE)


def _pip_files(folder: Path) -> Iterator[Path]:
    """This machine's settings of pip, as the Containerfile wants them: where packages come from and whom to trust."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    settings = {key.rpartition(".")[2].replace("_", "-"): ast.literal_eval(value) for key, _, value in pairs}
    lines = [f"{name} = {settings[name]}" for name in _INDEX if name in settings]
    if "cert" in settings:
        trusted = folder / "ca.crt"
        trusted.write_bytes(Path(settings["cert"]).read_bytes())
        yield trusted
        lines.append("cert = /etc/pip-ca.crt")
    configuration = folder / "pip.conf"
    configuration.write_text("\n".join(["[global]", *lines, ""]))
    yield configuration
