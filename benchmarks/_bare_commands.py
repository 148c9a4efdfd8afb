"""The least that a command can do: get a list, or follow one object. A process; nothing of jobsmgr is imported here."""

import argparse
import asyncio
import json
from pathlib import Path

from tests.plane.client import Client


async def _get(client: Client, path: str) -> None:
    """Get a list, and say how many items it has."""
    _, answer = await client.send("GET", path)
    print(len(answer["items"]))


async def _follow(client: Client, path: str) -> None:
    """Read each version of an object, until killed."""
    await client.follow(path, lambda kind, item: print(kind, len(json.dumps(item)), flush=True))


async def _main(options: argparse.Namespace) -> None:
    async with Client(options.url, options.token, options.authority, "bare") as client:
        await (_follow if options.follow else _get)(client, options.path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--authority", required=True, type=Path)
    parser.add_argument("--path", required=True)
    parser.add_argument("--follow", action="store_true")
    asyncio.run(_main(parser.parse_args()))
