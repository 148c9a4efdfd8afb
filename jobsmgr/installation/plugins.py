"""Plugins from an image of their own, without a new image of the operator. Which ones is not known here."""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.deployment import CONTAINER, RESTRICTED
from jobsmgr.installation.settings import Installation

IMAGE = "jobsmgr-plugins"
FOLDER = "/plugins"
"""In that image: what `pip install --target /plugins` writes. It needs `cp` too, which images with a shell have."""

_COPIED = "/copied"
VOLUME: Manifest = {"name": "plugins", "emptyDir": {}}
MOUNT: Manifest = {"name": VOLUME["name"], "mountPath": FOLDER, "readOnly": True}
VARIABLE: Manifest = {"name": "PYTHONPATH", "value": FOLDER}


def loader(image: str) -> Manifest:
    """The container that copies the plugins before the operator starts."""
    return {
        "name": "plugins",
        "image": image,
        "command": ["cp", "-R", f"{FOLDER}/.", _COPIED],
        "volumeMounts": [{"name": VOLUME["name"], "mountPath": _COPIED}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": RESTRICTED,
    }


def with_plugins(installation: Installation) -> Manifest:
    """The strategic merge patch of the Deployment."""
    tag = installation.image.rpartition(":")[2]
    container = {"name": CONTAINER, "env": [VARIABLE], "volumeMounts": [MOUNT]}
    pod = {"initContainers": [loader(f"{IMAGE}:{tag}")], "containers": [container], "volumes": [VOLUME]}
    return {"spec": {"template": {"spec": pod}}}
