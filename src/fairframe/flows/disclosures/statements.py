"""The questions that one SQL statement answers, as SQLite and PostgreSQL both read it.

Pseudonyms are one per family of agreements: a contributor who is in two families counts twice.
"""

from fairframe.flows.disclosures.figure import Behind, Question

CHAIN = ("chain",)
TAKEN = ("chain", "taken")
USED = ("chain", "taken", "used")
BACK = ("chain", "taken", "used", "back")
CLIPS = "received_item join taken on taken.id = received_item.delivery_id"
CONSUMED_BACK = "back join used on used.delivery_id = back.delivery_id and used.item = back.item"
CONSUMED = "received_item join used on used.delivery_id = received_item.delivery_id and used.item = received_item.item"


def _number(
    name: str, words: str, unit: str, within: tuple[str, ...], value: str, rest: str, *behind: Behind
) -> Question:
    ask = f"select cast(coalesce({value}, 0) as bigint) as value, count(*) as counted from {rest}"  # noqa: S608 (texts of this file)
    return Question(name, words, unit, ask, behind, within=within)


def _list(
    name: str, words: str, within: tuple[str, ...], columns: tuple[str, ...], ask: str, *behind: Behind
) -> Question:
    return Question(name, words, "list", ask, behind, columns, within)


STATEMENTS = (
    _number("checkpoints", "checkpoints trained in this workspace that the model is made of, itself included",
            "checkpoints", CHAIN, "count(*)", "chain", "lineage"),
    _number("clips_delivered", "clips in the deliveries that it was trained on", "clips",
            TAKEN, "count(*)", CLIPS, "delivery"),
    _number("clips_held_out", "delivered clips that were held out of training", "clips",
            TAKEN, "count(*)", f"{CLIPS} where received_item.split = 'heldout'", "delivery"),
    _number("clips_captioned", "delivered clips that came with a caption", "clips",
            TAKEN, "count(*)", f"{CLIPS} where received_item.caption <> ''", "delivery"),
    _number("caption_characters", "characters of the captions delivered", "characters",
            TAKEN, "sum(length(received_item.caption))", CLIPS, "delivery"),
    _number("delivered_ms", "duration of the clips delivered", "ms",
            TAKEN, "sum(received_item.duration_ms)", CLIPS, "delivery"),
    _number("contributors_delivered", "contributors of the clips delivered (pseudonyms)", "contributors",
            TAKEN, "count(distinct received_item.contributor_pseudonym)", CLIPS, "delivery"),
    _number("clips_consumed", "clips of which training consumed at least one frame", "clips",
            USED, "count(*)", "used", "lineage", "delivery"),
    _number("assets_consumed", "source assets of the clips consumed (pseudonyms)", "source assets",
            USED, "count(distinct received_item.asset_pseudonym)", CONSUMED, "lineage", "delivery"),
    _number("contributors_consumed", "contributors of the clips consumed (pseudonyms)", "contributors",
            USED, "count(distinct received_item.contributor_pseudonym)", CONSUMED, "lineage", "delivery"),
    _number("consumed_ms", "duration of the clips consumed, each counted once", "ms",
            USED, "sum(received_item.duration_ms)", CONSUMED, "lineage", "delivery"),
    _number("frames_consumed", "frames of delivered clips that training consumed, repeats included", "frames",
            USED, "sum(used.frames)", "used", "lineage"),
    _number("house_frames", "frames of footage rendered by the trainer's software, repeats included", "frames",
            CHAIN, "sum(usage.frames)",
            "usage join chain on chain.id = usage.checkpoint_id where usage.source = 'house'", "lineage"),
    _list("usage_methods", "how the frames of each clip were counted", CHAIN, ("method", "clips"),
          """select usage.method, count(*) as clips from usage join chain on chain.id = usage.checkpoint_id
          where usage.source <> 'house' group by usage.method order by usage.method""", "lineage"),
    _list("deliveries", "deliveries that it was trained on", TAKEN,
          ("public_id", "name", "library", "items", "duration_ms", "recorded_at_ms"),
          """select delivery.public_id, delivery.name, party.name as library, delivery.items, delivery.duration_ms,
          delivery.recorded_at_ms from delivery join taken on taken.id = delivery.id
          left join party on party.public_id = delivery.party order by delivery.id""", "delivery"),
    _list("agreements", "agreements that it was trained under, or that were extended to it by a grant", CHAIN,
          ("public_id", "offer", "version", "purpose", "library", "starts_ms", "ends_ms"),
          """select agreement.public_id, agreement.offer, agreement.version, agreement.purpose, party.name as library,
          agreement.starts_ms, agreement.ends_ms from agreement
          left join party on party.public_id = agreement.library_party
          where agreement.public_id in (
            select checkpoint.agreement from checkpoint join chain on chain.id = checkpoint.id
            union select checkpoint_event.agreement from checkpoint_event
            join chain on chain.id = checkpoint_event.checkpoint_id
            where checkpoint_event.kind = 'granted' and checkpoint_event.recorded_at_ms <= :read_at_ms)
          order by agreement.starts_ms, agreement.public_id""", "agreement", "grant"),
    _list("ancestors", "models that it descends from, beside checkpoints trained in this workspace", CHAIN,
          ("name", "kind", "role", "license", "data", "hash"),
          """select distinct ancestor.name, ancestor.kind, coalesce(ancestor.role, 'base') as role, ancestor.license,
          ancestor.data, ancestor.hash from ancestor join chain on chain.id = ancestor.checkpoint_id
          where ancestor.kind <> 'checkpoint'
          or ancestor.hash not in (select weights_hash from checkpoint where direction = 'own')
          order by ancestor.name, ancestor.hash, role""", "lineage"),
    _number("ancestors_undisclosed", "ancestors whose training data is undisclosed", "ancestors",
            CHAIN, "count(distinct ancestor.hash)",
            "ancestor join chain on chain.id = ancestor.checkpoint_id where ancestor.data = 'undisclosed'", "lineage"),
    _number("clips_taken_back", "delivered clips that may no longer be used, by the feeds taken so far", "clips",
            BACK, "count(*)", "back", "delivery", "feed"),
    _number("clips_taken_back_consumed", "clips taken back that training had consumed", "clips",
            BACK, "count(*)", CONSUMED_BACK, "lineage", "feed"),
    _number("frames_taken_back_consumed", "frames of clips taken back that training had consumed", "frames",
            BACK, "sum(used.frames)", CONSUMED_BACK, "lineage", "feed"),
    _list("taken_back_reasons", "why clips were taken back", TAKEN, ("reason", "clips"),
          """select feed_entry.reason, count(distinct feed_entry.item) as clips from feed_entry
          join taken on taken.public_id = feed_entry.delivery
          where feed_entry.direction = 'in' and feed_entry.recorded_at_ms <= :read_at_ms
          group by feed_entry.reason order by feed_entry.reason""", "feed"),
    _number("clips_attested_deleted", "delivered clips whose deletion the licensee has attested", "clips",
            TAKEN, "count(distinct obligation.item)",
            "obligation join taken on taken.public_id = obligation.delivery "
            "join obligation_event on obligation_event.obligation_id = obligation.id "
            "where obligation.direction = 'in' and obligation_event.recorded_at_ms <= :read_at_ms", "attestation"),
    _list("feeds", "newest revocation feed of each library and family of agreements", TAKEN,
          ("public_id", "agreement", "seq", "issued_at_ms"),
          """select document.public_id, document.agreement, document.seq, document.issued_at_ms from document
          where document.type = 'feed' and document.direction = 'in' and document.id in (
            select max(newest.id) from document newest where newest.type = 'feed' and newest.direction = 'in'
            and newest.recorded_at_ms <= :read_at_ms and newest.agreement in (select family from taken)
            group by newest.sender, newest.agreement)
          order by document.id""", "feed"),
)  # fmt: skip
"""Every question that the database answers alone; a new one is one entry here."""
