"""Licensed video training, end to end: from footage to a payment that each contributor can recompute."""

__version__ = "0.1.0"
