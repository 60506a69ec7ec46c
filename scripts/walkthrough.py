"""Run the commands that a page shows, and compare or renew what it says they print.

    python scripts/walkthrough.py PAGE [--write] [--keep FOLDER]

Every "$ " line in a ```console block is run by bash, one after another, in one empty folder, with the fairframe of this
Python in front of PATH. A here-document goes to its end. A shown "[y/N]: y" is what a person types. A remark
"# ends with N" behind a command is its expected exit status (0 without one); behind "# figures vary" every number may
be another. A line of "..." stands for any lines.
Without --write: exit status 1 and the differences where a page says something else. Ids, hashes, fingerprints, days and
sizes in megabytes differ from run to run: those of the page are read as those of the run, wherever they come back.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REMARK = re.compile(r"  # (?:ends with (\d+)|(figures vary))$", re.MULTILINE)
HERE = re.compile(r"<<'(\w+)'$", re.MULTILINE)
QUESTION = re.compile(r"(\[y/N\]: )y$", re.MULTILINE)
VARYING = re.compile(
    r"[a-z]{3}_[0-9a-z]{26}"  # public ids
    r"|(?:[0-9a-f]{4} ){15}[0-9a-f]{4}"  # fingerprints
    r"|[0-9a-f]{64}|[0-9a-f]{10,}(?=\W|$)"  # hashes, whole or in part
    r"|\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?)?"  # days and times
    r"|\d+\.\d [kMG]B"
)
WAIT_S = 600


@dataclass
class Step:
    """One command of a page: what it is, what a person answers, what the page says it prints."""

    command: str
    shown: str
    said: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def status(self) -> int:
        found = REMARK.search(self.command)
        return int(found[1] or 0) if found else 0

    @property
    def varies(self) -> bool:
        found = REMARK.search(self.command)
        return bool(found and found[2])


def steps(block: str) -> Iterator[Step]:
    """The commands of a console block, in order, each with the lines below it."""
    lines = block.splitlines(keepends=True)
    while lines:
        command = lines.pop(0)
        assert command.startswith("$ "), f"a block begins with a command, not with {command!r}"
        here = HERE.search(command.rstrip("\n"))
        while here and lines:
            command += lines.pop(0)
            if command.splitlines()[-1] == here[1]:
                break
        while command.endswith("\\\n"):
            command += lines.pop(0)
        shown = ""
        while lines and not lines[0].startswith("$ "):
            shown += lines.pop(0)
        yield Step(command.removesuffix("\n"), shown)


def run(step: Step, folder: Path, names: dict[str, str]) -> str:
    """Run a command; names: what the page calls things -> what they are called in this run. Gives what it printed."""
    command = REMARK.sub("", step.command[2:])
    for name, real in names.items():
        command = command.replace(name, real)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "118", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        input="y\n" * len(QUESTION.findall(step.shown)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WAIT_S,
    )
    if done.returncode != step.status:
        raise SystemExit(f"$ {command}\n{done.stdout}\nended with {done.returncode}, not {step.status}")
    printed = "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())
    return re.sub(r"(\[y/N\]: ?)", r"\1y\n", printed).replace("[y/N]:y", "[y/N]: y")


def learn(shown: str, printed: str, names: dict[str, str]) -> None:
    """Where a shown line and a printed one differ in varying words only, one is the other's name.

    Lines that are alike but for their names (a table's) teach nothing, and what was learned once stays.
    """
    told = Counter(map(plain, shown.splitlines())) + Counter(map(plain, printed.splitlines()))
    known = {plain(line): line for line in printed.splitlines()}
    for line in shown.splitlines():
        real = known.get(plain(line))
        if real is not None and told[plain(line)] == 2:
            for old, new in zip(VARYING.findall(line), VARYING.findall(real), strict=True):
                if re.match(r"[a-z]{3}_", old):
                    names.setdefault(old, new)


def plain(line: str) -> str:
    """A line without what differs from run to run."""
    return re.sub(r"[\s─]+", " ", VARYING.sub("~", line)).strip()


def differences(step: Step, printed: str) -> list[str]:
    """A unified diff between what a page shows and what was printed; empty where they agree."""
    ours, real = ([plain(line) for line in text.splitlines()] for text in (step.shown, printed))
    if step.varies:
        ours, real = (
            [re.sub(r"[\d.,]+", "9", line) if line != "..." else line for line in one] for one in (ours, real)
        )
    pattern = "\n".join(".*" if line == "..." else re.escape(line) for line in ours)
    # "..." between two newlines may stand for no line at all
    pattern = pattern.replace("\n.*\n", "\n(?:.*\n)?").replace("\n.*", "(?:\n.*)?").replace(".*\n", "(?:.*\n)?")
    if re.fullmatch(pattern, "\n".join(real), re.DOTALL):
        return []
    return list(difflib.unified_diff(ours, real, "the page", "the run", lineterm="", n=1))


def renewed(step: Step, printed: str) -> str:
    """What a page shall show: what was printed, cut where the page cuts."""
    if "...\n" not in step.shown:
        return printed
    if step.shown == "...\n":
        return step.shown
    wanted = [plain(line) for line in step.shown.splitlines() if line != "..."]
    kept, cut = "", False
    for line in printed.splitlines():
        if any(difflib.SequenceMatcher(None, plain(line), one).ratio() > 0.9 for one in wanted):
            kept, cut = f"{kept}{line}\n", False
        elif not cut:
            kept, cut = f"{kept}...\n", True
    return kept


def walk(page: Path, folder: Path, *, write: bool) -> int:
    """Walk through a page. Gives the number of commands whose output differs; with `write`, renews the page."""
    text, names, wrong = page.read_text("utf-8"), dict[str, str](), 0
    out, at = "", 0
    for block in BLOCK.finditer(text):
        made = ""
        for step in steps(block[1]):
            begun = time.monotonic()
            printed = run(step, folder, names)
            print(f"{time.monotonic() - begun:5.1f} s {step.command.splitlines()[0]}", flush=True)
            learn(step.shown, printed, names)
            found = differences(step, printed)
            wrong += bool(found)
            if found and not write:
                print("\n".join(found))
            made += f"{step.command}\n{renewed(step, printed) if write else step.shown}"
        out, at = f"{out}{text[at : block.start(1)]}{made}", block.end(1)
    if write:
        out += text[at:]
        for name, real in names.items():
            out = out.replace(name, real)
        page.write_text(out, "utf-8")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--write", action="store_true", help="renew what the page shows")
    parser.add_argument("--keep", type=Path, help="run in this empty folder, and leave it there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.keep:
            asked.keep.mkdir(parents=True)
        wrong = walk(asked.page, asked.keep or Path(folder), write=asked.write)
    sys.exit(1 if wrong and not asked.write else 0)


if __name__ == "__main__":
    main()
