"""What is in each file that kustomize reads, but for the CRD. No YAML is made here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from jobsmgr.api.fields import Manifest
from jobsmgr.installation import parts
from jobsmgr.installation.admission import admission_policy
from jobsmgr.installation.availability import available
from jobsmgr.installation.deployment import deployment
from jobsmgr.installation.metrics_access import TOKEN, secret_of, verified, with_authorization, with_certificate
from jobsmgr.installation.network import network_policy
from jobsmgr.installation.plugins import with_plugins
from jobsmgr.installation.settings import Installation
from release.notes import CHANGELOG, newest

FIRST = "0.1.0"
RELEASE = newest(CHANGELOG.read_text()) or FIRST
"""The version whose image the files name: the last one that CHANGELOG.md has.

Not the one that git has: a tag's commit has to name it before there is a tag.
"""
CHOSEN = Installation(image=f"jobsmgr:{RELEASE}")

Files = dict[str, Iterable[Manifest]]

_BUILTIN = "kustomize.config.k8s.io"


def folders() -> Files:
    """Each file by its path in `manifests/`, with its objects."""
    return {
        **_folder("crd", {}, resources=["managedjobs.yaml"]),
        **_folder("base", {**_accounts(), "role": parts.rights(CHOSEN), "deployment": (deployment(CHOSEN),)}),
        **_folder("namespaced", _namespaced()),
        **_component("plugins", {}, with_plugins(CHOSEN)),
        **_component("admission-policy", {"policy": admission_policy(CHOSEN)}),
        **_component("networkpolicy", {"policy": (network_policy(CHOSEN),)}),
        **_component("ha", {"availability": parts.availability(CHOSEN)}, available(CHOSEN)),
        **_component("pod-reader", {"role": parts.pod_reader(CHOSEN)}),
        **_component("servicemonitor", {"scraping": parts.scraping(CHOSEN)}),
        **_component("prometheusrule", {"alerts": parts.alerts(CHOSEN)}),
        **_component("grafana", {"dashboard": parts.dashboards(CHOSEN)}),
        **_component("metrics-tls", {}, with_certificate(CHOSEN), _scraped(verified(CHOSEN, secret_of(CHOSEN)))),
        **_component("metrics-auth", {"role": parts.metrics_access(CHOSEN)}, with_authorization(), _scraped(TOKEN)),
        **_component("migration", {"role": parts.migration(CHOSEN)}),
        **_folder(
            "overlays/default",
            {"namespace": parts.home(CHOSEN)},
            resources=["../../crd", "../../base"],
            namespace=CHOSEN.namespace,
            components=["../../components/ha", "../../components/pod-reader"],
            images=[{"name": "jobsmgr", "newTag": RELEASE}],
        ),
    }


def _accounts() -> Mapping[str, parts.Manifests]:
    account, *lease = parts.accounts(CHOSEN)
    return {"service-account": (account,), "lease-role": tuple(lease)}


def _namespaced() -> Mapping[str, parts.Manifests]:
    rights = {"role": parts.rights_within(CHOSEN), "pod-reader-role": parts.pod_reader_within(CHOSEN)}
    return {**_accounts(), **rights, "deployment": parts.namespaced(CHOSEN)[-1:]}


def _folder(
    folder: str, made: Mapping[str, Iterable[Manifest]], resources: Iterable[str] = (), **more: object
) -> Files:
    """A folder of objects by the stems of their files, with its kustomization."""
    listed = [*resources, *(f"{stem}.yaml" for stem in made)]
    head = {"apiVersion": f"{_BUILTIN}/v1beta1", "kind": "Kustomization", "resources": listed}
    files = {f"{stem}.yaml": manifests for stem, manifests in made.items()}
    return {f"{folder}/{name}": found for name, found in {**files, "kustomization.yaml": ({**head, **more},)}.items()}


def _component(
    name: str, made: Mapping[str, Iterable[Manifest]], change: Manifest | None = None, *more: Manifest
) -> Files:
    """A component: objects, what it changes of the operator's Deployment, and more patches."""
    patches: list[Manifest] = []
    files: Files = {f"components/{name}/{stem}.yaml": manifests for stem, manifests in made.items()}
    if change is not None:
        files[f"components/{name}/patch.yaml"] = ({"apiVersion": "apps/v1", "kind": "Deployment", **_named(change)},)
        patches += ({"path": "patch.yaml"}, *more)
    head: Manifest = {"apiVersion": f"{_BUILTIN}/v1alpha1", "kind": "Component"}
    listed = {"resources": [f"{stem}.yaml" for stem in made]} if made else {}
    files[f"components/{name}/kustomization.yaml"] = ({**head, **listed, **({"patches": patches} if patches else {})},)
    return files


def _scraped(fields: Manifest) -> Manifest:
    """A patch that adds fields to the endpoint of the ServiceMonitor, if an earlier component has brought one."""
    added = [{"op": "add", "path": f"/spec/endpoints/0/{key}", "value": value} for key, value in fields.items()]
    return {"target": {"kind": "ServiceMonitor", "name": f"{CHOSEN.name}-metrics"}, "patch": json.dumps(added)}


def _named(change: Manifest) -> Manifest:
    return {"metadata": {"name": CHOSEN.name, "namespace": CHOSEN.namespace}, **change}
