"""The commands for a cluster as a user types them, each a process of its own. Nothing is tested here."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import attrs

from tests.cli.program import PROGRAM, ROOT, Done
from tests.cli.runs import Running, on_terminal
from tests.plane.site import Site


@attrs.frozen
class Commands:
    """The program with a kubeconfig whose context is in the test's namespace."""

    site: Site
    user: str = "admin"
    url: str | None = None
    account: str = ""
    """A service account in place of the user, without any right unless it is given some."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a shell of this user has."""
        plane, namespace = self.site
        if self.account:
            kubeconfig = plane.account_kubeconfig(self.account, namespace=namespace, url=self.url)
        else:
            kubeconfig = plane.kubeconfig(self.user, namespace=namespace, url=self.url)
        return {**os.environ, "KUBECONFIG": str(kubeconfig), "COLUMNS": "120"}

    def __call__(self, *arguments: str, code: int = 0, stdin: str = "") -> Done:
        """Run a command to its end, which must be with that exit code."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=self.environment,
            timeout=180,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on while the test does something; it is ended at the end of the block."""
        with subprocess.Popen(
            [PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.environment,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def on_terminal(self, *arguments: str, rows: int = 24, columns: int = 80) -> AbstractContextManager[Running]:
        """A command on a pseudo-terminal of that size; it is ended at the end of the block."""
        kubeconfig = self.environment["KUBECONFIG"]
        return on_terminal(*arguments, program=(str(PROGRAM),), rows=rows, columns=columns, KUBECONFIG=kubeconfig)
