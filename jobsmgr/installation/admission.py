"""An optional policy: whoever starts Jobs through a ManagedJob must be allowed to create Jobs. No roles here."""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.resources import JOBS, WORKFLOWS
from jobsmgr.installation.settings import Installation

_API = "admissionregistration.k8s.io/v1"
_SUFFIX = "-may-create-jobs"

# Other edits start nothing. And the garbage collector, which removes finalizers, is not allowed to create Jobs.
_STARTS = (
    "request.operation == 'CREATE' || object.spec != oldObject.spec"
    " || object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})"
)
_ALLOWED = (
    f"authorizer.group('{JOBS.group}').resource('{JOBS.plural}').namespace(request.namespace).check('create').allowed()"
)
_MESSAGE = (
    "'user \"' + request.userInfo.username + '\" may not create Jobs in namespace \"' + request.namespace"
    " + '\", and a ManagedJob creates Jobs: bind a role with that right, for example edit'"
)


def admission_policy(installation: Installation) -> tuple[Manifest, Manifest]:
    """A ValidatingAdmissionPolicy, and its binding to all namespaces."""
    matched = {
        "apiGroups": [WORKFLOWS.group],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [WORKFLOWS.plural],
    }
    policy = {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": installation.metadata(_SUFFIX),
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [matched]},
            "matchConditions": [{"name": "starts-jobs", "expression": _STARTS}],
            "validations": [{"expression": _ALLOWED, "messageExpression": _MESSAGE, "reason": "Forbidden"}],
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": installation.metadata(_SUFFIX),
        "spec": {"policyName": f"{installation.name}{_SUFFIX}", "validationActions": ["Deny"]},
    }
    return policy, binding
