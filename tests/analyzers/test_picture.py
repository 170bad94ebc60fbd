import pytest
from matplotlib.figure import Figure

from analyzers import picture
from brokers.errors import ConfigError


def test_the_same_figure_is_the_same_bytes():
    assert picture.png(Figure()) == picture.png(Figure())


def test_a_picture_makes_its_folder(tmp_path):
    picture.save(Figure(), tmp_path / "deep" / "x.png")
    assert (tmp_path / "deep" / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write .*file.x\.png: .*: name a file in a"):
        picture.save(Figure(), tmp_path / "file" / "x.png")
