"""Variables, command and arguments as the kubelet works them out."""

import pytest

from jobsmgr.local.environment import environment, expand
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.objects import Objects
from jobsmgr.local.tries import pod_identity
from tests.local.world import manifest

CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "conf", "namespace": "ns"},
    "data": {"A": "a", "B": "b", "a.file-name": "x"},
    "binaryData": {"RAW": "AAEC"},
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key", "namespace": "ns"},
    "data": {"TOKEN": "c2VjcmV0", "B": "b2xk"},
    "stringData": {"B": "from string"},
}
OBJECTS = Objects([CONFIG, SECRET])


def variables(**container: object) -> dict[str, str]:
    job = manifest(container)
    return environment(job["spec"]["template"]["spec"]["containers"][0], pod_identity(job, "uid"), OBJECTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("a$(A)b$(B)c", "a1b2c"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$$$$", "$$"),
        ("$(MISSING)", "$(MISSING)"),
        ("$(A", "$(A"),
        ("$A ${A} $", "$A ${A} $"),
        ("$()", "$()"),
        ("$($(A))", "$($(A))"),
    ],
)
def test_references(text: str, expected: str) -> None:
    """Kubernetes' own table: `$$` escapes, what cannot be resolved stays, nothing nests."""
    assert expand(text, {"A": "1", "B": "2"}) == expected


class TestOrder:
    """What may refer to what."""

    def test_an_entry_sees_those_before_it_alone(self) -> None:
        """A later one stays unresolved."""
        env = [{"name": "X", "value": "$(Y)"}, {"name": "Y", "value": "1"}, {"name": "Z", "value": "$(Y)$(X)"}]
        assert variables(env=env) == {"X": "$(Y)", "Y": "1", "Z": "1$(Y)"}

    def test_env_stands_over_sources_and_a_later_source_over_an_earlier(self) -> None:
        """`envFrom` comes first, whatever the order of the fields."""
        found = variables(
            env=[{"name": "A", "value": "own $(B)"}],
            envFrom=[{"configMapRef": {"name": "conf"}}, {"secretRef": {"name": "key"}}],
        )
        assert found == {"A": "own from string", "B": "from string", "a.file-name": "x", "TOKEN": "secret"}

    def test_values_from_elsewhere_are_taken_literally(self) -> None:
        """A dollar sign in a Secret is no reference."""
        objects = {**CONFIG, "data": {"A": "$(B) $$"}}
        job = manifest({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "A"}}}]})
        container = job["spec"]["template"]["spec"]["containers"][0]
        assert environment(container, pod_identity(job, ""), Objects([objects])) == {"A": "$(B) $$"}


class TestSources:
    """ConfigMaps, Secrets and the pod itself."""

    def test_a_prefix(self) -> None:
        """Every key of `data` is a variable, also one that no shell could name; `binaryData` is for volumes."""
        found = variables(envFrom=[{"prefix": "P_", "configMapRef": {"name": "conf"}}])
        assert found == {"P_A": "a", "P_B": "b", "P_a.file-name": "x"}

    def test_sources_can_be_referred_to(self) -> None:
        """By `env`, and so by command and args; with their prefix."""
        found = variables(
            env=[{"name": "URL", "value": "$(P_A)/$(A)"}],
            envFrom=[{"prefix": "P_", "configMapRef": {"name": "conf"}}],
        )
        assert found["URL"] == "a/$(A)"

    def test_single_keys(self) -> None:
        """Of a ConfigMap and of a Secret, whose stringData stands over its data."""
        env = [
            {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "A"}}},
            {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "key", "key": "B"}}},
        ]
        assert variables(env=env) == {"ONE": "a", "TWO": "from string"}

    def test_what_is_optional_may_be_missing(self) -> None:
        """The variable is then not there at all."""
        env = [
            {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "A", "optional": True}}},
            {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "key", "key": "none", "optional": True}}},
        ]
        assert variables(env=env, envFrom=[{"secretRef": {"name": "none", "optional": True}}]) == {}

    def test_an_optional_one_that_is_missing_hides_nothing(self) -> None:
        """A source's variable of the same name stays."""
        missing = {"name": "none", "key": "A", "optional": True}
        found = variables(
            env=[{"name": "A", "valueFrom": {"configMapKeyRef": missing}}], envFrom=[{"configMapRef": {"name": "conf"}}]
        )
        assert found["A"] == "a"

    def test_an_empty_value_is_one(self) -> None:
        """It stands over a source's."""
        assert variables(env=[{"name": "A", "value": ""}], envFrom=[{"configMapRef": {"name": "conf"}}])["A"] == ""

    @pytest.mark.parametrize(
        ("container", "path", "text"),
        [
            ({"envFrom": [{"configMapRef": {"name": "none"}}]}, "envFrom[0].configMapRef.name", 'ConfigMap "none"'),
            ({"envFrom": [{"configMapRef": {"name": "key"}}]}, "envFrom[0].configMapRef.name", 'ConfigMap "key"'),
            (
                {"envFrom": [{"prefix": "A=", "configMapRef": {"name": "conf"}}]},
                "envFrom[0].prefix",
                "cannot begin a variable's name",
            ),
            (
                {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "RAW"}}}]},
                "env[0].valueFrom.configMapKeyRef.key",
                'ConfigMap "conf" has no key "RAW"',
            ),
            (
                {"envFrom": [{"configMapRef": {"name": "cnof"}}]},
                "envFrom[0].configMapRef.name",
                'ConfigMap "cnof" is not in any of the files; did you mean "conf"?',
            ),
            (
                {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "key", "key": "TOKN"}}}]},
                "env[0].valueFrom.secretKeyRef.key",
                'Secret "key" has no key "TOKN"; did you mean "TOKEN"?',
            ),
            (
                {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "key", "key": "none"}}}]},
                "env[0].valueFrom.secretKeyRef.key",
                'Secret "key" has no key "none"',
            ),
            (
                {"env": [{"name": "X", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]},
                "env[0].valueFrom",
                "known only on a cluster",
            ),
            (
                {"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
                "env[0].valueFrom.fieldRef.fieldPath",
                "known only on a cluster",
            ),
        ],
    )
    def test_what_leads_nowhere_is_refused(self, container: dict[str, object], path: str, text: str) -> None:
        """With the field and what to do."""
        with pytest.raises(CannotRun) as caught:
            variables(**container)
        assert caught.value.problem.path == path
        assert text in caught.value.problem.message

    def test_fields_of_the_pod(self) -> None:
        """Name, namespace, uid, labels and annotations; an absent label is empty."""
        paths = {
            "NAMESPACE": "metadata.namespace",
            "TEAM": "metadata.labels['team']",
            "JOB": "metadata.labels['job-name']",
            "NOTE": "metadata.annotations['note']",
            "NONE": "metadata.labels['none']",
            "NAME": "metadata.name",
        }
        env = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in paths.items()]
        found = variables(env=env)
        assert found.pop("NAME").startswith("wf-g-j-")
        assert found == {"NAMESPACE": "ns", "TEAM": "blue", "JOB": "wf-g-j", "NOTE": "hello", "NONE": ""}
