"""Secrets for pulling the image."""

from jobsmgr import Fragment
from tests.plugins.pods import fragment, rendered


def test_outermost_first_and_each_once() -> None:
    """By name, in either form."""
    levels = {"imagePullSecrets": ["a", {"name": "b"}]}, {"imagePullSecrets": ["c", "a"]}
    assert fragment("pull_secrets", *levels) == Fragment(image_pull_secrets=("a", "b", "c"))
    assert rendered(*levels)["spec"]["template"]["spec"]["imagePullSecrets"] == [
        {"name": "a"},
        {"name": "b"},
        {"name": "c"},
    ]


def test_none() -> None:
    """No empty list in the pod."""
    assert fragment("pull_secrets") == Fragment()
    assert "imagePullSecrets" not in rendered()["spec"]["template"]["spec"]
