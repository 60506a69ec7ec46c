"""Property tests are judged by what holds, not by how busy the machine is."""

from hypothesis import settings

settings.register_profile("fairframe", deadline=None)
settings.load_profile("fairframe")
