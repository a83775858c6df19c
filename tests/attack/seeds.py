"""Single changes to the text of a kernel: what `faults` seeds, one at a time.

    sign        + for -, - for +, a minus dropped                      index       [i + 1] for [i], [j, i] for [i, j]
    bound       < for <=, == for !=, ... ; min for max                 constant    a digit of a long number; a small whole number + 1
    tail        the last or the first turn of a loop is missed         line        a statement is dropped
    product     + for *, / for *= ; and for or

Not touched: documentation, declarations without a value, signatures, imports, conditions of the preprocessor, and enums, which hold
sizes that say how a thing is cut and not what comes out.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

CORE = Path(__file__).parents[2] / "_core"


@dataclass(frozen=True)
class Seed:
    """The line `number` (from 1) of a file of `_core/` becomes `after`."""

    file: str
    number: int
    kind: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number} {self.kind}: {self.before.strip()}  ->  {self.after.strip()}"


ONE_MORE, ONE_DIGIT = "one more", "one digit"

SWAPS = [
    ("sign", r"(?<=[\w)\]]) \+ (?=[\w(*&-])", " - "),
    ("sign", r"(?<=[\w)\]]) - (?=[\w(*&-])", " + "),
    ("sign", r"(?<=[=(,:] )-(?=[a-zA-Z(])|(?<=\()-(?=[a-zA-Z(])|(?<=return )-(?=[a-zA-Z(])", ""),
    ("sign", r" \+= ", " -= "),
    ("sign", r" -= ", " += "),
    ("product", r"(?<=[\w)\]]) \* (?=[\w(*&-])", " + "),
    ("product", r" \*= ", " /= "),
    ("product", r" /= ", " *= "),
    ("product", r" / ", " * "),
    ("product", r" and ", " or "),
    ("product", r" or ", " and "),
    ("product", r" && ", " || "),
    ("product", r" \|\| ", " && "),
    ("bound", r" < ", " <= "),
    ("bound", r" <= ", " < "),
    ("bound", r" > ", " >= "),
    ("bound", r" >= ", " > "),
    ("bound", r" == ", " != "),
    ("bound", r" != ", " == "),
    ("bound", r"\bif not ", "if "),
    ("bound", r"\bmin\(", "max("),
    ("bound", r"\bmax\(", "min("),
    ("bound", r"\bfmin\(", "fmax("),
    ("bound", r"\bfmax\(", "fmin("),
    ("tail", r"(?<=\bin )range\(([^(),]+)\)", r"range(\1 - 1)"),
    ("tail", r"(?<=\bin )range\(([^(),]+)\)", r"range(1, \1)"),
    ("tail", r"(?<=\bin )range\(([^(),]+), ([^(),]+)\)", r"range(\1, \2 - 1)"),
    ("tail", r"(?<=\bin )range\(([^(),]+), ([^(),]+)\)", r"range(\1 + 1, \2)"),
    ("tail", r"(?<=; )(\w+) < ([^;]+);", r"\1 < \2 - 1;"),
    ("index", r"\[(\w+)\]", r"[\1 + 1]"),
    ("index", r"\[(\w+), (\w+)\]", r"[\2, \1]"),
    ("constant", r"(?<![\w.])([1-9]\d?)(?![\w.])", ONE_MORE),
    ("constant", r"(?<![\w.])\d\.\d{6,}(?:e[+-]?\d+)?|(?<![\w.])0x1\.[0-9a-f]{6,}p[+-]?\d+", ONE_DIGIT),
]
"""Kind, what is found in a line of code, what takes its place."""

STATEMENT = re.compile(r"^(?:[\w.]+(?:\[[^\]]*\])* (?:[-+*/]?=) .+|[a-z_]\w*\(.*\)|continue|break)$")
"""A whole statement on one line: an assignment, a call, or a jump."""

SKIPPED = re.compile(r"^\s*(?:cdef class|ctypedef|cimport|from|import|@|class|raise|#(?:if|el|endif|undef)|#define \w+ |typedef)\b")
"""Lines that seeds leave alone."""

HIDDEN = (
    r"/\*.*?\*/",
    r"\"(?!\"\")[^\"\n]*\"|'[^'\n]*'",
    r"(?m)(?<![\w#])#(?! *(?:if|el|endif|define|undef|pragma)\b).*$",
    r"(?m)^(?:cdef|ctypedef)?(?: packed)? *(?:enum|struct|fused)\b.*:\n(?:(?: {4}.*)?\n)+",
    r"__builtin_prefetch\([^;]*\);",    # which reads nothing
    r"(?m)^ *enum:\n(?: {8}.*\n)+",
    r"(?m)^ *(?:cpdef|cdef|def) (?:[^=(\n]*)\((?:[^()]|\([^()]*\))*\)[^\n]*:$",    # signatures
)
"""What is blanked before seeds are looked for."""


def other_digit(number: str, chance: random.Random) -> str:
    """A long constant with one of its first six decimals changed: hardly any test tolerates less."""
    first = number.index(".") + 1
    k = first + chance.randrange(4)
    digit = number[k]
    return number[:k] + ("2" if digit == "1" else "1") + number[k + 1 :]


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def blank_documentation(match: re.Match[str]) -> str:
    """A text in triple quotes blanked, unless it is the C of an extern block."""
    return match[0] if match.string[: match.start()].endswith("extern from *:\n    ") else blank(match)


def code_of(text: str) -> list[str]:
    """The lines of a file with all that is not code blanked, in the same columns."""
    text = re.sub(r'""".*?"""', blank_documentation, text, flags=re.DOTALL)
    for pattern in HIDDEN:
        text = re.sub(pattern, blank, text, flags=re.DOTALL if "(?m)" not in pattern else 0)
    return [" " * len(line) if SKIPPED.match(line) else line for line in text.split("\n")]


def in_c(text: str) -> set[int]:
    """The numbers of the lines (from 1) that are C."""
    blocks = [(m.start(), m.end()) for m in re.finditer(r'cdef extern from \*:\n    """.*?"""', text, re.DOTALL)]
    return {k for start, end in blocks for k in range(text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 2)}


def seeds_of(file: str, chance: random.Random) -> list[Seed]:
    """Every change that can be made to a file of `_core/`."""
    text = (CORE / file).read_text()
    found, c = [], in_c(text)
    for number, (line, code) in enumerate(zip(text.split("\n"), code_of(text)), 1):
        for kind, pattern, instead in SWAPS:
            for match in re.finditer(pattern, code):
                if instead == ONE_DIGIT:
                    new = other_digit(match[0], chance)
                elif instead == ONE_MORE:
                    new = str(int(match[0]) + 1)
                else:
                    new = match.expand(instead)
                # the brackets of a declaration or a cast: longer changes nothing
                before = code[: match.start()]
                declared = "]" in code[match.start() : match.end() + 1] and re.search(r"\b(?:cdef|double|rl_\w+)\b[^=]*$|<[^>]*$", before)
                if new != match[0] and not declared:
                    found.append(Seed(file, number, kind, line, line[: match.start()] + new + line[match.end() :]))
        body = code.strip()
        if number not in c and STATEMENT.match(body) and body.count("(") == body.count(")"):
            found.append(Seed(file, number, "line", line, line[: len(line) - len(line.lstrip())] + "pass"))
    return found
