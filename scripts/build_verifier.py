"""Build fairframe-verify.pyz: the standalone verifier as one file, the same bytes from the same source.

    python scripts/build_verifier.py [FILE]

It holds src/fairframe/core and src/fairframe/verify and nothing else; to run it takes Python 3.11 or later and the
package cryptography. Names are sorted, times and modes are fixed, and nothing is compressed: another version of zlib
would give other bytes. Prints the file's SHA-256.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PARTS = ("fairframe/core", "fairframe/verify")
NAME = "fairframe-verify.pyz"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold

MAIN = b'''"""fairframe-verify as one file: it needs Python 3.11 or later, and cryptography."""

import sys

if sys.version_info < (3, 11):
    sys.exit("fairframe-verify: needs Python 3.11 or later")
try:
    import cryptography  # noqa: F401
except ImportError:
    sys.exit("fairframe-verify: needs the package cryptography: python -m pip install cryptography")

from fairframe.verify.main import main

sys.exit(main())
'''


def members() -> dict[str, bytes]:
    """Every file of the archive by its name, line ends as in the repository."""
    paths = [SOURCE / "fairframe" / "__init__.py"]
    paths += [path for part in PARTS for path in (SOURCE / part).rglob("*.py")]
    found = {path.relative_to(SOURCE).as_posix(): path.read_bytes().replace(b"\r\n", b"\n") for path in paths}
    return {"__main__.py": MAIN, "LICENSE": (ROOT / "LICENSE").read_bytes().replace(b"\r\n", b"\n"), **found}


def build() -> bytes:
    """The archive's bytes."""
    packed = io.BytesIO()
    packed.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members().items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # as if made on Unix, wherever it is made
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / NAME
    data = build()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data)
    out.chmod(0o755)
    print(f"{hashlib.sha256(data).hexdigest()}  {out}")


if __name__ == "__main__":
    main()
