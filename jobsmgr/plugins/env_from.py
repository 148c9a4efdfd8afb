"""Whole ConfigMaps and Secrets as environment variables. Single keys (`fromEnv[].key`) become `env` while merging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jobsmgr import Fragment, JobContext, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import VARIABLE, Code, quoted


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The merged sources, outermost level first."""
    return Fragment(env_from=job.params.from_env)


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Sources that name neither or both of a ConfigMap and a Secret, name it not at all, or have a bad prefix."""
    for layer in workflow.levels():
        yield from _problems(f"{layer.path}.params", layer.params)


def _problems(path: str, params: Params) -> Iterator[Problem]:
    for index, source in enumerate(params.from_env):
        source_path = f"{path}.fromEnv[{index}]"
        if (prefix := source.get("prefix")) and not VARIABLE.fits(prefix):
            text = f"{quoted(prefix)} cannot begin a variable's name; {VARIABLE.advice}"
            yield Problem(f"{source_path}.prefix", text, Code.BAD_SOURCE)
        references = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        if len(references) != 1:
            yield Problem(source_path, "set exactly one of configMapRef, secretRef", Code.BAD_SOURCE)
        elif not isinstance(reference := source[references[0]], Mapping):
            yield Problem(
                f"{source_path}.{references[0]}",
                f"expected an object with a name, found {quoted(reference)}",
                Code.BAD_SOURCE,
            )
        elif not reference.get("name"):
            yield Problem(f"{source_path}.{references[0]}.name", "required, but missing", Code.BAD_SOURCE)
