"""The parameters that are merged down from workflow to group to job. No merging here: that is a plugin's."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.fields import Manifest, Merge, aliases, merge_key, spec_field


@attrs.frozen(kw_only=True)
class Params:
    """Parameters of one level, or merged ones. Parts of a pod spec are opaque mappings in Kubernetes' JSON form.

    None and empty mean "this level does not say". Source of the fields: `Available params` of the founding README, and
    the PodSpec and Container of Kubernetes.
    """

    env: tuple[Manifest, ...] = spec_field(
        "env",
        "Environment variables, merged by name: the innermost value wins, at the outermost position.",
        factory=tuple,
        ref="EnvVar[]",
        mergeKey="name",
        maxItems=256,
    )
    from_env: tuple[Manifest, ...] = spec_field(
        "fromEnv",
        "Sources of environment variables, outermost level first; with `key`, only that key is imported.",
        factory=tuple,
        merge=Merge.LAST_STAYS,
        ref="FromEnv[]",
        maxItems=32,
    )
    volumes: tuple[Manifest, ...] = spec_field(
        "volumes",
        "Volumes of the pod; merged by name, the innermost wins.",
        factory=tuple,
        mergeKey="name",
        ref="Volume[]",
        maxItems=64,
    )
    volume_mounts: tuple[Manifest, ...] = spec_field(
        "volumeMount",
        "Where the container mounts volumes; merged by mountPath, the innermost wins.",
        factory=tuple,
        ref="VolumeMount[]",
        mergeKey="mountPath",
        maxItems=64,
        alias="volumeMounts",
    )
    service_account: str | None = spec_field(
        "serviceAccount", "Service account of the pod; the innermost wins.", default=None, ref="Subdomain"
    )
    restart_policy: str | None = spec_field(
        "restartPolicy",
        "Never (the default) or OnFailure; the innermost wins.",
        default=None,
        enum=["Never", "OnFailure"],
    )
    image_pull_secrets: tuple[str, ...] = spec_field(
        "imagePullSecrets",
        "Names of Secrets for pulling the image, as strings or as {name}; outermost level first.",
        factory=tuple,
        merge=Merge.EACH_ONCE,
        ref="PullSecret[]",
        maxItems=32,
    )
    image_pull_policy: str | None = spec_field(
        "imagePullPolicy",
        "Always, Never or IfNotPresent (the default), as a string or a list with one entry; the innermost wins.",
        default=None,
        ref="PullPolicy",
    )
    labels: Manifest = spec_field(
        "labels", "Labels of the Job and its pod; merged by key, the innermost wins.", factory=dict, ref="Labels"
    )
    annotations: Manifest = spec_field(
        "annotations",
        "Annotations of the Job and its pod; merged by key, the innermost wins.",
        factory=dict,
        ref="Annotations",
    )
    resources: Manifest = spec_field(
        "resources",
        "Requests and limits of the container; merged per resource name, the innermost wins.",
        factory=dict,
        merge=Merge.BY_RESOURCE,
        ref="ResourceRequirements",
    )
    node_selector: Manifest = spec_field(
        "nodeSelector",
        "Labels that a node must have; merged by key, the innermost wins.",
        factory=dict,
        ref="StringMap",
    )
    tolerations: tuple[Manifest, ...] = spec_field(
        "tolerations",
        "Taints that the pod tolerates, outermost level first, without duplicates.",
        factory=tuple,
        merge=Merge.EACH_ONCE,
        ref="Toleration[]",
        maxItems=32,
    )
    affinity: Manifest | None = spec_field(
        "affinity", "Affinity of the pod, not merged; the innermost wins.", default=None, ref="Affinity"
    )
    priority_class_name: str | None = spec_field(
        "priorityClassName", "Priority class of the pod; the innermost wins.", default=None, ref="Subdomain"
    )
    pod_security_context: Manifest | None = spec_field(
        "podSecurityContext",
        "Security context of the pod, not merged; the innermost wins.",
        default=None,
        ref="PodSecurityContext",
    )
    security_context: Manifest | None = spec_field(
        "securityContext",
        "Security context of the container, not merged; the innermost wins.",
        default=None,
        ref="SecurityContext",
    )
    automount_service_account_token: bool | None = spec_field(
        "automountServiceAccountToken",
        "Whether the service account's token is mounted; the innermost wins.",
        default=None,
    )


NO_PARAMS = Params()


def imported_name(source: Manifest) -> str:
    """The variable that an entry of `fromEnv` with a `key` becomes."""
    return f"{source.get('prefix') or ''}{source['key']}"


def variable_names(params: Params) -> list[str]:
    """The variables that one level names: the single keys that it imports, then its `env`."""
    imported = [imported_name(entry) for entry in params.from_env if entry.get("key")]
    return imported + [str(entry.get("name")) for entry in params.env]


@attrs.frozen
class Layer:
    """One level's parameters with its path, for messages: `spec`, `spec.groups[0]`, `spec.groups[0].jobs[1]`."""

    path: str
    params: Params


ALIASES = aliases(Params)
"""The second keys of parameters, by their first ones: whoever reads a document as it is written has to know both."""
MERGE: Mapping[str, Merge] = {field.name: field.metadata["merge"] for field in attrs.fields(Params)}
"""How the levels of each parameter combine, by attribute."""
MERGE_KEYS: Mapping[str, str] = {field.name: key for field in attrs.fields(Params) if (key := merge_key(field))}
"""The merge keys of those that are lists of named entries, by attribute."""
