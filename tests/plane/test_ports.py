"""A port that is held is its holder's, whoever else asks for one."""

import contextlib
import socket
import struct
import sys

import pytest

from tests.plane import ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is not held")

_IP_LOCAL_PORT_RANGE = 51
"""Of Linux 6.3 and later: which ports the kernel may choose from, for one socket."""


def with_no_choice(port: int) -> socket.socket:
    """A socket for which the kernel can choose this port only."""
    made = socket.socket()
    try:
        made.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, struct.pack("I", port << 16 | port))
    except OSError:
        made.close()
        pytest.skip("this kernel always chooses among all ports")
    return made


def test_a_program_that_names_it_listens_there_again_and_again() -> None:
    """As a server that is restarted; meanwhile nobody else does."""
    with ports.hold() as held:
        place = ("127.0.0.1", ports.number(held))
        for _ in range(2):
            with socket.create_server(place) as server, socket.create_connection(place), server.accept()[0]:
                pass
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(place)


@pytest.mark.parametrize("reuses", [0, 1])
def test_the_kernel_chooses_it_for_nobody(reuses: int) -> None:
    """Neither to listen nor for a connection: not even where there is no other left."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(ports.hold())
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listens, connects = (stack.enter_context(with_no_choice(ports.number(held))) for _ in range(2))
        for one in (listens, connects):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuses)
        with pytest.raises(OSError, match="in use"):
            listens.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="Cannot assign requested address"):
            connects.connect(server.getsockname())
