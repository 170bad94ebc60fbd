"""Which parameter sets make sense: a rule over the parameters, such as `fast < slow`."""

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from brokers.errors import ConfigError

Rule = Callable[[Mapping[str, Any]], Any]
FUNCTIONS = {"abs": abs, "max": max, "min": min, "round": round}

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator,
    ast.Compare, ast.cmpop, ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Constant, ast.Tuple,
    ast.List,
)  # fmt: skip


def rule(constraint: str | Rule | None, names: Iterable[str]) -> Rule | None:
    """The constraint as a function of a parameter set; None where there is none.

    Args:
        constraint: an expression over the parameters with arithmetic, comparisons, `and`, `or`,
            `not`, `in`, and the functions abs, max, min and round; or a callable that takes a
            mapping of them.
        names: of the parameters.

    Raises:
        ConfigError: no expression, or it uses what it must not.

    >>> rule("fast < slow / 2", ["fast", "slow"])({"fast": 5, "slow": 20})
    True
    """
    if constraint is None or callable(constraint):
        return constraint
    tree = _parsed(constraint, set(names))
    code = compile(tree, "<constraint>", "eval")
    return lambda params: eval(code, {"__builtins__": {}, **FUNCTIONS}, dict(params))  # noqa: S307  checked by _parsed


def _parsed(text: str, names: set[str]) -> ast.Expression:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise ConfigError(
            f"constraint {text!r}: this is no expression: write it as 'fast < slow'"
        ) from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ConfigError(
                f"constraint {text!r}: {type(node).__name__} cannot be used: compare parameters "
                "and numbers, or give a Python function"
            )
        if isinstance(node, ast.Name) and node.id not in names | FUNCTIONS.keys():
            raise ConfigError(
                f"constraint {text!r}: no parameter {node.id!r}: there are "
                f"{', '.join(sorted(names))}"
            )
    return tree
