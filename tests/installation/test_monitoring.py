"""Alerts and dashboard ask for metrics that there are, Prometheus understands them, and each alert has its runbook."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobsmgr.installation.alerts import ALERTS, rule_groups
from jobsmgr.installation.dashboard import dashboard
from manifests.generate.files import ROOT
from tests.operator.metrics.exported import series
from tests.programs.promtool import PROMTOOL, VERSION

NAME = re.compile(r"\b(?:jobsmgr|managedjob|process)_\w+")
COMPONENTS = ROOT / "components"
RUNBOOKS = ROOT.parent / "docs" / "runbooks.md"


def component(name: str, file: str) -> dict[str, Any]:
    """The first object of a component's file."""
    found: dict[str, Any] = next(iter(yaml.safe_load_all((COMPONENTS / name / file).read_text())))
    return found


def named(queries: Iterable[str]) -> set[str]:
    """The metrics that queries name."""
    return {name for query in queries for name in NAME.findall(query)}


async def test_every_metric_of_alerts_and_dashboard_is_exported() -> None:
    """In the files that are applied."""
    rule = component("prometheusrule", "alerts.yaml")
    alerts = [one["expr"] for group in rule["spec"]["groups"] for one in group["rules"]]
    shown = json.loads(component("grafana", "dashboard.yaml")["data"]["jobsmgr.json"])
    assert shown == dashboard()
    panels = [target["expr"] for panel in shown["panels"] for target in panel["targets"]]
    variables = [one["query"] for one in shown["templating"]["list"]]
    assert len(alerts) == len(ALERTS)
    assert named([*alerts, *panels, *variables]) - await series() == set()
    assert {name.removesuffix("_bucket") for name in named(alerts)} >= {"jobsmgr_leader", "jobsmgr_queue_wait_seconds"}


def test_every_alert_has_its_runbook() -> None:
    """A heading of its name, in the order of the rules, that says how grave it is."""
    text = RUNBOOKS.read_text()
    found = re.findall(r"^## (\w+)\n\n\*(\w+)\.\*", text, re.MULTILINE)
    assert found == [(alert.name, alert.severity) for alert in ALERTS]
    (group,) = rule_groups()
    assert [rule["annotations"]["runbook"] for rule in group["rules"]] == [
        f"docs/runbooks.md#{name.lower()}" for name, _ in found
    ]


def promtool(*arguments: str | Path) -> str:
    """What promtool says, if it is content."""
    done = subprocess.run([PROMTOOL.binary(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules as a file of Prometheus."""
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(component("prometheusrule", "alerts.yaml")["spec"]))
    return file


def test_promtool_accepts_rules_and_queries(rules: Path) -> None:
    """Of the version that its module pins; also each query of the dashboard, as a rule of its own."""
    assert f"version {VERSION} " in promtool("--version")
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", rules)
    panels = dashboard()["panels"]
    queries = {target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]}
    recorded = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(sorted(queries))]
    file = rules.with_name("queries.yaml")
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    promtool("check", "rules", file)


Series = Mapping[str, str]
SCRAPED: Series = {'jobsmgr_build_info{instance="a"}': "1x60"}
LEADER = 'jobsmgr_leader{namespace="jobsmgr", instance="a"}'
OTHER = 'jobsmgr_leader{namespace="jobsmgr", instance="b"}'
DEPTH, TAKEN = 'jobsmgr_queue_depth{instance="a"}', 'jobsmgr_queue_wait_seconds_count{instance="a"}'
STALLED = 'jobsmgr_workflows{namespace="team", phase="running", reason="PluginError", instance="%s"}'
REFUSED = 'jobsmgr_requests_total{verb="%s", resource="%s", code="403", instance="a"}'
CASES: Mapping[str, tuple[Series, set[str]]] = {
    "healthy": ({LEADER: "1x60", OTHER: "0x60", DEPTH: "0x60", TAKEN: "0+5x60"}, set()),
    "nobody leads": ({LEADER: "0x60", OTHER: "0x60"}, {"JobsmgrNoLeader"}),
    "both lead": ({LEADER: "1x60", OTHER: "1x60"}, {"JobsmgrSeveralLeaders"}),
    "stuck": ({LEADER: "1x60", DEPTH: "3x60", TAKEN: "100x60"}, {"JobsmgrQueueStuck"}),
    "busy": ({LEADER: "1x60", DEPTH: "3x60", TAKEN: "0+50x60"}, set()),
    "stalled, seen by both": (
        {LEADER: "1x60", STALLED % "a": "2x60", STALLED % "b": "2x60"},
        {"JobsmgrWorkflowStalled"},
    ),
    "a quota": ({LEADER: "1x60", REFUSED % ("create", "jobs"): "0+1x60"}, set()),
    "a right is missing": ({LEADER: "1x60", REFUSED % ("patch", "events"): "0+1x60"}, {"JobsmgrRightMissing"}),
    "blocked": (
        {LEADER: "1x60", 'jobsmgr_event_loop_blocks_total{instance="a"}': "0x50 1x10"},
        {"JobsmgrEventLoopBlocked"},
    ),
    "nothing at all": ({}, {"JobsmgrDown"}),
}


def test_who_is_called_when(rules: Path) -> None:
    """Each case for an hour of one sample a minute; nobody else is called."""
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [
                {"series": series, "values": values}
                for series, values in {**given, **(SCRAPED if given else {})}.items()
            ],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "58m",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(fired)],
                }
            ],
        }
        for name, (given, fired) in CASES.items()
    ]
    file = rules.with_name("tests.yaml")
    file.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", file)
