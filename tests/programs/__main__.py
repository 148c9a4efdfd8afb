"""Build what is not built yet, and print the paths: `python -m tests.programs`, or only some by name. Runs none."""

import sys

from tests.plane.build import PLANE
from tests.programs.building import BuildError, say
from tests.programs.helm import HELM
from tests.programs.promtool import PROMTOOL

PROGRAMS = {program.name: program for program in (PLANE, HELM, PROMTOOL)}


def main(names: list[str]) -> int:
    """Build the programs of these names, or all; 1 after a one-sentence error."""
    for name in names or PROGRAMS:
        if name not in PROGRAMS:
            say(name, f'there is no program "{name}": use {", ".join(PROGRAMS)}')
            return 1
        try:
            print(PROGRAMS[name].binary())
        except BuildError as error:
            say(name, str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
