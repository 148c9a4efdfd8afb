"""`jobsmgr manifests`: prints what installs this version on a cluster. No request is sent."""

from __future__ import annotations

from importlib import metadata

import click

from jobsmgr.cli.shared.streams import echo_utf8
from jobsmgr.cli.shared.values import OneOf


def _namespace(ctx: click.Context, param: click.Parameter, value: str) -> str:
    from jobsmgr.api.syntax import LABEL  # the help needs none of it

    if not LABEL.fits(value):
        raise click.BadParameter(f'"{value}" is not a valid namespace; {LABEL.advice}', ctx, param)
    return value


def _image(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    from jobsmgr.api.syntax import IMAGE_REFERENCE

    # A version between two releases has a "+", which no tag may have.
    image = f"jobsmgr:{metadata.version('jobsmgr').replace('+', '-')}" if value is None else value
    if not IMAGE_REFERENCE.fits(image):
        raise click.BadParameter(f'"{image}" is not a valid image; {IMAGE_REFERENCE.advice}', ctx, param)
    return image


@click.command()
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    default="jobsmgr",
    show_default=True,
    callback=_namespace,
    help="The namespace of the operator; it is created.",
)
@click.option(
    "--image",
    metavar="IMAGE",
    callback=_image,
    help="Image of the operator, with its registry. Default: jobsmgr, with this version as the tag.",
)
@click.option(
    "--only",
    type=OneOf(["crd", "namespace", "operator"]),
    help="Print only the CRD, only the namespace, or only what runs the operator in it. Default: all three.",
)
def manifests(namespace: str, image: str, only: str | None) -> None:
    """Print the manifests that install the operator: jobsmgr manifests | kubectl apply -f -

    They are the same as in manifests/install.yaml: the CRD, a namespace, the roles of the operator and two replicas.
    You can apply the CRD and the operator together.

    To remove the operator and keep all workflows: jobsmgr manifests --only operator | kubectl delete -f -
    """
    from jobsmgr.installation import parts
    from jobsmgr.installation.settings import Installation
    from jobsmgr.views.manifests import manifest_yaml

    chosen = Installation(image=image, namespace=namespace)
    printed = {"crd": parts.crd(), "namespace": parts.home(chosen), "operator": parts.operator(chosen)}
    echo_utf8(manifest_yaml(printed[only] if only else parts.everything(chosen)))
