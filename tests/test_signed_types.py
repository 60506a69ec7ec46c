"""Every type of document that a party signs is one that the verifier knows and reads."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import fairframe
from fairframe.verify.documents import ISSUER
from fairframe.verify.forms import LISTS, READERS
from fairframe.verify.log_proofs import LOG_PROOF
from fairframe.verify.statement import STATEMENT

SOURCE = Path(fairframe.__file__).parent
OUTCOMES = "fairframe.rights.outcomes"
OWN_KINDS = {LOG_PROOF.name: "log_proof", STATEMENT.name: "statement"}
"""Kinds of target that are a document of one type."""


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """(what is called, the call) for every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text("utf-8"))


def signed() -> set[str]:
    """The type of every call of bundles.issue, or of outcomes.decided, which signs: a word, or a name of its module."""
    found = set[str]()
    for name, tree in modules():
        for called, node in calls(tree):
            if called == "decided" or (called == "bundles.issue" and name != OUTCOMES):
                found.add(_value(name, node.args[1]))
    return found


def _value(module: str, node: ast.expr):
    return eval(ast.unparse(node), dict(vars(importlib.import_module(module))))


def test_the_verifier_knows_every_type_that_is_signed() -> None:
    assert signed() == set(ISSUER)


def test_the_verifier_reads_every_type_that_it_knows() -> None:
    assert set(ISSUER) == set(READERS) | set(LISTS) | set(OWN_KINDS.values())


def test_documents_are_signed_in_one_place() -> None:
    """Else `signed` would not see all of them."""
    sealing = {
        name
        for name, tree in modules()
        for called, _ in calls(tree)
        if called in ("core_bundle.seal", "bundle.seal", "seal", "dsse.sign")
    }
    assert sealing == {"fairframe.platform.bundles", "fairframe.core.bundle", "fairframe.core.party"}
    froms = [node for _, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [one for one in froms if one.module == "fairframe.platform.bundles"], "call it as bundles.issue"
