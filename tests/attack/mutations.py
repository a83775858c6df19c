"""Single changes to the text of a Python module: what `mutants` tries, one at a time.

    comparison   < for <=, == for !=, is for is not, in for not in       constant    a whole number + 1, another truth
    arithmetic   + for -, * for /, += for -= ; a minus dropped           statement   a call, a raise, setting an attribute dropped
    logic        and for or, a `not` dropped; min for max                return      None in place of a value

Not touched: documentation, annotations, decorators, assertions, the words of an error, and module constants in capitals, which are tuned
and say how something is done and not what comes out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Add,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip

CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "maximum": "minimum", "minimum": "maximum"}


@dataclass(frozen=True)
class Mutation:
    """The change with this number (in the order of the text) of a module, and the line it is in."""

    number: int
    line: int
    kind: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.kind}"


class Mutator(ast.NodeTransformer):
    """Finds the changes of a module's tree, and makes the one whose number is `chosen`."""

    def __init__(self, chosen: int = -1) -> None:
        self.chosen = chosen
        self.found: list[Mutation] = []

    def _here(self, node: ast.stmt | ast.expr, kind: str) -> bool:
        """Note a change; whether it is to be made."""
        self.found.append(Mutation(len(self.found), node.lineno, kind))
        return self.found[-1].number == self.chosen

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [child if _tuned(child) else self.visit(child) for child in node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.args.defaults = [self.visit(value) for value in node.args.defaults]
        node.args.kw_defaults = [value and self.visit(value) for value in node.args.kw_defaults]
        node.body = [self.visit(child) for child in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(child) for child in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.value = node.value and self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _nothing(node) if self._here(node, "raise dropped") else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return node
        if isinstance(node.value, ast.Call) and self._here(node, "call dropped"):
            return _nothing(node)
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if any(isinstance(target, ast.Attribute) for target in node.targets) and self._here(node, "attribute not set"):
            return _nothing(node)
        node.value = self.visit(node.value)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is None:
            return node
        plain = isinstance(node.value, ast.Constant) and node.value.value is None
        if not plain and self._here(node, "None returned"):
            node.value = ast.copy_location(ast.Constant(None), node)
            return node
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        for k, operator in enumerate(node.ops):
            other = COMPARISONS[type(operator)]
            if self._here(node, f"{other.__name__} for {type(operator).__name__}"):
                node.ops[k] = other()
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self._operator(node)
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self._operator(node)
        return self.generic_visit(node)

    def _operator(self, node: ast.BinOp | ast.AugAssign) -> None:
        other = OPERATORS.get(type(node.op))
        if other is not None and self._here(node, f"{other.__name__} for {type(node.op).__name__}"):
            node.op = other()

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        if self._here(node, "Or for And" if isinstance(node.op, ast.And) else "And for Or"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, (ast.Not, ast.USub)) and self._here(node, f"{type(node.op).__name__} dropped"):
            return self.visit(node.operand)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            return ast.copy_location(ast.Constant(not node.value), node) if self._here(node, f"{not node.value}") else node
        if isinstance(node.value, int):
            return ast.copy_location(ast.Constant(node.value + 1), node) if self._here(node, f"{node.value + 1}") else node
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        name = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
        if name in CALLS and self._here(node, f"{CALLS[name]} for {name}"):
            if isinstance(function, ast.Name):
                function.id = CALLS[name]
            elif isinstance(function, ast.Attribute):
                function.attr = CALLS[name]
        return self.generic_visit(node)


def _tuned(node: ast.stmt) -> bool:
    """Whether it assigns to names in capitals."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return bool(names) and all(name.isupper() for name in names)


def _nothing(node: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Pass(), node)


def mutations(text: str) -> Iterator[Mutation]:
    """Every change of a module's text."""
    mutator = Mutator()
    mutator.visit(ast.parse(text))
    yield from mutator.found


def mutated(text: str, number: int) -> ast.Module:
    """The tree of a module with one of its changes."""
    tree = Mutator(number).visit(ast.parse(text))
    return ast.fix_missing_locations(tree)
