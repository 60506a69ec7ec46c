"""Versions of what curation stores. A change of how shots are decided raises SHOTS; old rows stay, the newest count."""

SHOTS = "shots-1"
