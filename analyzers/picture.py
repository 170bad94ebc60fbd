"""A matplotlib figure as a PNG file, the same bytes for the same figure."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from brokers.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # slow to import, and whoever draws has done so

# Okabe and Ito (2008): told apart with any colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
GREY = "#808080"


def png(figure: "Figure", dpi: int = 110) -> bytes:
    """The picture as PNG; the same figure gives the same bytes."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=dpi, metadata={"Software": None})
    return sink.getvalue()


def save(figure: "Figure", path: Path) -> None:
    """Write it as PNG.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(figure))
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror or error}: name a file in a folder that you may "
            "write to"
        ) from error
