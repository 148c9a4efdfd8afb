"""Images by name: what is known of them without pulling one. No registry is asked."""

from __future__ import annotations

WITHOUT_ENTRYPOINT = frozenset(
    {
        *("busybox", "alpine", "debian", "ubuntu", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux"),
        *("oraclelinux", "archlinux", "buildpack-deps", "gcc", "golang", "perl", "python", "ruby"),
    }
)
"""Official images that run their arguments as the command. Of other images the command that gets `args` is unknown."""
_LIBRARIES = frozenset(
    {"", "library/", "docker.io/", "docker.io/library/", "index.docker.io/library/", "public.ecr.aws/docker/library/"}
)


def has_no_entrypoint(image: str) -> bool:
    """Whether an image is one of those that are known to run their arguments as the command."""
    name = image.partition("@")[0]
    path, slash, last = name.rpartition("/")
    return path + slash in _LIBRARIES and last.partition(":")[0] in WITHOUT_ENTRYPOINT
