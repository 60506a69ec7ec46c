"""XMP packets in media files, and the data-mining statements in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from fairframe.core.errors import MediaError

MAX_PACKET_BYTES = 4 * 1024 * 1024
MAX_PACKETS = 64
SCAN_BYTES = 64 * 1024 * 1024
"""How much of the head and of the tail of a file is searched when its boxes cannot be walked."""
MAX_BOX_BYTES = 64 * 1024 * 1024
MAX_BOXES = 10_000

PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
TDM = "http://www.w3.org/ns/tdmrep/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PROPERTIES = {
    f"{PLUS} DataMining": "plus:DataMining",
    f"{TDM} reservation": "tdm:reservation",
    f"{PLUS} OtherConstraints": "plus:OtherConstraints",
    f"{TDM} policy": "tdm:policy",
    f"{IPTC} EmbdEncRightsExpr": "Iptc4xmpExt:EmbdEncRightsExpr",
    f"{IPTC} LinkedEncRightsExpr": "Iptc4xmpExt:LinkedEncRightsExpr",
}
CONTEXT = frozenset(
    {"plus:OtherConstraints", "tdm:policy", "Iptc4xmpExt:EmbdEncRightsExpr", "Iptc4xmpExt:LinkedEncRightsExpr"}
)
"""Properties that say no more than what the others are about."""
PACKET = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta\s*>|<rdf:RDF\b.*?</rdf:RDF\s*>", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One property, `value` as written; `value` "" where it is present but empty."""

    key: str
    value: str


def packets(path: Path) -> list[bytes]:
    """The XMP packets of a file (UTF-8), at most 64, each once. Raises MediaError (media.xmp_too_large) over limits."""
    found: dict[bytes, None] = {}
    for region in _regions(Path(path)):
        for match in PACKET.finditer(region):
            if len(match[0]) > MAX_PACKET_BYTES or len(found) >= MAX_PACKETS:
                raise MediaError("its XMP is too large to be read", code="media.xmp_too_large", where=str(path))
            found[match[0]] = None
        if region.count(b"<x:xmpmeta") > region.count(b"</x:xmpmeta"):
            raise MediaError("its XMP is cut short", code="media.xmp_broken", where=str(path))
    return list(found)


def statements(packet: bytes) -> list[Statement]:
    """What a packet says on data mining, as attribute, as element text or as rdf:resource.

    Raises MediaError (media.xmp_broken) if it is no XML or declares entities.
    """
    found: list[Statement] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    inside: list[str] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        for attribute, value in attributes.items():
            if attribute in PROPERTIES:
                found.append(Statement(PROPERTIES[attribute], value.strip()))
        if name in PROPERTIES:
            inside.append(name)
            text[:] = [attributes.get(f"{RDF} resource", "")]

    def end(name: str) -> None:
        if inside and name == inside[-1]:
            inside.pop()
            found.append(Statement(PROPERTIES[name], "".join(text).strip()))

    def data(value: str) -> None:
        if inside:
            text.append(value)

    def refuse(*_: object) -> None:
        # an XMP packet has no use for entities, which can grow without bound
        raise expat.ExpatError("entity declared")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.EntityDeclHandler = parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, ValueError) as error:
        raise MediaError(f"its XMP is broken: {error}", code="media.xmp_broken") from error
    return found


def _regions(path: Path) -> Iterator[bytes]:
    """The parts of a file that can hold XMP: an ISO file's boxes other than its samples, else its head and tail."""
    size = path.stat().st_size
    with path.open("rb") as file:
        boxes = _boxes(path, size)
        if boxes is not None:
            for start, length in boxes:
                file.seek(start)
                yield file.read(length)
            return
        yield file.read(SCAN_BYTES)
        if size > SCAN_BYTES:
            file.seek(max(SCAN_BYTES - MAX_PACKET_BYTES, size - SCAN_BYTES))
            yield file.read(SCAN_BYTES)


def _boxes(path: Path, size: int) -> list[tuple[int, int]] | None:
    """(offset, length) of the top-level boxes but mdat; None if the file is not a clean sequence of boxes."""
    found: list[tuple[int, int]] = []
    offset = 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            head = file.read(16)
            if len(head) < 8 or len(found) > MAX_BOXES or (offset == 0 and head[4:8] not in (b"ftyp", b"moov")):
                return None
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - offset
            if length < 8 or offset + length > size:
                return None
            if head[4:8] != b"mdat":
                if length > MAX_BOX_BYTES:
                    return None
                found.append((offset, length))
            offset += length
    return found
