"""Jobs as users name them in options: found, or refused with the nearest names. No option is declared here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.exits import UnusableInput
from jobsmgr.files.paths import shown

_FEW = 8
"""Where no job has a similar name, this many are listed at most."""


def choose_jobs(plans: Sequence[Plan], file: str, names: Sequence[str]) -> list[list[JobKey]]:
    """The jobs of each workflow; with `names` those that they name. Raises `UnusableInput`."""
    if not names:
        return [list(plan.jobs) for plan in plans]
    return [find_jobs(plan, names) for plan in refuse_several(plans, file, "--job")]


def refuse_several(plans: Sequence[Plan], file: str, option: str) -> Sequence[Plan]:
    """The plans, if it is one; raises `UnusableInput` for an option that is about one workflow where there are more."""
    if len(plans) > 1:
        names = ", ".join(f'"{plan.workflow.name}"' for plan in plans)
        raise UnusableInput(f"{option} works on one workflow, but {shown(file)} has {names}; choose it with --name")
    return plans


def find_jobs(plan: Plan, texts: Iterable[str]) -> list[JobKey]:
    """The jobs that a user names, one by one or by pattern, in the order of the workflow. Raises `UnusableInput`."""
    found: set[JobKey] = set()
    for text in texts:
        if not is_pattern(text):
            found.add(find_job(plan, text))
            continue
        refuse_idle([plan], f'workflow "{plan.workflow.name}"', [pattern := _of_any_group(text)])
        found.update(key for key in plan.jobs if fnmatchcase(str(key), pattern))
    return [key for key in plan.jobs if key in found]


def is_pattern(text: str) -> bool:
    """Whether a name is a pattern as a shell has them for files (`load-*`); no name has one of its characters."""
    return not {"*", "?", "["}.isdisjoint(text)


def _of_any_group(text: str) -> str:
    return text if "/" in text else f"*/{text}"


def find_job(plan: Plan, text: str) -> JobKey:
    """The job that a user names: group/job, a name that only one job has, or the name of its Job.

    Raises `UnusableInput` with the nearest names, or with all that fit.
    """
    keys = list(plan.jobs)
    exact = [key for key, job in plan.jobs.items() if text in (str(key), job.job_name())]
    fits = exact or [key for key in keys if key.job == text]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UnusableInput(f'"{text}" matches {", ".join(str(key) for key in fits)}; write it as group/job')
    if inside := [str(key) for key in keys if key.group == text]:
        raise UnusableInput(f'"{text}" is a group; name one of its jobs: {_listed(inside)}, or "{text}/*"')
    import difflib

    near = difflib.get_close_matches(text, [str(key) for key in keys] + [key.job for key in keys], n=1)
    listed = f"it has {_listed(keys)}" if len(keys) <= _FEW else f"graph shows all {len(keys):,}"
    hint = f'did you mean "{near[0]}"?' if near else listed
    raise UnusableInput(f'workflow "{plan.workflow.name}" has no job "{text}"; {hint}')


def _listed(jobs: Sequence[JobKey | str]) -> str:
    """A few jobs, and how many more there are."""
    more = f" and {len(jobs) - _FEW:,} more" if len(jobs) > _FEW else ""
    return ", ".join(map(str, jobs[:_FEW])) + more


def refuse_idle(plans: Sequence[Plan], option: str, patterns: Iterable[str]) -> None:
    """Raise `UnusableInput` for a pattern of `group/job` that fits no job: a typo would else change nothing."""
    keys = [key for plan in plans for key in plan.jobs]
    for pattern in patterns:
        if not any(fnmatchcase(str(key), pattern) for key in keys):
            given = pattern.removeprefix("*/")
            raise UnusableInput(f'no job matches "{given}" ({option}); use one of {_listed(keys)}, or a pattern')


def fitting(keys: Iterable[JobKey], workflow: str, patterns: Iterable[str]) -> list[JobKey]:
    """The jobs of a workflow that fit any of some patterns, by `group/job` or by their own name.

    Raises `UnusableInput` for a pattern that fits none.
    """
    found: dict[JobKey, None] = {}
    known = list(keys)
    for pattern in patterns:
        fits = [key for key in known if fnmatchcase(str(key), pattern) or fnmatchcase(key.job, pattern)]
        if not fits:
            raise UnusableInput(f'workflow "{workflow}" has no job "{pattern}"; it has {_listed(known)}')
        found |= dict.fromkeys(fits)
    return list(found)
