"""ConfigMaps, Secrets and claims of files, as an API server would store them, and what it would not."""

from typing import Any

import pytest

from jobsmgr.api.errors import quoted
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.objects import Objects

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def document(kind: str = "ConfigMap", name: str = "conf", namespace: str | None = "ns", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts}


def text(*documents: dict[str, Any], kind: str = "ConfigMap", name: str = "conf") -> dict[str, str]:
    """What variables can take from an object."""
    data = Objects(documents).find(kind, "ns", name)
    assert data is not None
    return dict(data.text)


def files(*documents: dict[str, Any], kind: str = "ConfigMap", name: str = "conf") -> dict[str, bytes]:
    """What a volume of an object shows."""
    data = Objects(documents).find(kind, "ns", name)
    assert data is not None
    return dict(data.files)


class TestConfigMaps:
    """`data` is text, `binaryData` is for volumes alone."""

    def test_data(self) -> None:
        """The same in variables and in files, whatever the characters."""
        values = {"A": "a", "empty": "", "lines": "one\ntwo\n", "wide": "größe ✔"}
        assert text(document(data=values)) == values
        assert files(document(data=values)) == {key: value.encode() for key, value in values.items()}

    def test_binary_data_is_no_variable(self) -> None:
        """It is in base64 in the file, line breaks and all, and its own bytes in a volume."""
        one = document(data={"A": "a"}, binaryData={"raw": "AAEC\n/w=="})
        assert text(one) == {"A": "a"}
        assert files(one) == {"A": b"a", "raw": b"\0\1\2\xff"}

    def test_one_without_data(self) -> None:
        """Is there all the same: nothing is missing that is not optional."""
        assert files(document()) == {}


class TestSecrets:
    """`data` is base64, `stringData` is not and stands over it."""

    def test_data(self) -> None:
        """Decoded; a Secret's bytes are files and variables alike."""
        one = document("Secret", data={"TOKEN": "czNjcmV0", "empty": ""})
        assert text(one, kind="Secret") == {"TOKEN": "s3cret", "empty": ""}
        assert files(one, kind="Secret") == {"TOKEN": b"s3cret", "empty": b""}

    def test_string_data_stands_over_data(self) -> None:
        """Key by key, as the API server merges them."""
        one = document("Secret", data={"A": "b2xk", "B": "b2xk"}, stringData={"A": "new", "C": "more"})
        assert text(one, kind="Secret") == {"A": "new", "B": "old", "C": "more"}

    def test_bytes_that_are_no_text(self) -> None:
        """Reach a file as they are."""
        assert files(document("Secret", data={"raw": "//4A"}), kind="Secret") == {"raw": b"\xff\xfe\0"}


class TestWhichOneIsFound:
    """By kind, namespace and name."""

    def test_the_last_of_two_of_one_name(self) -> None:
        """As if both had been applied: whole, not key by key."""
        assert text(document(data={"A": "1", "B": "1"}), document(data={"A": "2"})) == {"A": "2"}

    def test_kinds_do_not_share_names(self) -> None:
        """A Secret is no ConfigMap."""
        objects = Objects([document(data={"A": "1"}), document("Secret", stringData={"A": "2"})])
        found = [objects.find(kind, "ns", "conf") for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim")]
        assert [data and dict(data.text) for data in found] == [{"A": "1"}, {"A": "2"}, None]

    def test_namespaces_do_not_either(self) -> None:
        """One in another namespace is not found."""
        objects = Objects([document(namespace="other", data={"A": "1"})])
        assert objects.find("ConfigMap", "ns", "conf") is None
        assert objects.find("ConfigMap", "other", "conf") is not None

    def test_a_document_without_namespace_is_in_the_one_of_the_run(self) -> None:
        """As `kubectl apply -n` puts it."""
        found = Objects([document(namespace=None)], "team")
        assert found.find("ConfigMap", "team", "conf") is not None
        assert found.find("ConfigMap", "default", "conf") is None

    def test_a_claim_holds_nothing_yet(self) -> None:
        """But it is there."""
        assert files(document("PersistentVolumeClaim", spec=CLAIM), kind="PersistentVolumeClaim") == {}

    @pytest.mark.parametrize(
        "other", [{"kind": "ConfigMap"}, {"kind": "ConfigMap", "apiVersion": "v2"}, {"apiVersion": "v1", "kind": "Pod"}]
    )
    def test_other_documents_are_nobodys_concern_here(self, other: dict[str, Any]) -> None:
        """Whatever they hold: only what a job refers to is read."""
        assert (
            Objects([{**other, "metadata": {"name": "conf", "namespace": "ns"}, "data": 1}]).find(
                "ConfigMap", "ns", "conf"
            )
            is None
        )


class TestRefused:
    """What an API server would not store, in one sentence that names the object and the key."""

    @pytest.mark.parametrize(
        ("one", "sentence"),
        [
            (
                document("Secret", data={"TOKEN": "not base64!"}),
                'Secret "conf" data[TOKEN]: is not valid base64; encode it, or',
            ),
            (
                document(binaryData={"raw": "abc"}),
                'ConfigMap "conf" binaryData[raw]: is not valid base64; encode it, or use data',
            ),
            (document(data={"A": 1}), 'ConfigMap "conf" data[A]: expected a string, found 1; quote it'),
            (document(data={"A": True}), 'ConfigMap "conf" data[A]: expected a string, found true; quote it'),
            (
                document("Secret", stringData={"A": 1.5}),
                'Secret "conf" stringData[A]: expected a string, found 1.5; quote',
            ),
            (document("Secret", data={"A": 1}), 'Secret "conf" data[A]: expected a string, found 1; quote it'),
            (document(data=["A"]), 'ConfigMap "conf" data: expected an object, found ["A"]'),
            (
                document("Secret", stringData="A"),
                'Secret "conf" stringData: expected an object, found',
            ),
        ],
    )
    def test_values(self, one: dict[str, Any], sentence: str) -> None:
        """With the way to write it."""
        with pytest.raises(CannotRun) as caught:
            Objects([one])
        assert str(caught.value).startswith(sentence)

    @pytest.mark.parametrize("key", ["", "a b", "/etc/passwd", "..", ".", "..data", "../x", "ä", "a\n", "x" * 254])
    def test_keys(self, key: str) -> None:
        """A key is a file's name in a volume: one with a slash could lead out of it, to this machine's own files."""
        with pytest.raises(CannotRun) as caught:
            Objects([document(data={key: "1"})])
        assert caught.value.problem.path == f'ConfigMap "conf" data[{key}]'
        assert caught.value.problem.message == (
            f"{quoted(key)} is not a valid key; use at most 253 letters, digits, '-', '_' and '.', and do not begin"
            " with two dots"
        )

    @pytest.mark.parametrize(
        ("kind", "part"), [("ConfigMap", "binaryData"), ("Secret", "data"), ("Secret", "stringData")]
    )
    def test_keys_of_every_part(self, kind: str, part: str) -> None:
        """None of them is a way around."""
        with pytest.raises(CannotRun, match=rf'^{kind} "conf" {part}\[../x\]: "../x" is not a valid key'):
            Objects([{**document(kind), part: {"../x": "AAAA"}}])

    @pytest.mark.parametrize("key", ["a", ".hidden", "-a_b.C-9", "a..b", "x" * 253])
    def test_keys_that_are_fine(self, key: str) -> None:
        """As on a cluster."""
        assert text(document(data={key: "1"})) == {key: "1"}

    @pytest.mark.parametrize(
        ("field", "limit"),
        [
            ("name", "253 lower-case letters, digits, '-' and '.'"),
            ("namespace", "63 lower-case letters, digits and '-'"),
        ],
    )
    @pytest.mark.parametrize("value", ["../../x", "/etc", "A", "a_b", "-a", "a..b", "a.-b", "a" * 254])
    def test_names(self, value: str, field: str, limit: str) -> None:
        """A claim's is a folder of this machine; a namespace's has no dots."""
        name, what = (value, "name") if field == "name" else ("conf", "namespace")
        with pytest.raises(CannotRun) as caught:
            Objects([document("PersistentVolumeClaim", spec=CLAIM, **{field: value})])
        assert caught.value.problem.path == f'PersistentVolumeClaim "{name}" metadata.{field}'
        assert caught.value.problem.message == (
            f"{quoted(value)} is not a valid {what}; use at most {limit}, starting and ending with a letter or digit"
        )

    @pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
    def test_one_without_a_name(self, kind: str) -> None:
        """Nothing could refer to it."""
        with pytest.raises(CannotRun, match=rf'^{kind} "" metadata.name: "" is not a valid name'):
            Objects([document(kind, name="")])
