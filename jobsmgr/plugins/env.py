"""Environment variables of the container. Whole sources are `env_from`'s concern."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr import Fragment, JobContext, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import VARIABLE, Code, quoted


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The merged variables, outermost level first, so that `$(NAME)` in an inner value can name an outer one."""
    return Fragment(env=job.params.env)


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Names that Kubernetes refuses: empty, with `=`, or not printable (RelaxedEnvironmentVariableValidation)."""
    for layer in workflow.levels():
        yield from _problems(f"{layer.path}.params", layer.params)


def _problems(path: str, params: Params) -> Iterator[Problem]:
    for index, entry in enumerate(params.env):
        name = entry.get("name")
        if not VARIABLE.fits(name):
            text = f"{quoted(name)} is not a valid variable name; {VARIABLE.advice}"
            yield Problem(f"{path}.env[{index}].name", text, Code.VARIABLE)
        elif entry.get("value") and entry.get("valueFrom"):  # as Kubernetes has it: an empty value is none
            yield Problem(
                f"{path}.env[{index}]", f'"{name}" has both value and valueFrom; keep one of them', Code.VARIABLE
            )
