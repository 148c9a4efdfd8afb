"""Which objects each part of an installation has: what `manifests/` and `jobsmgr manifests` have in common.

No object is made here, and none is written.
"""

from __future__ import annotations

from jobsmgr.api.crd import custom_resource_definition
from jobsmgr.api.fields import Manifest
from jobsmgr.cluster.needs import MIGRATION, PODS_AND_EVENTS
from jobsmgr.connection.reviews import REVIEWS
from jobsmgr.installation.alerts import prometheus_rule
from jobsmgr.installation.availability import available, disruption_budget, patched, priority_class
from jobsmgr.installation.dashboard import dashboard_map
from jobsmgr.installation.deployment import OWN_NAMESPACE, deployment, namespace, service_account
from jobsmgr.installation.metrics_access import metrics_reader
from jobsmgr.installation.people import people_roles
from jobsmgr.installation.roles import everywhere, serving, within
from jobsmgr.installation.scraping import metrics_service, service_monitor
from jobsmgr.installation.settings import Installation
from jobsmgr.leadership.needs import lead

Manifests = tuple[Manifest, ...]


def crd() -> Manifests:
    """The kind itself. It is applied first: a cluster without it rejects workflows, while the operator waits for it."""
    return (custom_resource_definition(),)


def accounts(chosen: Installation) -> Manifests:
    """Who the operator is, and its lease in its own namespace: in every installation."""
    return (service_account(chosen), *within(chosen, "-lease", lead(chosen.lease)))


def rights(chosen: Installation) -> Manifests:
    """What the operator needs in all namespaces, and roles for people."""
    return (*everywhere(chosen, "", serving(chosen)), *people_roles(chosen))


def rights_within(chosen: Installation) -> Manifests:
    """What the operator needs if it serves only its own namespace."""
    return within(chosen, "", serving(chosen))


def pod_reader(chosen: Installation) -> Manifests:
    """To say why a Job has no running pod, and how a pod ended."""
    return everywhere(chosen, "-pods", PODS_AND_EVENTS)


def pod_reader_within(chosen: Installation) -> Manifests:
    """The same, only in the operator's own namespace."""
    return within(chosen, "-pods", PODS_AND_EVENTS)


def migration(chosen: Installation) -> Manifests:
    """For the time in which workflows of the Go jobs-manager-operator are taken over."""
    return everywhere(chosen, "-migration", MIGRATION)


def metrics_access(chosen: Installation) -> Manifests:
    """To serve metrics only to those who may read them (`--metrics-auth`), and the role for them."""
    return (*everywhere(chosen, "-metrics-reviewer", REVIEWS), metrics_reader(chosen))


def scraping(chosen: Installation) -> Manifests:
    """How the Prometheus operator finds the metrics."""
    return (metrics_service(chosen), service_monitor(chosen))


def alerts(chosen: Installation) -> Manifests:
    """The alerts for the Prometheus operator."""
    return (prometheus_rule(chosen),)


def dashboards(chosen: Installation) -> Manifests:
    """The dashboard for Grafana."""
    return (dashboard_map(chosen),)


def availability(chosen: Installation) -> Manifests:
    """What keeps one of two replicas running."""
    return (priority_class(chosen), disruption_budget(chosen))


def base(chosen: Installation) -> Manifests:
    """One replica that serves all namespaces."""
    return (*accounts(chosen), *rights(chosen), deployment(chosen))


def namespaced(chosen: Installation) -> Manifests:
    """One replica that serves its own namespace, with Roles and no ClusterRoles."""
    granted = (*rights_within(chosen), *pod_reader_within(chosen))
    return (*accounts(chosen), *granted, deployment(chosen, [OWN_NAMESPACE]))


def home(chosen: Installation) -> Manifests:
    """The operator's namespace. It is no part of the operator: whoever removes that may have workflows there."""
    return (namespace(chosen),)


def operator(chosen: Installation) -> Manifests:
    """What runs the operator, in a namespace that exists."""
    replicas = patched(deployment(chosen), available(chosen))
    before = (*accounts(chosen), *rights(chosen), *pod_reader(chosen), *availability(chosen))
    return (*before, replicas)


def everything(chosen: Installation) -> Manifests:
    """The default, in the order in which it is applied."""
    return (*crd(), *home(chosen), *operator(chosen))
