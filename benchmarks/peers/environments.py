"""An environment a peer under build/peers: `python -m benchmarks.peers.environments`."""

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path("build/peers")
REQUIREMENTS = Path(__file__).parent / "requirements"


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, made or not."""
    return FOLDER / peer / "bin" / "python"


def make(peer: str) -> bool:
    """Make one unless it is there; False, with the reason on stderr, where that fails."""
    stamp = FOLDER / peer / "installed"
    wanted = (REQUIREMENTS / f"{peer}.txt").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    venv.create(FOLDER / peer, with_pip=True, clear=True)
    command = [python_of(peer), "-m", "pip", "install", "--quiet", "pyarrow", "-r"]
    done = subprocess.run([*command, REQUIREMENTS / f"{peer}.txt"], check=False)
    if done.returncode:
        print(f"{peer}: cannot be installed here; it is left out", file=sys.stderr)
        return False
    stamp.write_text(wanted)
    return True


def main() -> int:
    """Make all of them; 0 even where some cannot be had, for the others are worth comparing."""
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        print(f"{path.stem}: {'ready' if make(path.stem) else 'left out'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
