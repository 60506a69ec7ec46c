"""The table of clearance.py as SQL over a snapshot, for DuckDB.

clearing.py sets the variables at_ms, known_ms, until_ms (the end of the agreement), purpose (asked), and from the terms
granted (purpose), actions, kinds, short_side and most_side (the range of the shorter side), worldwide and territory
(codes), scoped (to collections) and collections.

What is known of an asset is one integer: a bit for each code of clearance.CODES, and one for each of RAW, which the
codes are made of. All that is said of assets goes into one bit_or for each (GATHERED), so few tables of that size are
joined and no text is moved. The macro flag('hold') is the bit of that name. Few patterns of bits
occur, so what follows from them is worked out once for each pattern (PATTERN). Words of consent are integers as well:
a bit for each of the actions that the terms grant.
"""

from fairframe.rights.snapshot import FACTS

RAW = (*FACTS, "inside", "model_release", "present")
"""What is known besides findings: the words of asset_fact (in the snapshot's order), that the asset is in a named
collection, that a model release is on file, that the asset itself is there."""

MACROS = (
    "flag(name) as 1::bigint << (list_position(getvariable('names'), name) - 1)",
    "has(bits, name) as bits & flag(name) <> 0",
    "several(bits, part) as (bits & part) & ((bits & part) - 1) <> 0",
    "told_twice(bits) as several(bits, getvariable('people')) or several(bits, getvariable('property'))"
    " or several(bits, getvariable('editorial'))",
    "every() as (1::bigint << len(getvariable('actions'))) - 1",
    "asked(action) as case action when '*' then every()"
    " else 1::bigint << (list_position(getvariable('actions'), action) - 1) end",
    "answer(opted_out, denied, missing) as case when opted_out then flag('opted_out') else"
    " if(denied <> 0, flag('consent_denied'), 0) | if(missing <> 0, flag('no_consent'), 0) end",
    "about(fact) as case when (flag('people_yes') << fact) & getvariable('people') <> 0 then 1"
    " when (flag('people_yes') << fact) & getvariable('property') <> 0 then 2 else 3 end",
)

_KNOWN = "select * from {} where recorded_at_ms <= getvariable('known_ms')"
_IN_FORCE = _KNOWN + " and valid_from_ms <= getvariable('at_ms')"
_OF_ASSETS = " and asset_id >= getvariable('first') and asset_id < getvariable('beyond')"
VIEWS = {
    "asset": _KNOWN + _OF_ASSETS.replace("asset_id", "id"),
    "asset_fact": _IN_FORCE + _OF_ASSETS,
    "collection": "select * from {}",
    "collection_asset": _KNOWN + _OF_ASSETS,
    "consent_event": _IN_FORCE,
    "contributor_terms": "select * from {}",
    "document_release": _IN_FORCE + _OF_ASSETS,
    "hold": _IN_FORCE + _OF_ASSETS,
    "hold_lift": _IN_FORCE,
    "ownership": _IN_FORCE + _OF_ASSETS,
    "ruling": _IN_FORCE + _OF_ASSETS,
    "signal": _IN_FORCE + _OF_ASSETS,
    "terms_acceptance": _IN_FORCE,
}
"""Each table of the snapshot as of `at_ms` and as known at `known_ms`; of what speaks about assets, those from `first`
to before `beyond`."""

# owners besides who brought the asset: few, so only assets that have another one are grouped
CO_OWNER = """
create or replace temp table co_owner as
with other as (
  select o.asset_id, o.contributor_id, o.valid_from_ms, o.recorded_at_ms
  from ownership o join asset a on a.id = o.asset_id where o.contributor_id <> a.contributor_id
), newest as (
  select o.asset_id, max(row(o.valid_from_ms, o.recorded_at_ms)) as batch
  from ownership o semi join other s on s.asset_id = o.asset_id group by o.asset_id
)
select distinct o.asset_id, o.contributor_id
from other o join newest n on n.asset_id = o.asset_id and row(o.valid_from_ms, o.recorded_at_ms) = n.batch
"""

# who must permit
OWNER = """
create or replace temp view owner as
select id as asset_id, contributor_id from asset union all select asset_id, contributor_id from co_owner
"""

# rule 2 of consent.py
OPTED_OUT = """
create temp table opted_out as
with overall as (
  select * from consent_event where scope = 'contributor' and purpose = '*' and action = '*'
)
select distinct no.contributor_id from overall no where no.effect = 'deny' and not exists (
  select 1 from overall yes
  where yes.effect = 'allow' and yes.contributor_id = no.contributor_id and yes.recorded_at_ms >= no.recorded_at_ms
    and yes.id > no.id
    and row(yes.valid_from_ms, yes.recorded_at_ms, yes.id) > row(no.valid_from_ms, no.recorded_at_ms, no.id)
)
"""

# rule 4: (scope, contributor, subject) -> the actions of which there is a word at that level, and those of which a no
# stands. By asset, so that a part finds its own together.
WORD = """
create temp table word as
with said as (
  select *, asked(action) as actions from consent_event
  where purpose in (getvariable('purpose'), '*') and (action = '*' or list_contains(getvariable('actions'), action))
), overruled as (
  select no.id, bit_or(yes.actions) as actions from said no join said yes using (scope, contributor_id, subject)
  where no.effect = 'deny' and yes.effect = 'allow' and yes.recorded_at_ms >= no.recorded_at_ms and yes.id > no.id
    and row(yes.valid_from_ms, yes.recorded_at_ms, yes.id) > row(no.valid_from_ms, no.recorded_at_ms, no.id)
    and no.purpose in (yes.purpose, '*') and no.action in (yes.action, '*')
  group by no.id
)
select s.scope, s.contributor_id, s.subject, bit_or(s.actions) as said,
  bit_or(if(s.effect = 'deny', s.actions & ~coalesce(o.actions, 0), 0)) as denied
from said s left join overruled o on o.id = s.id
group by s.scope, s.contributor_id, s.subject order by s.scope, s.subject
"""

# rule 5: the contributors whose silence consents
SILENT_YES = """
create temp table silent_yes as
with regime as (
  select id, effective_ms, notice_days * 86400000::bigint as notice_ms, regime = 'opt-out'
    and list_contains(cast(cast(names as json) as varchar[]), getvariable('purpose')) as asks_nothing
  from contributor_terms
), told as (
  select a.contributor_id, greatest(t.effective_ms, a.valid_from_ms) as holds_from_ms, a.recorded_at_ms, a.id,
    t.asks_nothing and a.noticed_ms + t.notice_ms <= greatest(t.effective_ms, a.valid_from_ms) as consents
  from terms_acceptance a join regime t on t.id = a.contributor_terms_id
)
select contributor_id from told where holds_from_ms <= getvariable('at_ms')
group by contributor_id having arg_max(consents, row(holds_from_ms, recorded_at_ms, id))
"""

# rules 3 and 5 for a contributor's whole work: the actions that are not permitted, for a no or for want of a yes. Of
# who is absent here nothing is known, so no action is permitted.
STANCE = """
create temp table stance as
with known as (
  select contributor_id from word where scope = 'contributor' union from opted_out union from silent_yes
), told as (
  select k.contributor_id, k.contributor_id in (from opted_out) as opted_out, coalesce(w.denied, 0) as denied,
    if(k.contributor_id in (from silent_yes), 0, every() & ~coalesce(w.said, 0)) as missing
  from known k left join word w on w.scope = 'contributor' and w.contributor_id = k.contributor_id
)
select *, answer(opted_out, denied, missing) as bits from told
"""

# rule 3 above that: an asset's own word, else that of its collections
NEARER = """
create or replace temp table nearer as
with own as (
  select subject as asset_id, contributor_id, said, denied from word
  where scope = 'asset' and subject >= getvariable('first') and subject < getvariable('beyond')
), together as (
  select m.asset_id, w.contributor_id, bit_or(w.said) as said, bit_or(w.denied) as denied
  from word w join collection_asset m on m.collection_id = w.subject
  where w.scope = 'collection' group by m.asset_id, w.contributor_id
)
select asset_id, contributor_id, coalesce(o.said, 0) | coalesce(t.said, 0) as said,
  coalesce(o.denied, 0) | (coalesce(t.denied, 0) & ~coalesce(o.said, 0)) as denied
from own o full join together t using (asset_id, contributor_id)
"""

# papers.py, release by release: what each lacks, its place, and that of its revocation
PAPER = """
create or replace temp table paper as
with revoked as (
  select revokes_id, max(valid_from_ms) as valid_from_ms, max(recorded_at_ms) as recorded_at_ms, max(id) as id
  from document_release where revokes_id <> 0 group by revokes_id
), told as (
  select d.asset_id, d.kind, d.valid_from_ms, d.recorded_at_ms, d.id, r.id is null as standing,
    r.valid_from_ms as revoked_from_ms, r.recorded_at_ms as revoked_at_ms, r.id as revoked_id,
    d.ai_training <> 1 as no_ai, d.minor = 1 and d.guardian = 1 as guarded,
    d.kind = 'model' and d.minor = 1 and d.guardian <> 1 as unguarded,
    d.until_ms <= getvariable('at_ms') or d.until_ms < getvariable('until_ms') as term,
    d.territory <> 'world' and (getvariable('worldwide')
      or not list_has_all(string_split(d.territory, ','), getvariable('territory'))) as territory
  from document_release d left join revoked r on r.revokes_id = d.id where d.revokes_id = 0
)
select *, standing and not (no_ai or term or territory or unguarded) as covers from told
"""

# the revocations and the minors' releases without a guardian's signature that no paper which covers came after
UNANSWERED = """
create or replace temp table unanswered as
with asks as (
  select asset_id, kind, false as minor, revoked_from_ms as valid_from_ms, revoked_at_ms as recorded_at_ms,
    revoked_id as id
  from paper where not standing
  union all
  select asset_id, kind, true, valid_from_ms, recorded_at_ms, id from paper where unguarded
)
select asset_id, recorded_at_ms, case when minor then flag('model_release_minor')
  when kind = 'model' then flag('model_release_revoked') else flag('property_release_revoked') end as bits
from asks w where not exists (
  select 1 from paper p
  where p.covers and (p.guarded or not w.minor) and p.asset_id = w.asset_id and p.kind = w.kind
    and p.valid_from_ms >= w.valid_from_ms and p.recorded_at_ms >= w.recorded_at_ms and p.id > w.id
)
"""

# and together: that one is on file, and what an asset's releases of one kind lack, as bits
RELEASE = """
create or replace temp table release_open as
with several as (
  select asset_id, kind from paper group by asset_id, kind having count(*) > 1
), lacking as (
  select asset_id, kind, standing, standing and no_ai as no_ai, standing and term as term,
    standing and territory as territory
  from paper p anti join several s using (asset_id, kind)
  union all
  select asset_id, kind, bool_or(standing), not bool_or(covers) and bool_or(standing and no_ai),
    not bool_or(covers) and bool_or(standing and term), not bool_or(covers) and bool_or(standing and territory)
  from paper p semi join several s using (asset_id, kind) group by asset_id, kind
)
select asset_id, case when kind = 'model' then
    if(standing, flag('model_release'), 0) | if(no_ai, flag('model_release_no_ai'), 0)
      | if(term, flag('model_release_term'), 0) | if(territory, flag('model_release_territory'), 0)
  else if(no_ai, flag('property_release_no_ai'), 0) | if(term, flag('property_release_term'), 0)
    | if(territory, flag('property_release_territory'), 0)
  end as bits
from lacking
"""

# RulingView in facts.py: an allow while it is the newest, a deny until a later allow, each until it expires
RULING = """
create or replace temp table ruling_now as
with placed as (
  select *, row(valid_from_ms, recorded_at_ms, id) as place, expires_ms > getvariable('at_ms') as stands from ruling
), newest as (
  select asset_id, finding, max(place) as place, max(place) filter (decision = 'allow') as allowed
  from placed group by asset_id, finding
)
select p.asset_id, p.finding, p.decision, max(p.recorded_at_ms) as recorded_at_ms
from placed p join newest n using (asset_id, finding)
where p.stands and case when p.decision = 'allow' then p.place = n.place
  else n.allowed is null or p.place > n.allowed end
group by p.asset_id, p.finding, p.decision
"""

# what signals say; 0 where that is nothing
HEARD = """
create or replace temp table heard as
select asset_id, recorded_at_ms, case
  when kind = 'note' then flag('signal_noted')
  when trust = 'tampered' then flag('signal_tampered')
  when trust = 'unreadable' then flag('signal_unreadable')
  when value = 'unspecified' then 0
  when trust <> 'trusted' then flag('signal_untrusted')
  when value = 'notAllowed' then flag('do_not_train')
  when value = 'allowed' then 0
  else flag('signal_unclear') end as bits
from signal
"""

# what is said of few assets, as bits
SAID = """
create or replace temp table said as
select m.asset_id, flag('inside') as bits from collection_asset m join collection c on c.id = m.collection_id
where getvariable('scoped') and list_contains(getvariable('collections'), c.public_id)
union all
select asset_id, flag('hold') from hold where id not in (select hold_id from hold_lift)
union all
select asset_id, flag('ruled_out') from ruling_now where decision <> 'allow'
union all
select asset_id, bits from heard
union all
select asset_id, bits from release_open
union all
select asset_id, bits from unanswered
"""

# one row for each asset of which anything is said. Its contributor's answer stands for it, unless EXTRA knows better.
GATHERED = """
create or replace temp table gathered as
with told as (
  select a.id as asset_id, flag('present') | coalesce(s.bits, flag('no_consent'))
    | if(list_contains(getvariable('kinds'), a.kind), 0, flag('outside_kind'))
    | if(least(a.width, a.height) between getvariable('short_side') and getvariable('most_side'), 0,
      flag('outside_short_side')) as bits
  from asset a left join stance s on s.contributor_id = a.contributor_id
  union all
  select asset_id, flag('people_yes') << fact from asset_fact
  union all
  from said
)
select asset_id, bit_or(bits) as bits from told group by asset_id
"""

# ids of a part lie close together: where all rows are grouped, an array is quicker than a hash table
BY_PLACE, BY_HASH = "set perfect_ht_threshold = 24", "reset perfect_ht_threshold"

# the few assets for which more than that counts. `cleared` bits are put right by `bits`; `allowed`: by rulings.
EXTRA = """
create or replace temp table extra as
with several as (
  select asset_id from co_owner union select asset_id from nearer
), permitting as (
  select o.asset_id, o.contributor_id from owner o semi join several s on s.asset_id = o.asset_id
), consent as (
  select p.asset_id, answer(coalesce(s.opted_out, false),
    (coalesce(s.denied, 0) & ~coalesce(n.said, 0)) | coalesce(n.denied, 0),
    coalesce(s.missing, every()) & ~coalesce(n.said, 0)) as bits
  from permitting p left join stance s on s.contributor_id = p.contributor_id
  left join nearer n on n.asset_id = p.asset_id and n.contributor_id = p.contributor_id
), again as (
  select asset_id from gathered where told_twice(bits)
), latest as (
  select asset_id, about(fact) as name, arg_max(fact, row(valid_from_ms, recorded_at_ms, id)) as fact
  from asset_fact f semi join again a on a.asset_id = f.asset_id group by asset_id, about(fact)
), to_see as (
  select asset_id, recorded_at_ms, bits from heard
  union all
  select asset_id, recorded_at_ms, bits from unanswered where bits = flag('model_release_minor')
), allowed as (
  select r.asset_id, flag(r.finding) as bits from ruling_now r
  where r.decision = 'allow' and not exists (
    select 1 from to_see h
    where h.asset_id = r.asset_id and h.bits = flag(r.finding) and h.recorded_at_ms > r.recorded_at_ms
  )
), parts as (
  select asset_id, flag('opted_out') | flag('consent_denied') | flag('no_consent') as cleared, 0::bigint as bits,
    0::bigint as allowed from several
  union all
  select asset_id, 0, bits, 0 from consent
  union all
  select asset_id, getvariable('people') | getvariable('property') | getvariable('editorial'),
    flag('people_yes') << fact, 0 from latest
  union all
  select asset_id, 0, 0, bits & getvariable('rulable') from allowed
)
select asset_id, bit_or(cleared) as cleared, bit_or(bits) as bits, bit_or(allowed) as allowed
from parts group by asset_id
"""

# one row for each asset
DECIDED = """
create or replace temp table decided as
select g.asset_id, coalesce(e.allowed, 0) as allowed, (g.bits & ~coalesce(e.cleared, 0)) | coalesce(e.bits, 0) as bits
from gathered g left join extra e on e.asset_id = g.asset_id where has(g.bits, 'present')
"""

# the patterns of bits that no part before had
SEEN = """
insert into seen
select (select count(*) from seen) + row_number() over () - 1, bits, allowed
from (select distinct bits, allowed from decided) d anti join seen s using (bits, allowed)
"""

# in order: parts ascend
DECISION = """
insert into decision
select d.asset_id, s.pattern from decided d join seen s using (bits, allowed) order by d.asset_id
"""

# the table itself, for each pattern of bits: what is found, what rulings take back of it, and that in words, in the
# reference's order
PATTERN = """
create temp table pattern as
with counted as (
  select pattern, count(*) as assets from decision group by pattern
), judged as (
  select *, bits & getvariable('found') & ~(
      if(has(bits, 'people_yes'), 0, getvariable('model_releases'))
      | if(has(bits, 'property_release_not_needed'), getvariable('property_releases'), 0)
    )
    | if(getvariable('purpose') <> getvariable('granted'), flag('outside_purpose'), 0)
    | if(getvariable('scoped') and not has(bits, 'inside'), flag('outside_collection'), 0)
    | if(has(bits, 'editorial_yes'), flag('editorial'), 0)
    | if(has(bits, 'editorial_yes') or has(bits, 'editorial_no'), 0, flag('editorial_unknown'))
    | if(has(bits, 'people_yes') or has(bits, 'people_no'), 0, flag('people_unknown'))
    | if(has(bits, 'people_yes') and not has(bits, 'model_release'), flag('model_release_missing'), 0)
    | if(has(bits, 'property_release_not_released'), flag('property_not_released'), 0)
    | if(has(bits, 'property_release_not_released') or has(bits, 'property_release_released')
      or has(bits, 'property_release_not_needed'), 0, flag('property_unknown')) as mask
  from seen join counted using (pattern)
), taken as (
  select *, mask & allowed as taken_back from judged
)
select pattern, assets,
  case when mask & ~taken_back & getvariable('denies') <> 0 then 'DENY'
    when mask & ~taken_back & getvariable('reviews') <> 0 then 'REVIEW' else 'ALLOW' end as outcome,
  list_filter(getvariable('codes'), lambda code: mask & ~taken_back & flag(code) & ~getvariable('notes') <> 0)
    || list_filter(getvariable('codes'), lambda code: mask & flag(code) & (taken_back | getvariable('notes')) <> 0)
    as findings,
  list_filter(getvariable('codes'), lambda code: mask & ~taken_back & flag(code) & getvariable('reviews') <> 0) as waits
from taken
"""

ONCE = (
    OPTED_OUT,
    WORD,
    SILENT_YES,
    STANCE,
    "create temp table seen (pattern integer, bits bigint, allowed bigint)",
    "create temp table decision (asset_id bigint, pattern integer)",
)
"""What is worked out for all contributors."""
PART = (
    CO_OWNER,
    OWNER,
    NEARER,
    PAPER,
    UNANSWERED,
    RELEASE,
    RULING,
    HEARD,
    SAID,
    BY_PLACE,
    GATHERED,
    BY_HASH,
    EXTRA,
    DECIDED,
    SEEN,
    DECISION,
)
"""What is worked out for the assets from `first` to before `beyond`: a part that fits into the processor's caches, so
that time grows with the library and not faster, and memory hardly."""
RANGE = "select coalesce(min(id), 0), coalesce(max(id), -1) from read_parquet({0})"

RESULT = "from decision"
PATTERNS = "select pattern, outcome, findings, waits from pattern order by pattern"
TABLE = "select d.asset_id, p.outcome, p.findings, p.waits from {0} d join {1} p using (pattern)"
COUNTS = "select outcome, sum(assets)::bigint from pattern group by outcome"
FOUND = "select unnest(findings) as code, sum(assets)::bigint from pattern group by code"
