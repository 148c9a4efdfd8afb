"""`jobsmgr resume`: let suspended workflows go on. The patch is in client/steering, not here."""

from __future__ import annotations

import click

from jobsmgr.cli.shared.steering import Steering, steer, steering_options


@click.command()
@steering_options
def resume(steering: Steering) -> int:
    """Resume suspended workflows."""
    from jobsmgr.client.steering import RESUME

    return steer(steering, RESUME)
