"""Volumes as directories and files of this machine: what the kubelet would make, and nothing outside of them."""

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from jobsmgr.local.environment import PodIdentity
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.objects import Objects
from jobsmgr.local.ownership import Access
from jobsmgr.local.volumes import Mount, Volumes, check_volumes

CLAIM_SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
OBJECTS = Objects(
    [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf"},
            "data": {"a.txt": "from a", "b.txt": "from b"},
            "binaryData": {"raw": "AAH/"},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"TOKEN": "s3cret"}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": CLAIM_SPEC},
    ]
)
CLAIM = {"persistentVolumeClaim": {"claimName": "data"}}
POD = PodIdentity(name="wf-g-j-x", namespace="default", uid="u", labels={}, annotations={})


@pytest.fixture(autouse=True)
def careful_user() -> Iterator[None]:
    """Files of whoever runs this are private; what a container's own users must read is not."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def pod(volume: Mapping[str, Any], **mount: Any) -> dict[str, Any]:
    """One volume "v", mounted at /v."""
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    return {"volumes": [{"name": "v", **volume}], "containers": [{"volumeMounts": mounts}]}


@attrs.frozen
class Place:
    """A directory in which the volumes of a run's pods are made."""

    root: Path

    def mount(
        self, volume: Mapping[str, Any], variables: Mapping[str, str] | None = None, *, of: str = "pod", **mount: Any
    ) -> Mount:
        """Check, make and mount a volume, as for a pod of that name."""
        spec, known = pod(volume, **mount), variables or {}
        check_volumes(spec, POD, OBJECTS, known, allow_host_path=True)
        volumes = Volumes(self.root / of, self.root / "claims", spec, POD, OBJECTS)
        volumes.make()
        (found,) = volumes.mounts(known)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "run")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def shown(mount: Mount) -> dict[str, tuple[bytes, str]]:
    """All files of a mounted directory with content and mode."""
    data = mount.source / "..data"
    files = (path for path in sorted(data.resolve().rglob("*")) if path.is_file())
    names = {str(path.relative_to(data.resolve())): path for path in files}
    assert all((mount.source / name).resolve() == path for name, path in names.items())
    return {name: (path.read_bytes(), f"{mode(path):o}") for name, path in names.items()}


class TestConfigMapsAndSecrets:
    """A file for each key, read-only."""

    def test_all_keys(self, place: Place) -> None:
        """With Kubernetes' mode, readable for any user of the container whatever the umask here."""
        found = place.mount({"configMap": {"name": "conf"}})
        assert shown(found) == {"a.txt": (b"from a", "644"), "b.txt": (b"from b", "644"), "raw": (b"\0\1\xff", "644")}
        assert (mode(found.source), found.read_only) == (0o777, True)

    def test_each_file_is_a_link(self, place: Place) -> None:
        """Through `..data`, as the kubelet exchanges all of them at once."""
        source = place.mount({"configMap": {"name": "conf"}}).source
        links = {path.name: str(path.readlink()) for path in source.iterdir() if path.is_symlink()}
        (folder,) = (path.name for path in source.iterdir() if not path.is_symlink())
        assert links == {"..data": folder, **{name: f"..data/{name}" for name in ("a.txt", "b.txt", "raw")}}
        assert (folder.startswith(".."), mode(source / folder)) == (True, 0o755)

    def test_a_secret(self, place: Place) -> None:
        """Decoded; with the volume's own mode."""
        found = place.mount({"secret": {"secretName": "key", "defaultMode": 0o400}})
        assert (shown(found), found.read_only) == ({"TOKEN": (b"s3cret", "400")}, True)

    def test_items(self, place: Place) -> None:
        """Those keys alone, at their paths; an item's mode stands over the volume's."""
        items = [{"key": "a.txt", "path": "deep/er/a"}, {"key": "raw", "path": "raw", "mode": 0o755}]
        found = place.mount({"configMap": {"name": "conf", "items": items, "defaultMode": 0o440}})
        assert shown(found) == {"deep/er/a": (b"from a", "440"), "raw": (b"\0\1\xff", "755")}
        assert [mode(found.source / part) for part in ("deep", "deep/er")] == [0o755, 0o755]
        assert str((found.source / "deep").readlink()) == "..data/deep"

    def test_one_file_of_it(self, place: Place) -> None:
        """With subPath."""
        assert place.mount({"configMap": {"name": "conf"}}, subPath="b.txt").source.read_bytes() == b"from b"

    @pytest.mark.parametrize(
        "volume",
        [{"secret": {"secretName": "none", "optional": True}}, {"configMap": {"name": "none", "optional": True}}],
    )
    def test_an_optional_one_that_is_missing(self, place: Place, volume: dict[str, Any]) -> None:
        """Is an empty directory."""
        source = place.mount(volume).source
        assert shown(place.mount(volume, of="again")) == {}
        assert [path for path in source.iterdir() if not path.name.startswith("..")] == []

    def test_an_optional_item_that_is_missing(self, place: Place) -> None:
        """Is left out."""
        items = [{"key": "none", "path": "none"}, {"key": "a.txt", "path": "a"}]
        found = place.mount({"configMap": {"name": "conf", "optional": True, "items": items}})
        assert list(shown(found)) == ["a"]


class TestEmptyDirs:
    """One for each pod, which any user of a container may write to."""

    @pytest.mark.parametrize("volume", [{"emptyDir": {}}, {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}, {}])
    def test_anybody_may_write(self, place: Place, volume: dict[str, Any]) -> None:
        """A volume that says nothing is one too, as the API server has it."""
        found = place.mount(volume)
        in_memory = (volume.get("emptyDir") or {}).get("medium") == "Memory"
        assert mode(found.source) == (0o1777 if in_memory else 0o777)
        assert (found.read_only, list(found.source.iterdir())) == (False, [])

    def test_pods_do_not_share_one(self, place: Place) -> None:
        """Unlike a claim."""
        assert place.mount({"emptyDir": {}}, of="one").source != place.mount({"emptyDir": {}}, of="two").source

    def test_a_mount_may_be_read_only(self, place: Place) -> None:
        """If it says so."""
        assert place.mount({"emptyDir": {}}, readOnly=True).read_only

    def test_a_path_below_it_is_made(self, place: Place) -> None:
        """Each directory of it as open as the volume."""
        found = place.mount({"emptyDir": {}}, subPath="a/b")
        volume = found.source.parents[1]
        assert [mode(volume / part) for part in ("", "a", "a/b")] == [0o777] * 3

    def test_a_relative_mount_path_is_below_the_root(self, place: Place) -> None:
        """As the kubelet makes it absolute."""
        assert place.mount({"emptyDir": {}}, mountPath="in/here").target == "/in/here"


class TestClaims:
    """Directories that live as long as the run: how its jobs hand files on."""

    def test_pods_share_one(self, place: Place) -> None:
        """What one writes the next one reads."""
        (place.mount(CLAIM, of="one").source / "file").write_text("kept")
        assert (place.mount(CLAIM, of="two").source / "file").read_text() == "kept"

    def test_what_a_job_made_of_its_root_stays(self, place: Place) -> None:
        """Its mode is the storage's from then on, not the next pod's."""
        root = place.mount(CLAIM, of="one").source
        assert mode(root) == 0o755
        root.chmod(0o750)
        assert mode(place.mount(CLAIM, of="two").source) == 0o750

    def test_a_read_only_claim(self, place: Place) -> None:
        """Said by the volume rather than the mount."""
        assert place.mount({"persistentVolumeClaim": {"claimName": "data", "readOnly": True}}).read_only


class TestHostPaths:
    """Paths of this machine, checked as their type says."""

    @pytest.mark.parametrize("kind", ["", None, "Directory", "DirectoryOrCreate"])
    def test_a_directory(self, place: Place, tmp_path: Path, kind: str | None) -> None:
        """Is mounted itself, and stays as it is."""
        before = mode(tmp_path)
        assert place.mount({"hostPath": {"path": str(tmp_path), "type": kind}}).source == tmp_path
        assert mode(tmp_path) == before

    def test_what_may_be_created_is(self, place: Place, tmp_path: Path) -> None:
        """A directory with those above it, a file alone."""
        place.mount({"hostPath": {"path": str(tmp_path / "a" / "b"), "type": "DirectoryOrCreate"}})
        assert (tmp_path / "a" / "b").is_dir()
        place.mount({"hostPath": {"path": str(tmp_path / "a" / "file"), "type": "FileOrCreate"}}, of="two")
        assert (tmp_path / "a" / "file").read_bytes() == b""

    def test_a_socket(self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a job that speaks to a daemon of this machine would mount it."""
        monkeypatch.chdir(tmp_path)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("s")
            place.mount({"hostPath": {"path": str(tmp_path / "s"), "type": "Socket"}})

    def test_a_device(self, place: Place) -> None:
        """Of characters."""
        place.mount({"hostPath": {"path": "/dev/null", "type": "CharDevice"}})

    @pytest.mark.parametrize("kind", ["", "File", "Directory", "Socket", "CharDevice", "BlockDevice"])
    def test_what_is_not_there(self, place: Place, tmp_path: Path, kind: str) -> None:
        """Is said, and not made up."""
        with pytest.raises(CannotRun, match=rf'^volumes\[0\].hostPath.path: "{tmp_path}/none" is not a '):
            place.mount({"hostPath": {"path": str(tmp_path / "none"), "type": kind}})
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize("kind", ["Directory", "DirectoryOrCreate", "Socket", "CharDevice", "BlockDevice"])
    def test_what_is_something_else(self, place: Place, tmp_path: Path, kind: str) -> None:
        """A file where none is meant."""
        (tmp_path / "file").write_text("x")
        with pytest.raises(CannotRun, match=r"is not a "):
            place.mount({"hostPath": {"path": str(tmp_path / "file"), "type": kind}})


class TestOwned:
    """What a pod's `fsGroup` is given: all that the kubelet makes for it, and disks that the pod may write to."""

    @pytest.mark.parametrize(
        ("volume", "access", "lasting"),
        [
            ({"emptyDir": {}}, Access.WRITE, False),
            ({"emptyDir": {"medium": "Memory"}}, Access.WRITE, False),
            ({"secret": {"secretName": "key"}}, Access.READ, False),
            ({"configMap": {"name": "conf"}}, Access.READ, False),
            (CLAIM, Access.WRITE, True),
        ],
    )
    def test_what_is(self, tmp_path: Path, volume: dict[str, Any], access: Access, lasting: bool) -> None:
        """With what the group may do there."""
        (found,) = Volumes(tmp_path / "pod", tmp_path / "claims", pod(volume), POD, OBJECTS).owned()
        assert (found.access, found.lasting) == (access, lasting)

    @pytest.mark.parametrize(
        "volume",
        [{"hostPath": {"path": "/tmp"}}, {"persistentVolumeClaim": {"claimName": "data", "readOnly": True}}],
    )
    def test_what_is_not(self, tmp_path: Path, volume: dict[str, Any]) -> None:
        """Paths of this machine, and a disk that is there to be read."""
        assert [*Volumes(tmp_path / "pod", tmp_path / "claims", pod(volume), POD, OBJECTS).owned()] == []


class TestOutOfTheVolume:
    """A path below a volume stays below it, whatever a job has put there."""

    @pytest.mark.parametrize("sub_path", ["link", "link/deeper", "link/new"])
    def test_a_link_that_leads_out(self, place: Place, tmp_path: Path, sub_path: str) -> None:
        """One job could else show the next one, or itself after a restart, any file of this machine."""
        outside = tmp_path / "outside"
        (outside / "deeper").mkdir(parents=True)
        (place.mount(CLAIM, of="one").source / "link").symlink_to(outside)
        with pytest.raises(CannotRun, match=rf'^volumeMounts\[0\].subPath: "{sub_path}" is outside the volume'):
            place.mount(CLAIM, of="two", subPath=sub_path)
        assert [path.name for path in outside.iterdir()] == ["deeper"]

    def test_a_link_that_stays_within(self, place: Place) -> None:
        """Is followed, and what is mounted is where it leads."""
        claim = place.mount(CLAIM, of="one").source
        (claim / "releases" / "2").mkdir(parents=True)
        (claim / "current").symlink_to("releases/2")
        assert place.mount(CLAIM, of="two", subPath="current").source == claim / "releases" / "2"

    def test_a_link_to_itself(self, place: Place) -> None:
        """Leads nowhere."""
        (place.mount(CLAIM, of="one").source / "link").symlink_to("link")
        with pytest.raises(FileExistsError):
            place.mount(CLAIM, of="two", subPath="link")


class TestSubPathExpr:
    """A path with references to the container's variables."""

    def test_references(self, place: Place) -> None:
        """`$$` is a dollar sign."""
        found = place.mount({"emptyDir": {}}, {"DAY": "monday"}, subPathExpr="$(DAY)/$$(DAY)")
        assert found.source.parts[-2:] == ("monday", "$(DAY)")

    def test_a_sub_path_is_taken_as_it_is(self, place: Place) -> None:
        """Only `subPathExpr` has references."""
        found = place.mount({"emptyDir": {}}, {"DAY": "monday"}, subPath="$(DAY)$$")
        assert found.source.name == "$(DAY)$$"


class TestRefused:
    """Before anything starts, with the field and what to do."""

    @pytest.mark.parametrize(
        ("volume", "path", "sentence"),
        [
            (
                {"configMap": {"name": "none"}},
                "configMap.name",
                'ConfigMap "none" is not in any of the files; add it to',
            ),
            (
                {"secret": {"secretName": "conf"}},
                "secret.secretName",
                'Secret "conf" is not in any of the files; add it to',
            ),
            (
                {"persistentVolumeClaim": {"claimName": "none"}},
                "persistentVolumeClaim.claimName",
                'PersistentVolumeClaim "none" is not in any of the files; add it to this file, or give its file',
            ),
            (
                {"configMap": {"name": "conf", "items": [{"key": "none", "path": "x"}]}},
                "configMap.items[0].key",
                'the key "none" does not exist; add it, or make the volume optional',
            ),
            (
                {"configMap": {"name": "conf", "items": [{"key": "a.txt", "path": "../x"}]}},
                "configMap.items[0].path",
                '"../x" is outside the volume; use a relative path without ".."',
            ),
            (
                {"configMap": {"name": "conf", "items": [{"key": "a.txt", "path": "/x"}]}},
                "configMap.items[0].path",
                '"/x" is outside the volume; use a relative path without ".."',
            ),
            (
                {"persistentVolumeClaim": {"claimName": "date"}},
                "persistentVolumeClaim.claimName",
                'PersistentVolumeClaim "date" is not in any of the files; did you mean "data"?',
            ),
            (
                {"secret": {"secretName": "keys"}},
                "secret.secretName",
                'Secret "keys" is not in any of the files; did you mean "key"?',
            ),
            (
                {"configMap": {"name": "conf", "items": [{"key": "a.text", "path": "x"}]}},
                "configMap.items[0].key",
                'the key "a.text" does not exist; did you mean "a.txt"?',
            ),
            ({"hostPath": {"path": "rel"}}, "hostPath.path", '"rel" must be an absolute path without ".."; start'),
            (
                {"hostPath": {"path": "/a/../b"}},
                "hostPath.path",
                '"/a/../b" must be an absolute path without ".."; start',
            ),
            (
                {"hostPath": {"path": "/", "type": "Dir"}},
                "hostPath.type",
                '"Dir" is not a valid hostPath type; use one of',
            ),
            (
                {"projected": {"sources": []}},
                "",
                'volume "v" is projected; on this machine, only emptyDir, configMap, ',
            ),
            (
                {"downwardAPI": {"items": []}},
                "",
                'volume "v" is downwardAPI; on this machine, only emptyDir, configMap,',
            ),
            (
                {"nfs": {"server": "s", "path": "/"}},
                "",
                'volume "v" is nfs; on this machine, only emptyDir, configMap, ',
            ),
            ({"ephemeral": {}}, "", 'volume "v" is ephemeral; on this machine, only emptyDir, configMap, secret, '),
        ],
    )
    def test_volumes(self, volume: dict[str, Any], path: str, sentence: str) -> None:
        """Those that are nowhere, and those that only a cluster has."""
        with pytest.raises(CannotRun) as caught:
            check_volumes(pod(volume), POD, OBJECTS, {}, allow_host_path=True)
        assert caught.value.problem.path == f"volumes[0].{path}".rstrip(".")
        assert caught.value.problem.message.startswith(sentence)

    def test_a_host_path_that_was_not_allowed(self) -> None:
        """With the flag that allows it."""
        with pytest.raises(CannotRun, match='hostPath: gives the job access to "/etc" on this machine; allow that'):
            check_volumes(pod({"hostPath": {"path": "/etc"}}), POD, OBJECTS, {}, allow_host_path=False)

    @pytest.mark.parametrize("volume", [{"path": "rel"}, {"path": "/etc", "type": "Dir"}])
    def test_a_flag_is_advised_where_it_helps(self, volume: dict[str, str]) -> None:
        """A host path that no flag makes right is refused for what is wrong with it."""
        with pytest.raises(CannotRun, match=r"must be an absolute path|is not a valid hostPath type"):
            check_volumes(pod({"hostPath": volume}), POD, OBJECTS, {}, allow_host_path=False)

    @pytest.mark.parametrize(
        ("mount", "path", "sentence"),
        [
            ({"subPath": "../x"}, "subPath", '"../x" is outside the volume'),
            ({"subPath": "/etc"}, "subPath", '"/etc" is outside the volume'),
            ({"subPathExpr": "$(UP)/x"}, "subPathExpr", '"../x" is outside the volume'),
            ({"subPathExpr": "$(ROOT)"}, "subPathExpr", '"/etc" is outside the volume'),
            ({"subPathExpr": "a/$(NONE)"}, "subPathExpr", '"a/$(NONE)" needs variable "NONE", which is empty or not'),
            (
                {"subPathExpr": "$(EMPTY)/b"},
                "subPathExpr",
                '"$(EMPTY)/b" needs variable "EMPTY", which is empty or not',
            ),
            ({"name": "w"}, "name", '"w" is not a volume of the pod'),
        ],
    )
    def test_mounts(self, mount: dict[str, Any], path: str, sentence: str) -> None:
        """Those whose place is none."""
        variables = {"UP": "..", "ROOT": "/etc", "EMPTY": ""}
        with pytest.raises(CannotRun) as caught:
            check_volumes(pod({"emptyDir": {}}, **mount), POD, OBJECTS, variables, allow_host_path=False)
        assert caught.value.problem.path == f"volumeMounts[0].{path}"
        assert caught.value.problem.message.startswith(sentence)
