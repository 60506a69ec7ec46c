"""The demo: the whole loop between a library and a lab, each stage in a process of its own, measured."""

import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fairframe.core.errors import Conflict, FairframeError, InputError
from fairframe.flows.demo_steps import STEPS, Place


@dataclass(frozen=True)
class Cost:
    """What a stage cost: its process and the processes that it started. peak_bytes: the largest single process."""

    step: str
    title: str
    wall_s: float
    cpu_s: float
    peak_bytes: int


class DemoFailed(FairframeError):
    """A stage of the demo ended with an error; its own lines say why."""

    code = "demo.failed"


def run_demo(folder: Path, *, footage: Path | None = None, metadata: Path | None = None) -> None:
    """Run every stage, then say where film, report and statements are.

    Raises Conflict where the folder exists, InputError on footage without metadata, DemoFailed.
    """
    if footage is not None and (metadata is None or not footage.is_dir()):
        raise InputError("own footage is a folder and its CSV", remedy="Say --footage DIR --metadata CSV.")
    if folder.exists():
        raise Conflict(f"{folder} exists already", code="demo.exists", remedy="Name a new folder, or delete it.")
    place = Place(folder.resolve())
    place.work.mkdir(parents=True)
    if footage is not None and metadata is not None:
        place.write("given", {"footage": str(footage.resolve()), "metadata": str(metadata.resolve())})
    console = Console(highlight=False)
    costs: list[Cost] = []
    for number, step in enumerate(STEPS, 1):
        console.print(Text(f"\n{number:2}/{len(STEPS)}  {step.title}", style="bold"))
        cost = _run(place, step.name, step.title)
        costs.append(cost)
        place.write("costs", {"steps": [asdict(one) for one in costs]})
        console.print(Text(_words(cost), style="dim"))
    console.print(Text("\n       Report", style="bold"))
    costs.append(_run(place, "report", "Report"))  # it shows the costs of the stages, so not its own
    console.print(Text(_words(costs[-1]), style="dim"))
    _summary(console, costs)
    console.print(Text("\nfilm        ", style="dim").append(str(folder / "film.mp4"), "bold"))
    console.print(Text("report      ", style="dim").append(str(folder / "report.html"), "bold"))
    console.print(Text("statements  ", style="dim").append(str(folder / "statements"), "bold"))


def _run(place: Place, step: str, title: str) -> Cost:
    # two threads that wait by spinning bring each other to a stop where another job has a core: let them spin briefly
    environment = {"OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": "6000", **os.environ}
    environment.pop("FAIRFRAME_DATABASE_URL", None)  # two workspaces, two databases: each its own SQLite file
    started = time.monotonic()
    command = [sys.executable, "-m", "fairframe.flows.demo_steps", step, str(place.root)]
    child = subprocess.Popen(command, env=environment)
    try:
        _, status, used = os.wait4(child.pid, 0)
    except BaseException:
        child.kill()
        raise
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise DemoFailed(f"the stage {step} ended with exit code {child.returncode}", where=str(place.root))
    return Cost(step, title, time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def _words(cost: Cost) -> str:
    return f"       {cost.wall_s:.1f} s wall, {cost.cpu_s:.1f} s CPU, {cost.peak_bytes / 2**20:.0f} MiB at most"


def _summary(console: Console, costs: list[Cost]) -> None:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stage", "wall s", "CPU s", "peak MiB"):
        shown.add_column(name, justify="left" if name == "stage" else "right")
    for cost in costs:
        shown.add_row(cost.title, f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{cost.peak_bytes / 2**20:.0f}")
    total_wall, total_cpu = sum(c.wall_s for c in costs), sum(c.cpu_s for c in costs)
    shown.add_row(Text("all", style="bold"), f"{total_wall:.1f}", f"{total_cpu:.1f}", "")
    console.print()
    console.print(shown)
