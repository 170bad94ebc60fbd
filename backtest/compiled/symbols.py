"""Parameters that a strategy computes with and never sees, so that many sets share one tracing."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

Values = tuple[Any, ...]


class Seen(BaseException):
    """The strategy wants to see the value of some parameters; no handler of its own may swallow it.

    Args:
        names: of the parameters.
    """

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


def _arithmetic(
    calculate: Callable[[Any, Any], Any], *, reflected: bool = False
) -> Callable[["Symbol", Any], Any]:
    def apply(self: "Symbol", other: Any) -> Any:
        if type(other) is not Symbol:
            if _is_series(other):
                return NotImplemented
            if type(other) not in (int, float):
                raise Seen(self.names)
            other = Symbol(frozenset(), other, lambda _: other_value)
            other_value = other.example
        a, b = (other, self) if reflected else (self, other)
        example = calculate(a.example, b.example)
        return Symbol(a.names | b.names, example, lambda it: calculate(a.of(it), b.of(it)))

    return apply


def _compare(self: "Symbol", other: Any) -> Any:
    if _is_series(other):
        return NotImplemented
    raise Seen(self.names)


def _see(self: "Symbol", *_: Any, **__: Any) -> Any:
    raise Seen(self.names)


class Symbol:
    """A number that depends on parameters.

    Args:
        names: of the parameters.
        example: its value for one set; that of any other is of the same type.
        of: gives its value, from those of all parameters.
    """

    __slots__ = ("example", "names", "of")

    def __init__(self, names: frozenset[str], example: Any, of: Callable[[Values], Any]) -> None:
        self.names, self.example, self.of = names, example, of

    __add__, __radd__ = _arithmetic(operator.add), _arithmetic(operator.add, reflected=True)
    __sub__, __rsub__ = _arithmetic(operator.sub), _arithmetic(operator.sub, reflected=True)
    __mul__, __rmul__ = _arithmetic(operator.mul), _arithmetic(operator.mul, reflected=True)
    __truediv__ = _arithmetic(operator.truediv)
    __rtruediv__ = _arithmetic(operator.truediv, reflected=True)
    __floordiv__ = _arithmetic(operator.floordiv)
    __rfloordiv__ = _arithmetic(operator.floordiv, reflected=True)
    __lt__ = __le__ = __gt__ = __ge__ = _compare
    __eq__ = __ne__ = _compare
    __hash__ = __bool__ = __int__ = __float__ = __index__ = __abs__ = __getattr__ = _see
    __mod__ = __rmod__ = __pow__ = __rpow__ = __divmod__ = __round__ = _see
    __str__ = __repr__ = __format__ = _see
    __array_ufunc__ = None  # NumPy's own numbers leave the arithmetic to this class

    @property  # type: ignore[misc]  # as that of Series
    def __class__(self) -> Any:
        """The type of its value, for all that isinstance may tell."""
        return type(self.example)

    def __neg__(self) -> Any:
        return self * -1


def _is_series(item: Any) -> bool:
    """Tell what stands for an array from real arrays, which must not meet a symbol."""
    return isinstance(item, np.ndarray) and type(item) is not np.ndarray
