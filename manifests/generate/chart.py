"""The chart's templates, by file name, from the objects that kustomize gets too. `values.yaml` is written by hand."""

from __future__ import annotations

from collections.abc import Iterable

from jobsmgr.api.fields import Manifest
from jobsmgr.cluster.needs import MIGRATION, PODS_AND_EVENTS
from jobsmgr.connection.resources import Right
from jobsmgr.installation import parts
from jobsmgr.installation.admission import admission_policy
from jobsmgr.installation.availability import available, disruption_budget, patched, priority_class
from jobsmgr.installation.deployment import NOT_ROOT, RESTRICTED, deployment, service_account
from jobsmgr.installation.metrics_access import MOUNT, PROBES, SCHEME, TOKEN, verified, volume
from jobsmgr.installation.network import network_policy
from jobsmgr.installation.people import people_roles
from jobsmgr.installation.plugins import MOUNT as PLUGINS_MOUNT
from jobsmgr.installation.plugins import VOLUME, loader
from jobsmgr.installation.roles import everywhere, serving, within
from jobsmgr.installation.settings import Installation
from jobsmgr.leadership.needs import lead
from manifests.generate.templates import Templates, for_each, only_if

_VALUES = "$.Values"
_SECRET = f"{_VALUES}.metrics.tls.secretName"


def _both(value: str) -> str:
    """Roles are wanted at all, and this one is."""
    return f"and {_VALUES}.rbac.create {_VALUES}.rbac.{value}"


def _unlabelled(metadata: Manifest) -> Manifest:
    """Of a pod that is none of the Deployment's: neither its budget nor its policy may find it."""
    return {key: value for key, value in metadata.items() if key != "labels"}


class Chart:
    """One set of templates."""

    def __init__(self) -> None:
        self.marks = Templates()
        self.chosen = Installation(
            image=self.marks.value('include "jobsmgr.image" $'),
            name=self.marks.value('include "jobsmgr.fullname" $'),
            namespace=self.marks.value("$.Release.Namespace"),
            account=self.marks.value('include "jobsmgr.serviceAccountName" $'),
        )

    def files(self) -> dict[str, str]:
        """The text of each template."""
        chosen = self.chosen
        return {
            "crd": self._if("crds.enabled", [self._crd()]),
            "service-account": self._if("serviceAccount.create", [self._account()]),
            "lease-role": self._if("rbac.create", within(chosen, "-lease", lead(chosen.lease))),
            "role": only_if(f"{_VALUES}.rbac.create", self._rights("", serving(chosen))),
            "pod-reader-role": only_if(_both("podReader"), self._rights("-pods", PODS_AND_EVENTS)),
            "migration-role": only_if(_both("migration"), self._rights("-migration", MIGRATION)),
            "metrics-auth-role": only_if(
                f"and {_VALUES}.rbac.create {_VALUES}.metrics.auth.enabled",
                self.marks.text(parts.metrics_access(chosen)),
            ),
            "people-roles": only_if(_both("people"), self.marks.text(people_roles(chosen))),
            "priority-class": self._if("priorityClass.create", [priority_class(chosen)]),
            "disruption-budget": self._if("podDisruptionBudget.enabled", [disruption_budget(chosen)]),
            "metrics-service": self._if("metrics.serviceMonitor.enabled", self._scraping()),
            "metrics-rules": self._if("metrics.prometheusRule.enabled", parts.alerts(chosen)),
            "metrics-dashboard": self._if("metrics.dashboard.enabled", parts.dashboards(chosen)),
            "admission-policy": self._if("admissionPolicy.enabled", admission_policy(chosen)),
            "network-policy": self._if("networkPolicy.enabled", [network_policy(chosen)]),
            "deployment": self.marks.text([self._deployment()]),
            "tests/reach": self.marks.text([self._test()]),
        }

    def _if(self, value: str, manifests: Iterable[Manifest]) -> str:
        return only_if(f"{_VALUES}.{value}", self.marks.text(manifests))

    def _crd(self) -> Manifest:
        (found,) = parts.crd()
        kept = self.marks.when(f"{_VALUES}.crds.keep", {"annotations": {"helm.sh/resource-policy": "keep"}})
        return {**found, "metadata": {**found["metadata"], **kept}}

    def _account(self) -> Manifest:
        found = service_account(self.chosen)
        annotations = self.marks.given(f"{_VALUES}.serviceAccount.annotations", "annotations")
        return {**found, "metadata": {**found["metadata"], **annotations}}

    def _test(self) -> Manifest:
        """For `helm test`: the operator's image, as its service account, lists the workflows that are served."""
        served = f"{_VALUES}.namespaces"
        container = {
            "name": "list",
            "image": self.chosen.image,
            "args": self.marks.tree(
                f'prepend (empty {served} | ternary (list "-A") (list "-n" (first {served}))) "list"'
            ),
            "resources": self.marks.tree(f"{_VALUES}.resources"),
            "securityContext": RESTRICTED,
        }
        hook = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation"}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**_unlabelled(self.chosen.placed("-test")), "annotations": hook},
            "spec": {
                "restartPolicy": "Never",
                "serviceAccountName": self.chosen.account,
                "securityContext": NOT_ROOT,
                **self.marks.given(f"{_VALUES}.imagePullSecrets", "imagePullSecrets"),
                "containers": [container],
            },
        }

    def _scraping(self) -> tuple[Manifest, Manifest]:
        service, monitor = parts.scraping(self.chosen)
        (endpoint,) = monitor["spec"]["endpoints"]
        protected = {
            **endpoint,
            **self.marks.when(_SECRET, verified(self.chosen, self.marks.value(_SECRET))),
            **self.marks.when(f"{_VALUES}.metrics.auth.enabled", TOKEN),
        }
        return service, {**monitor, "spec": {**monitor["spec"], "endpoints": [protected]}}

    def _rights(self, suffix: str, rights: tuple[Right, ...]) -> str:
        """In the namespaces that are served, or in all of them."""
        served = self.marks.value("$served")
        some = self.marks.text(within(self.chosen, suffix, rights, served))
        every = self.marks.text(everywhere(self.chosen, suffix, rights))
        namespaces = f"{_VALUES}.namespaces"
        return for_each(namespaces, "served", some) + only_if(f"not {namespaces}", every)

    def _deployment(self) -> Manifest:
        marks = self.marks
        found = patched(deployment(self.chosen), available(self.chosen))
        template = found["spec"]["template"]
        return {
            **found,
            "spec": {
                **found["spec"],
                "replicas": marks.number(f"{_VALUES}.replicas"),
                "template": {"metadata": self._pod_metadata(template["metadata"]), "spec": self._pod(template["spec"])},
            },
        }

    def _pod_metadata(self, found: Manifest) -> Manifest:
        # Ours win: the selector finds the pods by them.
        labels = f'merge (dict "app.kubernetes.io/name" (include "jobsmgr.fullname" $)) {_VALUES}.podLabels'
        annotations = self.marks.given(f"{_VALUES}.podAnnotations", "annotations")
        return {**found, **annotations, "labels": self.marks.tree(labels)}

    def _pod(self, found: Manifest) -> Manifest:
        marks = self.marks
        (container,) = found["containers"]
        loading = {"initContainers": [loader(marks.value(f"{_VALUES}.plugins.image"))]}
        priority = 'include "jobsmgr.priorityClassName" $'
        return {
            **{key: value for key, value in found.items() if key not in _CONDITIONAL},
            **marks.given(f"{_VALUES}.imagePullSecrets", "imagePullSecrets"),
            **marks.when(f"{_VALUES}.plugins.image", loading),
            "containers": [self._container(container)],
            **self._volumes("volumes", VOLUME, volume(marks.value(_SECRET))),
            **marks.when(priority, {"priorityClassName": marks.value(priority)}),
            **marks.when(
                f"{_VALUES}.topologySpread.enabled",
                {"topologySpreadConstraints": found["topologySpreadConstraints"]},
            ),
            **marks.given(f"{_VALUES}.nodeSelector", "nodeSelector"),
            **marks.given(f"{_VALUES}.affinity", "affinity"),
            **marks.given(f"{_VALUES}.tolerations", "tolerations"),
        }

    def _container(self, found: Manifest) -> Manifest:
        marks = self.marks
        pull = {"imagePullPolicy": marks.value(f"{_VALUES}.image.pullPolicy")}
        return {
            "name": found["name"],
            "image": found["image"],
            **marks.when(f"{_VALUES}.image.pullPolicy", pull),
            "args": marks.tree('include "jobsmgr.args" $ | fromYamlArray'),
            **marks.given('include "jobsmgr.env" $ | fromYamlArray', "env"),
            **{
                key: self._probe(value) if key in PROBES else value
                for key, value in found.items()
                if key not in _CHOSEN
            },
            "resources": marks.tree(f"{_VALUES}.resources"),
            **self._volumes("volumeMounts", PLUGINS_MOUNT, MOUNT),
        }

    def _probe(self, found: Manifest) -> Manifest:
        return {**found, "httpGet": {**found["httpGet"], **self.marks.when(_SECRET, SCHEME)}}

    def _volumes(self, field: str, plugins: Manifest, certificate: Manifest) -> Manifest:
        """What plugins and the certificate need, in a field that is there if one of them is."""
        image = f"{_VALUES}.plugins.image"
        some = [*self.marks.item(image, plugins), *self.marks.item(_SECRET, certificate)]
        return self.marks.when(f"or {image} {_SECRET}", {field: some})


_CONDITIONAL = ("containers", "priorityClassName", "topologySpreadConstraints")
_CHOSEN = ("name", "image", "args", "resources")
