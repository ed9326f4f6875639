"""The broker's socket is beside the data, unless that path is too long for the kernel."""

import os
from pathlib import Path

from config.sockets import LONGEST_PATH, broker_socket


def test_the_socket_is_beside_the_data() -> None:
    assert broker_socket(Path("/data")) == Path("/data/broker.sock")


def test_a_long_path_moves_to_a_short_one() -> None:
    socket = broker_socket(Path("/") / ("long" * 40))

    assert len(os.fsencode(socket)) <= LONGEST_PATH


def test_two_long_paths_do_not_share_a_socket() -> None:
    one = broker_socket(Path("/") / ("long" * 40) / "one")
    two = broker_socket(Path("/") / ("long" * 40) / "two")

    assert one != two
