"""Examples worked by hand in the documents: how they are written, read and checked.

A fenced block that opens with ``example`` and its name holds lines ``given name = value unit`` and
then steps, ``name = arithmetic = value unit``. The arithmetic has numbers only, as a person with a
pocket calculator types them: + − × / ^, brackets, √( ), ln, exp, sin, cos, tan, arccos, min, max,
abs, ceil, π, and > or < where the value is yes or no. Several values are parted by commas.
"""

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "figures").glob("*.md"))

_BLOCK = re.compile(r"^```example ([a-z0-9-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?(?:, -?\d+(?:\.\d+)?)*")
_AS_PYTHON = {"−": "-", "×": "*", "^": "**", "√(": "sqrt(", "π": "pi"}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt, "ln": math.log, "exp": math.exp, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "arccos": math.acos, "min": min, "max": max, "abs": abs,
    "ceil": math.ceil,
}  # fmt: skip


class Given(dict[str, Any]):
    """Inputs by name: a number, an array where several are printed, or text."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Step(NamedTuple):
    """A line of arithmetic and what it comes to, as printed."""

    name: str
    arithmetic: str
    printed: str

    @property
    def numbers(self) -> list[str]:
        """Printed numbers, without their unit."""
        return _numbers(self.printed)


class Example(NamedTuple):
    """One example as its page has it."""

    page: Path
    name: str
    given: Given
    steps: list[Step]


Computed = Mapping[str, Any]
COMPUTE: dict[str, Callable[[Given], Computed]] = {}


def example(name: str) -> Callable[[Callable[[Given], Computed]], Callable[[Given], Computed]]:
    """Register what computes an example with the real functions: values by the steps' names."""

    def register(compute: Callable[[Given], Computed]) -> Callable[[Given], Computed]:
        assert name not in COMPUTE, f"two functions compute {name}"
        COMPUTE[name] = compute
        return compute

    return register


def examples() -> Iterator[Example]:
    """Every example of every page."""
    for page in PAGES:
        for name, body in _BLOCK.findall(page.read_text()):
            yield _parsed(page, name, body)


def _parsed(page: Path, name: str, body: str) -> Example:
    given, steps = Given(), []
    for line in filter(str.strip, body.splitlines()):
        parts = [part.strip() for part in re.split(r"\s=\s", line)]
        if line.startswith("given "):
            assert len(parts) == 2, f"{name}: {line}"
            given[parts[0].removeprefix("given ").strip()] = _value(parts[1])
        else:
            assert len(parts) == 3, f"{name}: {line}"
            steps.append(Step(*parts))
    assert steps, f"{name} has no step"
    return Example(page, name, given, steps)


def _value(text: str) -> Any:
    if not re.match(r"-?\d|−\d", text):
        return text
    numbers = [float(number) for number in _numbers(text)]
    return numbers[0] if len(numbers) == 1 else np.array(numbers)


def _numbers(text: str) -> list[str]:
    """The numbers that a text begins with, parted by commas."""
    head = _NUMBERS.match(text.replace("−", "-"))
    assert head is not None, f"no number in {text!r}"
    return head.group().split(", ")


def agrees(value: float, printed: str, *, within: float = 0.5) -> bool:
    """Whether a value is what is printed, within so many units of the last printed digit."""
    decimals = len(printed.partition(".")[2])
    return abs(value - float(printed)) <= (within + 1e-4) * 10.0**-decimals


def worked_out(arithmetic: str) -> float | bool:
    """What the arithmetic of a step comes to."""
    for sign, python in _AS_PYTHON.items():
        arithmetic = arithmetic.replace(sign, python)
    return _evaluated(ast.parse(arithmetic.strip(), mode="eval").body)


def _evaluated(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id="pi"):
            return math.pi
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_evaluated(inner)
        case ast.BinOp(left=left, op=sign, right=right):
            return _SIGNS[type(sign)](_evaluated(left), _evaluated(right))
        case ast.Call(func=ast.Name(id=name), args=inside):
            return _FUNCTIONS[name](*(_evaluated(one) for one in inside))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _SIGNS[type(sign)](_evaluated(left), _evaluated(right))
    raise AssertionError(f"not arithmetic with numbers: {ast.unparse(node)}")


_SIGNS: dict[type, Callable[[float, float], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Gt: lambda a, b: a > b,
    ast.Lt: lambda a, b: a < b,
    ast.GtE: lambda a, b: a >= b,
    ast.LtE: lambda a, b: a <= b,
}
