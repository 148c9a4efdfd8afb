"""`jobsmgr suspend`: start no more jobs until `resume`. The patch is in client/steering, not here."""

from __future__ import annotations

import click

from jobsmgr.cli.shared.steering import Steering, steer, steering_options


@click.command()
@steering_options
def suspend(steering: Steering) -> int:
    """Start no more jobs of workflows until they are resumed; what runs goes on."""
    from jobsmgr.client.steering import SUSPEND

    return steer(steering, SUSPEND)
