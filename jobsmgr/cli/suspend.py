"""`jobsmgr suspend`: start no more jobs until `resume`. The patch is in client/steering, not here."""

from __future__ import annotations

import click

from jobsmgr.cli.shared.steering import Steering, steer, steering_options


@click.command()
@steering_options
def suspend(steering: Steering) -> int:
    """Suspend workflows: no more jobs start until they are resumed; running jobs continue."""
    from jobsmgr.client.steering import SUSPEND

    return steer(steering, SUSPEND)
