"""`jobsmgr manifests`: what to apply to a cluster to run this version there. No cluster is asked."""

from __future__ import annotations

from importlib import metadata

import click

from jobsmgr.cli.shared.streams import echo_utf8


def _namespace(ctx: click.Context, param: click.Parameter, value: str) -> str:
    from jobsmgr.api.syntax import LABEL  # the help needs none of it

    if not LABEL.fits(value):
        raise click.BadParameter(f'"{value}" is no namespace; {LABEL.advice}', ctx, param)
    return value


def _image(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    from jobsmgr.api.syntax import IMAGE_REFERENCE

    # A version between two releases has a "+", which no tag may have.
    image = f"jobsmgr:{metadata.version('jobsmgr').replace('+', '-')}" if value is None else value
    if not IMAGE_REFERENCE.fits(image):
        raise click.BadParameter(f'"{image}" is no image; {IMAGE_REFERENCE.advice}', ctx, param)
    return image


@click.command()
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    default="jobsmgr",
    show_default=True,
    callback=_namespace,
    help="The namespace that the operator runs in; it is created.",
)
@click.option(
    "--image",
    metavar="IMAGE",
    callback=_image,
    help="The operator's image, with the registry that has it. Default: jobsmgr, with this version as its tag.",
)
@click.option(
    "--only",
    type=click.Choice(["crd", "operator"]),
    help="Only the CRD, or only what runs the operator. Default: both.",
)
def manifests(namespace: str, image: str, only: str | None) -> None:
    """Print what runs the operator on a cluster: jobsmgr manifests | kubectl apply -f -

    It is what manifests/install.yaml has: the CRD, a namespace, the operator's roles and two replicas. The CRD and the
    operator can be applied together.
    """
    from jobsmgr.installation import parts
    from jobsmgr.installation.settings import Installation
    from jobsmgr.views.manifests import manifest_yaml

    chosen = Installation(image=image, namespace=namespace)
    printed = {"crd": parts.crd(), "operator": parts.operator(chosen)}
    echo_utf8(manifest_yaml(manifest for part in ([only] if only else printed) for manifest in printed[part]))
