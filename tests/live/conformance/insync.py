"""The real ib_insync 0.9.86 against our gateway: `python -m tests.live.conformance.insync`.

It cannot live beside ib_async, with which it shares module names, so it has an environment of its
own under build/, made at the first run. The gateway is `python -m live venue --front tws`.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WANTED = "ib_insync==0.9.86"
FOLDER = Path("build/ib_insync")
CLIENT = Path(__file__).with_name("insync_client.py")
GATEWAY = ("-m", "live", "venue", "--front", "tws", "--port", "0", "--speed", "600x")
LONGEST_S = 300.0


def python() -> Path:
    """The interpreter of the environment, which is made unless it is there."""
    found, stamp = FOLDER / "bin" / "python", FOLDER / "installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != WANTED:
        venv.create(FOLDER, with_pip=True, clear=True)
        subprocess.run([found, "-m", "pip", "install", "--quiet", WANTED], check=True)
        stamp.write_text(WANTED, encoding="utf-8")
    return found


@contextmanager
def gateway() -> Iterator[int]:
    """Run our gateway while the block runs; gives its port."""
    process = subprocess.Popen([sys.executable, *GATEWAY], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
    finally:
        process.terminate()
        process.communicate()


def main() -> int:
    """Run the client to its end; its exit code."""
    interpreter = python()
    with gateway() as port:
        done = subprocess.run([interpreter, CLIENT, str(port)], check=False, timeout=LONGEST_S)
    sys.stdout.write(f"{WANTED}: {'passed' if done.returncode == 0 else 'FAILED'}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
