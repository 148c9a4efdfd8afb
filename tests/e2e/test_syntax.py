"""Each rule of syntax beside a real API server: hundreds of texts, tried out where Kubernetes has such a text."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import attrs
import pytest

from jobsmgr.api.syntax import (
    DATA_KEY,
    IMAGE,
    LABEL,
    LABEL_VALUE,
    MOUNT_PATH,
    OPTIONAL_SUBDOMAIN,
    SUBDOMAIN,
    VARIABLE,
    parse_quantity,
    valid_amount,
    valid_annotation_key,
    valid_key,
    valid_path_inside,
)
from tests.plane.control_plane import ControlPlane

Attempt = tuple[str, dict[str, Any]]
"""What is created: the end of a collection's path, and a body."""


def _texts() -> Iterable[str]:
    """Short texts of everything that can matter, in every place, and long ones around each limit."""
    for character in "aZ0-_.:/=+$ \n\t@\x7fé٣\N{KELVIN SIGN}\N{NO-BREAK SPACE}":
        for shape in ("{}", "a{}", "{}a", "a{}b", "a{0}{0}b", "a.{}b", "a{}.b", "a/{}b", "{}/b", "a.{}b/c", "a{}.b/c"):
            yield shape.format(character)
    for size in range(5):
        yield from map("".join, product("A.-/"[: 4 if size < 4 else 2], repeat=size))
    for size in (62, 63, 64, 252, 253, 254):
        for shape in ("{}", "{}/b", "a/{}", "A{}", "{}-", ".{}"):
            yield shape.format("a" * size)
        yield ("a." * size)[:size]
        yield ("a." * size)[: size - 1] + "/b"


def _quantities() -> Iterable[str]:
    numbers = ("", "0", "1", "1.", "1.5", ".5", ".", "1.5.2", "00", "٣")
    suffixes = ("", "m", "K", "k", "Ki", "ki", "Mi", "e3", "E", "E3", "e", "e-3", "e+", "mm", "Ki3", " ", "\n")
    yield from map("".join, product(("", "+", "-"), numbers, suffixes))
    yield from (
        "--1",
        "+-1",
        "1e30",
        "1e-30",
        "9" * 20,
        "9" * 40,
        "1" * 64,
        "1" * 65,
        "1,5",
        "0x1",
        "1_0",
        "NaN",
        "inf",
    )


TEXTS = tuple(dict.fromkeys(_texts()))
QUANTITIES = tuple(dict.fromkeys(_quantities()))


def _job(pod: Mapping[str, Any] = {}, **container: Any) -> Attempt:
    containers = [{"name": "c", "image": "i", **container}]
    template = {"spec": {"restartPolicy": "Never", "containers": containers, **pod}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": {"template": template}}
    return "apis/batch/v1/namespaces/{}/jobs", body


def _mounted(**mount: str) -> Attempt:
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    return _job({"volumes": [{"name": "v", "emptyDir": {}}]}, volumeMounts=mounts)


def _config_map(metadata: dict[str, Any], data: Mapping[str, str] = {}) -> Attempt:
    return "api/v1/namespaces/{}/configmaps", {"metadata": {"name": "conf", **metadata}, "data": dict(data)}


def _pod(image: str) -> Attempt:
    spec = {"containers": [{"name": "c", "image": image}]}
    return "api/v1/namespaces/{}/pods", {"metadata": {"name": "pod"}, "spec": spec}


def _limit(text: str) -> Attempt:
    return _job(resources={"limits": {"cpu": text}})


def _key_of(text: str) -> Attempt:
    return _job(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": text}}}])


def _prefix(text: str) -> Attempt:
    return _job(envFrom=[{"prefix": text, "configMapRef": {"name": "conf"}}])


def _never(text: str) -> bool:
    return False


def _zero_of_sorts(text: str) -> bool:
    """Kubernetes trims white space and takes a quantity without a digit before its suffix for 0."""
    number = re.split("[eE]", text)[0]
    return text != text.strip() or not any(character.isdigit() for character in number)


def _stricter_amount(text: str) -> bool:
    return _zero_of_sorts(text) or len(text) > 64 or (text.startswith("-") and parse_quantity(text) == 0)


def _stricter_image(text: str) -> bool:
    return "\n" in text or len(text) > 1024


@attrs.frozen(kw_only=True)
class Case:
    """A rule, and where Kubernetes has such a text."""

    fits: Callable[[str], bool]
    attempt: Callable[[str], Attempt]
    stricter: Callable[[str], bool] = _never
    """Which texts the rule refuses on purpose, though the server may take them."""
    texts: tuple[str, ...] = TEXTS
    refusals: tuple[int, ...] = (400, 422)
    """The server's answers that refuse the text; any other 4xx is about something else."""


CASES = {
    "namespace": Case(fits=LABEL.fits, attempt=lambda text: ("api/v1/namespaces", {"metadata": {"name": text}})),
    "container": Case(fits=LABEL.fits, attempt=lambda text: _job(name=text)),
    "volume": Case(fits=LABEL.fits, attempt=lambda text: _job({"volumes": [{"name": text, "emptyDir": {}}]})),
    "object": Case(fits=SUBDOMAIN.fits, attempt=lambda text: _config_map({"name": text})),
    "service account": Case(fits=OPTIONAL_SUBDOMAIN.fits, attempt=lambda text: _job({"serviceAccountName": text})),
    "priority class": Case(fits=OPTIONAL_SUBDOMAIN.fits, attempt=lambda text: _job({"priorityClassName": text})),
    "label key": Case(fits=valid_key, attempt=lambda text: _config_map({"labels": {text: ""}})),
    "label value": Case(fits=LABEL_VALUE.fits, attempt=lambda text: _config_map({"labels": {"a": text}})),
    "annotation key": Case(
        fits=valid_annotation_key,
        attempt=lambda text: _config_map({"annotations": {text: ""}}),
        stricter=lambda text: not text.isascii(),
    ),
    "data key": Case(fits=DATA_KEY.fits, attempt=lambda text: _config_map({}, {text: ""})),
    "key of a variable": Case(fits=DATA_KEY.fits, attempt=_key_of),
    "variable": Case(fits=VARIABLE.fits, attempt=lambda text: _job(env=[{"name": text}])),
    "prefix of variables": Case(fits=lambda text: not text or VARIABLE.fits(text), attempt=_prefix),
    "amount": Case(fits=valid_amount, attempt=_limit, stricter=_stricter_amount, texts=QUANTITIES),
    "quantity": Case(
        # What is read, but is negative, is refused in another way.
        fits=lambda text: parse_quantity(text) is not None,
        attempt=_limit,
        stricter=_zero_of_sorts,
        texts=QUANTITIES,
        refusals=(400,),
    ),
    "image": Case(
        # A schema's `\s` is ASCII; other white space at an end gets as far as the Pod.
        fits=IMAGE.fits,
        attempt=_pod,
        stricter=_stricter_image,
        texts=tuple(filter(str.isascii, TEXTS)),
    ),
    "path in a volume": Case(fits=valid_path_inside, attempt=lambda text: _mounted(subPath=text)),
    "mount path": Case(
        fits=MOUNT_PATH.fits, attempt=lambda text: _mounted(mountPath=text), stricter=lambda text: ":" in text
    ),
}


def test_the_corpora_are_large() -> None:
    """And both kinds of text are in each."""
    for name, case in CASES.items():
        found = [case.fits(text) for text in case.texts]
        assert len(found) >= 200
        assert min(found.count(True), found.count(False)) >= 3, name


@pytest.fixture(scope="module")
def namespace(fast_plane: ControlPlane) -> str:
    """One does for all: nothing is stored in it."""
    return fast_plane.namespace()


@pytest.mark.parametrize("name", CASES)
def test_a_rule_and_the_api_server_agree(fast_plane: ControlPlane, namespace: str, name: str) -> None:
    """Text by text, but for those that the rule refuses on purpose; it never takes what the server refuses."""
    case = CASES[name]

    def is_taken(text: str) -> bool:
        collection, body = case.attempt(text)
        answer = fast_plane.request("POST", f"/{collection.format(namespace)}?dryRun=All", body)
        assert answer.status_code in (201, 400, 422, 409), (text, answer.text)
        return answer.status_code not in case.refusals

    server = {text: is_taken(text) for text in case.texts}
    ours = {text: case.fits(text) for text in case.texts}
    apart = {text: taken for text, taken in server.items() if ours[text] != taken}
    assert {text: taken for text, taken in apart.items() if not (taken and case.stricter(text))} == {}
