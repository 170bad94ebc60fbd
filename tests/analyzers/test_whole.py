import pytest

from analyzers.whole import write_whole
from brokers.errors import ConfigError


def test_writing_replaces_the_whole_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_whole(path, b"longer than the next")
    write_whole(path, b"short")
    assert path.read_bytes() == b"short"


def test_a_file_that_cannot_be_replaced_leaves_no_part_of_it(tmp_path):
    path = tmp_path / "a.txt"
    path.mkdir()
    with pytest.raises(ConfigError, match=r"cannot write .*a\.txt: .*: name a folder"):
        write_whole(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
