"""Pictures of commands for a cluster are what the program prints today, but for times."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.cli.screens import steady
from tests.cli.terminal_pictures import FOLDER
from tests.node.pictures import NAMESPACE, draw, take
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site

pytestmark = pytest.mark.real_node


def words(picture: str, namespace: str = NAMESPACE) -> list[str]:
    """What is written on a picture, without times and bars."""
    texts = [str(text.text) for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    lines = steady([f" {text}" for text in texts], {namespace: NAMESPACE})
    return [line for line in lines if line.strip("─━ ") not in ("", "TIME", "SCALE") and not re.search("[▒█·]", line)]


def test_pictures_are_current(site: Site, operator: OperatorProcess) -> None:
    """`nox -s pictures` makes them anew."""
    for name, lines in take(site).items():
        assert words((FOLDER / name).read_text()) == words(draw(name, lines), site.namespace)
