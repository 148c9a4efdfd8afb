"""A pod's volumes as directories and files of this machine, and its mounts of them. Nothing is run here."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import attrs

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.suggestions import did_you_mean
from jobsmgr.api.syntax import valid_path_inside
from jobsmgr.files.objects import CLAIM, CONFIG_MAP, SECRET, Data
from jobsmgr.local.environment import PodIdentity, expand, find, references
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.objects import DEFAULT_NAMESPACE, Objects
from jobsmgr.local.ownership import Access

_FILES = ("configMap", "secret")
SUPPORTED = ("emptyDir", "configMap", "secret", "persistentVolumeClaim", "hostPath")
FILE_MODE = 0o644
_FOLDER_MODE, _OPEN_MODE, _MEMORY_MODE = 0o755, 0o777, 0o1777
"""Folders within a ConfigMap, a volume's own as the kubelet makes it, and as it makes one in memory."""
_DATA = "..data"
"""The link through which the kubelet exchanges all files of a volume at once."""
_HOST_CHECKS = {
    "": Path.exists,
    "DirectoryOrCreate": Path.is_dir,
    "Directory": Path.is_dir,
    "FileOrCreate": Path.is_file,
    "File": Path.is_file,
    "Socket": Path.is_socket,
    "CharDevice": Path.is_char_device,
    "BlockDevice": Path.is_block_device,
}
"""What a path of this machine must be, by the volume's `type`."""


@attrs.frozen(kw_only=True)
class Mount:
    """A path of this machine that a container sees under `target`."""

    source: Path
    target: str
    read_only: bool


@attrs.frozen(kw_only=True)
class Owned:
    """A volume that a pod's `fsGroup` is given, and what the group may do there."""

    place: Path
    access: Access
    lasting: bool
    """Whether it outlives the pod."""


@attrs.frozen(kw_only=True)
class _File:
    path: str
    content: bytes
    mode: int


def check_volumes(
    pod: Manifest, identity: PodIdentity, objects: Objects, variables: Mapping[str, str], *, allow_host_path: bool
) -> None:
    """Raise `CannotRun` for the first volume or mount that this machine cannot give."""
    volumes = {str(volume.get("name")): volume for volume in pod.get("volumes") or ()}
    for index, volume in enumerate(pod.get("volumes") or ()):
        _check_volume(f"volumes[{index}]", volume, identity, objects, allow_host_path)
    for index, mount in enumerate(_container(pod).get("volumeMounts") or ()):
        _sub_path(f"volumeMounts[{index}]", mount, variables)
        if str(mount.get("name")) not in volumes:
            raise CannotRun(Problem(f"volumeMounts[{index}].name", f'"{mount.get("name")}" is not a volume of the pod'))


def _kind(volume: Manifest) -> str:
    """The type of a volume; one without a type is an emptyDir, as for the API server."""
    kinds = [str(key) for key, value in volume.items() if key != "name" and value is not None]
    return ", ".join(sorted(kinds)) or "emptyDir"


def _check_volume(path: str, volume: Manifest, identity: PodIdentity, objects: Objects, allow_host_path: bool) -> None:
    kind = _kind(volume)
    if kind not in SUPPORTED:
        text = f'volume "{volume.get("name")}" is {kind}; on this machine, only {", ".join(SUPPORTED)} can be mounted'
        raise CannotRun(Problem(path, text))
    if kind == "hostPath":
        _check_host_path(f"{path}.hostPath", volume["hostPath"], allow_host_path)
    if kind in _FILES:
        list(_files(path, kind, volume[kind], identity, objects))
    if kind == "persistentVolumeClaim":
        find(f"{path}.{kind}", CLAIM, volume[kind], identity.namespace, objects, "claimName")


def _check_host_path(path: str, volume: Manifest, allowed: bool) -> None:
    where, kind = PurePosixPath(str(volume.get("path"))), str(volume.get("type") or "")
    if not where.is_absolute() or ".." in where.parts:
        raise CannotRun(Problem(f"{path}.path", f'"{where}" must be an absolute path without ".."; start it with "/"'))
    if kind not in _HOST_CHECKS:
        known = ", ".join(filter(None, _HOST_CHECKS))
        raise CannotRun(Problem(f"{path}.type", f'"{kind}" is not a valid hostPath type; use one of {known}, or none'))
    if not allowed:
        text = (
            f'gives the job access to "{where}" on this machine; allow that with --allow-host-path, or use an emptyDir'
        )
        raise CannotRun(Problem(path, text))


class Volumes:
    """The volumes of one pod below a directory of its own; made once, kept while the pod restarts in place.

    Claims are below a directory that all pods of a run share: they are how jobs hand files on.
    """

    def __init__(self, root: Path, claims: Path, pod: Manifest, identity: PodIdentity, objects: Objects) -> None:
        self._root = root
        self._claims = claims
        self._pod = pod
        self._identity = identity
        self._objects = objects

    def make(self) -> None:
        """Write everything. Raises `CannotRun` for a host path that is not what its `type` says."""
        for index, volume in enumerate(self._pod.get("volumes") or ()):
            kind, place = _kind(volume), self._source(volume)
            if kind == "hostPath":
                _find_host_path(f"volumes[{index}].hostPath", volume["hostPath"])
            elif kind in _FILES:
                _make_directory(place, _MEMORY_MODE if kind == "secret" else _OPEN_MODE)
                _write(place, [*_files(f"volumes[{index}]", kind, volume[kind], self._identity, self._objects)])
            elif kind == "persistentVolumeClaim":
                _make_directory(place, _FOLDER_MODE)  # root's, as a new disk is
            else:
                medium = (volume.get("emptyDir") or {}).get("medium")
                _make_directory(place, _MEMORY_MODE if medium == "Memory" else _OPEN_MODE)

    def owned(self) -> Iterator[Owned]:
        """The volumes that the kubelet gives the pod's `fsGroup`: all that it makes, and disks that can be written."""
        for volume in self._pod.get("volumes") or ():
            kind, place = _kind(volume), self._source(volume)
            if kind in _FILES:
                yield Owned(place=place, access=Access.READ, lasting=False)
            elif kind != "hostPath" and not _is_read_only(volume):
                yield Owned(place=place, access=Access.WRITE, lasting=kind == "persistentVolumeClaim")

    def mounts(self, variables: Mapping[str, str]) -> Iterator[Mount]:
        """What the container mounts, with `subPathExpr` expanded. Raises `CannotRun` for a link out of its volume."""
        volumes = {str(volume.get("name")): volume for volume in self._pod.get("volumes") or ()}
        for index, mount in enumerate(_container(self._pod).get("volumeMounts") or ()):
            volume = volumes[str(mount["name"])]
            fixed = _kind(volume) in _FILES or _is_read_only(volume)
            source = self._source(volume)
            if sub_path := _sub_path(path := f"volumeMounts[{index}]", mount, variables):
                source = _below(f"{path}.{_sub_path_field(mount)}", source, sub_path)
            target = str(PurePosixPath("/", str(mount["mountPath"])))  # the kubelet makes a relative one absolute too
            yield Mount(source=source, target=target, read_only=fixed or bool(mount.get("readOnly")))

    def _source(self, volume: Manifest) -> Path:
        """Where a volume is on this machine."""
        if (host := volume.get("hostPath")) is not None:
            return Path(host["path"])
        if (claim := volume.get("persistentVolumeClaim")) is not None:
            return self._claim(claim)
        return self._place(str(volume["name"]))

    def _place(self, name: str) -> Path:
        return self._root / name

    def _claim(self, claim: Manifest) -> Path:
        return self._claims / (self._identity.namespace or DEFAULT_NAMESPACE) / str(claim["claimName"])


def _is_read_only(volume: Manifest) -> bool:
    return bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))


def _container(pod: Manifest) -> Manifest:
    container: Manifest = pod["containers"][0]
    return container


def _make_directory(place: Path, mode: int) -> None:
    """A directory of that mode whatever the umask; one that is there stays what jobs have made of it."""
    if not place.exists():
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(mode)


def _below(path: str, volume: Path, sub_path: str) -> Path:
    """A place in a volume, made if it does not exist.

    What is mounted is where links lead: a job that could put one out of its volume there would show the next job, or
    itself after a restart, any file of this machine.
    """
    root = Path(os.path.realpath(volume))
    place = Path(os.path.realpath(root / sub_path))
    if not place.is_relative_to(root):
        raise CannotRun(Problem(path, f'"{sub_path}" is outside the volume; it is a link to {place}'))
    for part in reversed([place, *place.parents]):
        if part.is_relative_to(root):
            _make_directory(part, stat.S_IMODE(root.stat().st_mode))
    return place


def _write(place: Path, files: Sequence[_File]) -> None:
    """Files as the kubelet lays them out, so that it can exchange all at once: each is a link to one of that name."""
    folder = Path(tempfile.mkdtemp(dir=place, prefix=".."))
    folder.chmod(_FOLDER_MODE)
    for file in files:
        for part in reversed(PurePosixPath(file.path).parents):
            _make_directory(folder / part, _FOLDER_MODE)
        (folder / file.path).write_bytes(file.content)
        (folder / file.path).chmod(file.mode)
    (place / _DATA).symlink_to(folder.name)
    for name in dict.fromkeys(PurePosixPath(file.path).parts[0] for file in files):
        (place / name).symlink_to(PurePosixPath(_DATA, name))


def _find_host_path(path: str, volume: Manifest) -> None:
    where, kind = Path(str(volume["path"])), str(volume.get("type") or "")
    if kind == "DirectoryOrCreate" and not where.exists():
        where.mkdir(parents=True)
    elif kind == "FileOrCreate" and not where.exists():
        where.touch()
    if not _HOST_CHECKS[kind](where):
        raise CannotRun(Problem(f"{path}.path", f'"{where}" is not a {kind or "file or directory"} on this machine'))


def _sub_path_field(mount: Manifest) -> str:
    return "subPathExpr" if mount.get("subPathExpr") else "subPath"


def _sub_path(path: str, mount: Manifest, variables: Mapping[str, str]) -> str:
    """The mount's place in its volume; one that leads out of it is refused, as the kubelet does."""
    field = _sub_path_field(mount)
    text = str(mount.get(field) or "")
    if field == "subPathExpr":
        missing = next((name for name in references(text) if not variables.get(name)), None)
        if missing is not None:
            why = f'"{text}" needs variable "{missing}", which is empty or not set; set it under env'
            raise CannotRun(Problem(f"{path}.{field}", why))
        text = expand(text, variables)
    if not valid_path_inside(text):
        raise CannotRun(Problem(f"{path}.{field}", f'"{text}" is outside the volume; use a relative path without ".."'))
    return text


def _files(path: str, kind: str, source: Manifest, identity: PodIdentity, objects: Objects) -> Iterator[_File]:
    """The files of a ConfigMap or Secret: all keys, or the `items` that are named, with their modes."""
    field, what = ("name", CONFIG_MAP) if kind == "configMap" else ("secretName", SECRET)
    data = find(f"{path}.{kind}", what, source, identity.namespace, objects, field)
    if data is None:
        return
    mode = int(source["defaultMode"]) if source.get("defaultMode") is not None else FILE_MODE
    if source.get("items"):
        yield from _items(f"{path}.{kind}", source, data, mode)
    else:
        yield from (_File(path=key, content=content, mode=mode) for key, content in data.files.items())


def _items(path: str, source: Mapping[str, Any], data: Data, mode: int) -> Iterator[_File]:
    for index, item in enumerate(source["items"]):
        key, entry = str(item.get("key") or ""), f"{path}.items[{index}]"
        if key not in data.files:
            if source.get("optional"):
                continue
            hint = did_you_mean(key, data.files, "add it, or make the volume optional")
            raise CannotRun(Problem(f"{entry}.key", f'the key "{key}" does not exist; {hint}'))
        where = str(item.get("path") or key)
        if not valid_path_inside(where):
            raise CannotRun(
                Problem(f"{entry}.path", f'"{where}" is outside the volume; use a relative path without ".."')
            )
        own = int(item["mode"]) if item.get("mode") is not None else mode
        yield _File(path=str(PurePosixPath(where)), content=data.files[key], mode=own)
