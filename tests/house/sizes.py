"""The size gates of `make check`: rooms small enough to live in.

Exit code 1 and a line for every file over 400 lines, function over 40 lines (its docstring
aside) and class with more than 12 public methods.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40
PUBLIC_METHODS = 12
ROOMS = (
    "analyzers", "backtest", "benchmarks", "brokers", "dashboard", "feeds", "live", "strategies",
    "tests",
)  # fmt: skip


def complaints(path: Path) -> Iterator[str]:
    """One line for each thing in the file that has grown too large."""
    text = path.read_text(encoding="utf-8")
    if (lines := text.count("\n")) > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = lines_of(node)
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name}: {length} lines, at most {FUNCTION_LINES}"
        if isinstance(node, ast.ClassDef) and (count := public_methods(node)) > PUBLIC_METHODS:
            yield f"{path}:{node.lineno} {node.name}: {count} public methods"


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the signature and the body; a long docstring does not make a function long."""
    first, last = node.body[0], node.end_lineno or node.lineno
    docstring = 0
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return last - node.lineno + 1 - docstring


def public_methods(node: ast.ClassDef) -> int:
    """Methods that a user of the class may call; a test's do not count."""
    methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return sum(not method.name.startswith(("_", "test_")) for method in methods)


def main() -> int:
    """Print every complaint; 1 when there is any."""
    paths = [*Path().glob("*.py"), *(path for room in ROOMS for path in Path(room).rglob("*.py"))]
    found = [line for path in sorted(paths) for line in complaints(path)]
    print("\n".join(found) or f"sizes: {len(paths)} files, all within the limits")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
