"""Parts that the SQL statements of many figures have in common, each a named table expression."""

PARTS = {
    "chain": """chain (id) as (
  select twin.id from checkpoint asked
  join checkpoint twin on twin.weights_hash = asked.weights_hash and twin.direction = 'own'
  where asked.public_id = :checkpoint and asked.direction = 'own'
  union
  select parent.id from chain join ancestor on ancestor.checkpoint_id = chain.id and ancestor.kind = 'checkpoint'
  join checkpoint parent on parent.weights_hash = ancestor.hash and parent.direction = 'own')""",
    "taken": """taken (id, public_id, family) as (
  select distinct delivery.id, delivery.public_id, delivery.family from delivery
  join checkpoint on checkpoint.delivery = delivery.public_id join chain on chain.id = checkpoint.id
  where delivery.direction = 'in')""",
    "used": """used (delivery_id, item, frames) as (
  select taken.id, usage.item, sum(usage.frames) from usage
  join chain on chain.id = usage.checkpoint_id join taken on taken.public_id = usage.source
  group by taken.id, usage.item)""",
    "back": """back (delivery_id, item) as (
  select distinct taken.id, feed_entry.item from feed_entry join taken on taken.public_id = feed_entry.delivery
  where feed_entry.direction = 'in' and feed_entry.recorded_at_ms <= :read_at_ms)""",
}
"""chain: the checkpoint and those ancestors of it that were trained here, each with all that have the same weights;
taken: the deliveries that they were trained on; used: the frames of each delivered clip that they consumed; back:
delivered clips that a feed has taken back."""
MEANINGS = {
    "chain": "the checkpoint, and those of its ancestors that were trained in this workspace; with each of them all"
    " that have the same weights",
    "taken": "the deliveries that they were trained on",
    "used": "the frames of each delivered clip that they consumed",
    "back": "the delivered clips that a feed has taken back",
}


def statement(within: tuple[str, ...], select: str) -> str:
    """A whole statement on one line, for SQLite and PostgreSQL."""
    parts = f"with recursive {', '.join(PARTS[name] for name in within)} " if within else ""
    return " ".join((parts + select).split())
