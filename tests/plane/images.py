"""Images of Debian's static busybox, made here: no registry is asked. Runs nothing but busybox itself."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

BUSYBOX = Path("/bin/busybox")

IMAGE = "docker.io/library/busybox:1.37"
LATEST = "docker.io/library/busybox:latest"
"""The same image under the two names that the examples and tests ask for."""

OTHER_IMAGE = "localhost:1/other:1"
"""One with everything that an image can say, of a registry where nobody listens."""

OTHER_SAYS = {
    "Entrypoint": ["echo", "entrypoint"],
    "Cmd": ["of the image"],
    "User": "1000:2000",
    "WorkingDir": "/work",
    "Env": ["PATH=/bin", "OF_THE_IMAGE=1", "FOR_BOTH=image"],
}

_FILES = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n", "etc/group": "root:x:0:\n"}
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def root_files() -> bytes:
    """A tar of a root file system: busybox under all its names, and folders that everybody may write to."""
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in (".", "bin", "etc", "proc", "sys", "dev", "tmp", "work"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name in ("tmp", "work") else 0o755
            tar.addfile(info)
        tar.add(BUSYBOX, "bin/busybox", filter=_of_root)
        for name in sorted({*applets} - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        _add(tar, {name: text.encode() for name, text in _FILES.items()}.items())
    return buffer.getvalue()


def archive(name: str, layer: bytes, says: Mapping[str, object]) -> bytes:
    """An image as `docker save` writes it: one layer, and what the image says of itself."""
    layer_id = hashlib.sha256(layer).hexdigest()
    machine = platform.machine()
    configuration = {
        "architecture": _MACHINES.get(machine, machine),
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], **says},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]},
        "history": [{"created_by": "tests"}],
    }
    text = json.dumps(configuration).encode()
    image_id = hashlib.sha256(text).hexdigest()
    manifest = [{"Config": f"{image_id}.json", "RepoTags": [name], "Layers": [f"{layer_id}.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        files = {f"{image_id}.json": text, f"{layer_id}.tar": layer, "manifest.json": json.dumps(manifest).encode()}
        _add(tar, files.items())
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, files: Iterable[tuple[str, bytes]]) -> None:
    for name, content in files:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))


def _of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info
