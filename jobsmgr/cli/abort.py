"""`jobsmgr abort`: stop workflows and their running jobs. The patch is in client/steering, not here."""

from __future__ import annotations

import click

from jobsmgr.cli.shared.steering import Steering, steer, steering_options


@click.command()
@steering_options
def abort(steering: Steering) -> int:
    """Stop workflows: running Jobs are deleted, and no more jobs start."""
    from jobsmgr.client.steering import ABORT

    return steer(steering, ABORT)
