"""The files of `manifests/` are generated, and kustomize builds from them what `jobsmgr manifests` prints."""

from pathlib import Path

import pytest

from jobsmgr.installation import parts
from jobsmgr.installation.settings import Installation
from manifests.generate.files import INSTALL, ROOT, files, strays
from manifests.generate.kustomize import CHOSEN, RELEASE
from tests.cli.program import run
from tests.installation.support import built, by_name, loaded, overlay, pod

COMPONENTS = sorted(path.name for path in (ROOT / "components").iterdir())
PARTS = ("crd", "namespace", "operator")
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace", "PriorityClass"}


def test_the_committed_files_are_the_generated_ones() -> None:
    """Else run `nox -s manifests`. None is left behind, and none was added by hand."""
    made = files()
    assert [path for path, text in made.items() if path.read_text() != text] == []
    assert strays() == []


def test_kustomize_file_and_command_give_the_same_objects() -> None:
    """The default overlay, `install.yaml` and what `jobsmgr manifests` prints; the CRD comes first."""
    printed = loaded(run("manifests", "--image", CHOSEN.image).out)
    assert loaded(built(ROOT / "overlays" / "default")) == printed
    assert loaded(INSTALL.read_text()) == printed
    assert next(iter(printed))[0] == "CustomResourceDefinition"


@pytest.mark.parametrize("folder", ["crd", "base", "namespaced"])
def test_a_folder_has_the_objects_of_its_part(folder: str) -> None:
    """By itself, without an overlay."""
    part = parts.crd() if folder == "crd" else getattr(parts, folder)(CHOSEN)
    assert loaded(built(ROOT / folder)) == by_name(part)


def test_the_namespaced_variant_needs_no_rights_on_the_cluster(tmp_path: Path) -> None:
    """Roles alone, all in one namespace, with the same rights there; the operator serves that one alone."""
    found = overlay(tmp_path, "namespaced", namespace="team")
    assert {kind for kind, _ in found} & CLUSTER_WIDE == set()
    assert {one["metadata"]["namespace"] for one in found.values()} == {"team"}
    everywhere = by_name((*parts.base(CHOSEN), *parts.pod_reader(CHOSEN)))
    for name in ("jobsmgr", "jobsmgr-pods"):
        assert found["Role", name]["rules"] == everywhere["ClusterRole", name]["rules"]
    (container,) = pod(found)["containers"]
    assert [one["name"] for one in container["env"]] == ["JOBSMGR_NAMESPACES"]


@pytest.mark.parametrize("resource", ["overlays/default", "namespaced"])
def test_everything_follows_when_the_namespace_and_the_image_are_changed(tmp_path: Path, resource: str) -> None:
    """In an overlay of one's own: no binding is left with the old namespace."""
    found = overlay(tmp_path, resource, namespace="ours", images=[{"name": "jobsmgr", "newName": "r.example/j"}])
    subjects = [one for each in found.values() for one in each.get("subjects", ())]
    assert {one["namespace"] for one in subjects} == {"ours"}
    assert {one["metadata"].get("namespace", "ours") for one in found.values()} == {"ours"}
    (container,) = pod(found)["containers"]
    assert container["image"] == f"r.example/j:{RELEASE}"
    if resource == "overlays/default":
        printed = loaded(run("manifests", "--namespace", "ours", "--image", f"r.example/j:{RELEASE}").out)
        assert found == printed


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_fits_the_base(tmp_path: Path, component: str) -> None:
    """It builds, and adds or changes something."""
    assert overlay(tmp_path, "base", components=[component]) != by_name(parts.base(CHOSEN))


@pytest.mark.parametrize(
    ("component", "added"),
    [("migration", {("managedjobs", "patch")}), ("pod-reader", {("pods", "list"), ("events", "list")})],
)
def test_a_component_adds_just_its_rights(tmp_path: Path, component: str, added: set[tuple[str, str]]) -> None:
    """And nothing else."""
    found, base = overlay(tmp_path, "base", components=[component]), by_name(parts.base(CHOSEN))
    extra = [one for key, one in found.items() if key not in base]
    granted = [rule for one in extra for rule in one.get("rules", ())]
    assert {(rule["resources"][0], verb) for rule in granted for verb in rule["verbs"]} == added
    assert {one["kind"] for one in extra} == {"ClusterRole", "ClusterRoleBinding"}


def test_only_a_part_is_printed() -> None:
    """The CRD, the namespace, or what runs the operator: each object is in one of them, in the order of everything.

    Deleting the operator must not delete the namespace, and so the workflows that are in it.
    """
    named = ("--namespace", "ours")
    crd, home, operator = (loaded(run("manifests", "--only", part, *named).out) for part in PARTS)
    assert {kind for kind, _ in crd} == {"CustomResourceDefinition"}
    assert set(home) == {("Namespace", "ours")}
    assert {kind for kind, _ in operator} & {"CustomResourceDefinition", "Namespace"} == set()
    everything = loaded(run("manifests", *named).out)
    assert [*everything.items()] == [*crd.items(), *home.items(), *operator.items()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--namespace", "Team_A"), '"Team_A" is not a valid namespace; use at most 63 lower-case letters, digits'),
        (("--namespace", ""), '"" is not a valid namespace'),
        (("--image", "jobs mgr"), '"jobs mgr" is not a valid image; write it like jobsmgr:1.2.0'),
        (("--image", ""), '"" is not a valid image'),
        (("--image", "https://r.example/jobsmgr"), "is not a valid image"),
        (("--only", "roles"), '"roles" is not one of crd, namespace, operator.'),
    ],
)
def test_wrong_options_are_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2, and nothing is printed that somebody could apply."""
    done = run("manifests", *arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "image",
    ["jobsmgr", "localhost:5000/a/b-c:1", "r.example/x@sha256:" + "a" * 64, "r.example/x:v1@sha256:" + "0" * 64],
)
def test_images_as_registries_name_them_are_taken(image: str) -> None:
    """With a port, a digest, or neither."""
    (container,) = pod(loaded(run("manifests", "--image", image).out))["containers"]
    assert container["image"] == image


def test_rights_stand_where_the_code_needs_them() -> None:
    """The roles of two installations differ in their names only, and no role has a wildcard."""
    other = Installation(image="jobsmgr", name="second", namespace="team")
    every = (*parts.home(other), *parts.operator(other), *parts.migration(other), *parts.namespaced(other))
    for one in every:
        for rule in one.get("rules", ()):
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
    assert {one["metadata"]["name"].partition("-")[0] for one in every} == {"second", "team"}
