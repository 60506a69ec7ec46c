"""The child process in which media from other people is opened: `python -m fairframe.media.worker`.

The first line on standard input holds the limits; each further line is a request {"id", "function", "arguments"},
answered by one line {"id", "result"} or {"id", "error": {"code", "message", "remedy"}}. Integers and text only.
The limits are set before anything that parses media is loaded, and nothing but these lines goes back.
"""

import json
import os
import resource
import sys
from importlib import import_module
from typing import Any

# what a parent may ask for: name -> (module, function taking JSON values and returning JSON values)
FUNCTIONS = {
    "probe": ("fairframe.media.tasks", "probe"),
    "poster": ("fairframe.media.tasks", "poster"),
    "stills": ("fairframe.media.tasks", "stills"),
    "looks": ("fairframe.media.tasks", "looks"),
    "measure": ("fairframe.media.tasks", "measure"),
    "cut": ("fairframe.media.tasks", "cut"),
    "signals": ("fairframe.media.tasks", "signals"),
    "sidecar": ("fairframe.media.tasks", "sidecar"),
    "squares": ("fairframe.media.tasks", "squares"),
    "credentials": ("fairframe.media.tasks", "credentials"),
    "given_picture": ("fairframe.media.tasks", "given_picture"),
    "given_ending": ("fairframe.media.tasks", "given_ending"),
}


def main() -> None:
    # whatever a library prints must not look like an answer
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    limits = json.loads(sys.stdin.buffer.readline())
    set_limits(limits)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        allow_cpu(limits["cpu_s"])
        reply = {"id": request["id"], **answer(request["function"], request["arguments"])}
        answers.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")


def answer(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """{"result": ...} or {"error": ...}; only a failure of the process itself ends it."""
    from fairframe.core.errors import FairframeError

    module, name = FUNCTIONS[function]
    try:
        return {"result": getattr(import_module(module), name)(**arguments)}
    except FairframeError as error:
        return {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}}
    except ModuleNotFoundError as error:
        text, remedy = f"reading media needs {error.name}", "Run: pip install 'fairframe[media]'"
        return {"error": {"code": "missing_extra.media", "message": text, "remedy": remedy}}
    except MemoryError:
        return {"error": {"code": "media.memory", "message": "the file needs more memory than allowed", "remedy": ""}}
    except Exception as error:  # a parser may raise anything: the parent needs one clear line, not a traceback
        text = f"the file could not be read: {type(error).__name__}: {str(error)[:200]}"
        return {"error": {"code": "media.unreadable", "message": text, "remedy": ""}}


def set_limits(limits: dict[str, int]) -> None:
    """Memory, size of files written, open files and no core dump, for this process and what it starts."""
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def allow_cpu(seconds: int) -> None:
    """Give the coming request `seconds` more of processor time; SIGXCPU ends the process after that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


if __name__ == "__main__":
    main()
