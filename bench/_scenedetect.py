"""PySceneDetect's detectors on one file, as JSON. Run by decode.py with the Python of an environment of its own."""

import json
import sys
import time

import scenedetect

DETECTORS = ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "HashDetector", "ThresholdDetector")
found: dict[str, dict[str, object]] = {}
for name in DETECTORS:
    begin = time.process_time()
    scenes = scenedetect.detect(sys.argv[1], getattr(scenedetect, name)())
    cuts = [start.frame_num for start, _ in scenes[1:]]
    found[name] = {"cuts": cuts, "cpu_s": time.process_time() - begin}
print(json.dumps(found))
