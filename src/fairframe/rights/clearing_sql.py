"""The table of clearance.py as SQL over a snapshot, for DuckDB: one CTE per finding.

clearing.py sets the variables at_ms, known_ms, purpose (asked), and from the agreement's terms granted (purpose),
actions, kinds, short_side and most_side (the range of the shorter side), scoped (to collections) and collections. The
findings of an asset are one integer, a bit for each code of clearance.CODES: the macro flag('hold') is that code's bit,
the variables denies and reviews hold those of each outcome. So nothing moves texts about, and millions of assets fit
into memory.
"""

_KNOWN = "select * from {} where recorded_at_ms <= getvariable('known_ms')"
_IN_FORCE = _KNOWN + " and valid_from_ms <= getvariable('at_ms')"
VIEWS = {
    "asset": _KNOWN,
    "asset_fact": _IN_FORCE,
    "collection": "select * from {}",
    "collection_asset": _KNOWN,
    "consent_event": _IN_FORCE,
    "contributor_terms": "select * from {}",
    "document_release": _IN_FORCE,
    "hold": _IN_FORCE,
    "hold_lift": _IN_FORCE,
    "ownership": _IN_FORCE,
    "ruling": _IN_FORCE,
    "signal": _IN_FORCE,
    "terms_acceptance": _IN_FORCE,
}
"""Each table of the snapshot as of `at_ms` and as known at `known_ms`."""

# owners besides who brought the asset: few, so only assets that have another one are grouped
CO_OWNER = """
create temp table co_owner as
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
create temp view owner as
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
    and row(yes.valid_from_ms, yes.recorded_at_ms, yes.id) > row(no.valid_from_ms, no.recorded_at_ms, no.id)
)
"""

# rule 4: (scope, contributor, subject, action) -> whether a no stands. What is absent here has no word at that level.
WORD = """
create temp table word as
with said as (
  select e.*, a.action as asked from consent_event e
  join (select unnest(getvariable('actions')) as action) a on e.action in (a.action, '*')
  where e.purpose in (getvariable('purpose'), '*')
), standing as (
  select no.id, no.asked from said no where no.effect = 'deny' and not exists (
    select 1 from said yes
    where yes.effect = 'allow' and yes.scope = no.scope and yes.contributor_id = no.contributor_id
      and yes.subject = no.subject and yes.asked = no.asked and yes.recorded_at_ms >= no.recorded_at_ms
      and row(yes.valid_from_ms, yes.recorded_at_ms, yes.id) > row(no.valid_from_ms, no.recorded_at_ms, no.id)
      and no.purpose in (yes.purpose, '*') and no.action in (yes.action, '*')
  )
)
select s.scope, s.contributor_id, s.subject, s.asked, count(n.id) > 0 as denies
from said s left join standing n on n.id = s.id and n.asked = s.asked
group by s.scope, s.contributor_id, s.subject, s.asked
"""

# rule 5: the contributors whose silence consents
SILENT_YES = """
create temp table silent_yes as
with told as (
  select a.*, t.regime, t.names, t.notice_days, greatest(t.effective_ms, a.valid_from_ms) as holds_from_ms
  from terms_acceptance a join contributor_terms t on t.id = a.contributor_terms_id
), governing as (
  select contributor_id, unnest(arg_max(told, row(holds_from_ms, recorded_at_ms, id)))
  from told where holds_from_ms <= getvariable('at_ms') group by contributor_id
)
select contributor_id from governing
where regime = 'opt-out' and noticed_ms + notice_days * 86400000::bigint <= holds_from_ms
  and list_contains(cast(cast(names as json) as varchar[]), getvariable('purpose'))
"""

# rules 3 and 5 for a contributor's whole work: (contributor, action) that is not permitted, and why
REFUSED = """
create temp table refused as
select c.contributor_id, a.action as asked,
  case when c.contributor_id in (from opted_out) then flag('opted_out') when w.denies then flag('consent_denied')
    else flag('no_consent') end as flag
from (select distinct contributor_id from owner) c
cross join (select unnest(getvariable('actions')) as action) a
left join word w on w.scope = 'contributor' and w.contributor_id = c.contributor_id and w.asked = a.action
where c.contributor_id in (from opted_out)
  or coalesce(w.denies, c.contributor_id not in (from silent_yes))
"""

# rule 3 above that: an asset's own word, else that of its collections
NEARER = """
create temp table nearer as
with own as (
  select subject as asset_id, contributor_id, asked, denies from word where scope = 'asset'
), together as (
  select m.asset_id, w.contributor_id, w.asked, bool_or(w.denies) as denies
  from word w join collection_asset m on m.collection_id = w.subject
  where w.scope = 'collection' group by m.asset_id, w.contributor_id, w.asked
)
select * from own
union all
select * from together t anti join own o using (asset_id, contributor_id, asked)
"""

# one row per asset: what is said of it, and the model releases on file. Nearly every fact was said once, so only the
# others are put in order.
STATE = """
create temp table state as
with once as (
  select asset_id, greatest(count(*) filter (name = 'people'), count(*) filter (name = 'property_release'),
      count(*) filter (name = 'editorial')) > 1 as again,
    any_value(value) filter (name = 'people') as people,
    any_value(value) filter (name = 'property_release') as property,
    any_value(value) filter (name = 'editorial') as editorial
  from asset_fact group by asset_id
), latest as (
  select asset_id,
    arg_max(value, row(valid_from_ms, recorded_at_ms, id)) filter (name = 'people') as people,
    arg_max(value, row(valid_from_ms, recorded_at_ms, id)) filter (name = 'property_release') as property,
    arg_max(value, row(valid_from_ms, recorded_at_ms, id)) filter (name = 'editorial') as editorial
  from asset_fact f semi join (from once where again) o on o.asset_id = f.asset_id group by asset_id
), fact as (
  select asset_id, people, property, editorial from once where not again union all from latest
), model_release as (
  select asset_id, bool_or(ai_training = 1) as covers_ai from document_release
  where kind = 'model' and revokes_id = 0
    and id not in (select revokes_id from document_release where revokes_id <> 0)
  group by asset_id
)
select a.id as asset_id, a.kind, least(a.width, a.height) as short_side, coalesce(f.people, '') as people,
  coalesce(f.property, '') as property, coalesce(f.editorial, '') as editorial, m.covers_ai
from asset a left join fact f on f.asset_id = a.id left join model_release m on m.asset_id = a.id
"""

# RulingView in facts.py: an allow while it is the newest, a deny until a later allow, each until it expires
RULING = """
create temp table ruling_now as
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

DECISION = """
create temp table decision as
with outside_purpose as (
  select asset_id, flag('outside_purpose') as flag from state where getvariable('purpose') <> getvariable('granted')
), outside_kind as (
  select asset_id, flag('outside_kind') from state where not list_contains(getvariable('kinds'), kind)
), outside_short_side as (
  select asset_id, flag('outside_short_side') from state
  where short_side < getvariable('short_side') or short_side > getvariable('most_side')
), outside_collection as (
  select asset_id, flag('outside_collection') from state where getvariable('scoped') and asset_id not in (
    select m.asset_id from collection_asset m join collection c on c.id = m.collection_id
    where list_contains(getvariable('collections'), c.public_id)
  )
), on_hold as (
  select asset_id, flag('hold') from hold where id not in (select hold_id from hold_lift)
), consent as (
  select o.asset_id, r.flag from owner o join refused r on r.contributor_id = o.contributor_id
  left join nearer n on n.asset_id = o.asset_id and n.contributor_id = o.contributor_id and n.asked = r.asked
  where r.flag = flag('opted_out') or n.denies is null
), consent_denied as (
  select o.asset_id, flag('consent_denied') from owner o join nearer n using (asset_id, contributor_id)
  where n.denies and contributor_id not in (from opted_out)
), editorial as (
  select asset_id, flag('editorial') from state where editorial = 'yes'
), editorial_unknown as (
  select asset_id, flag('editorial_unknown') from state where editorial not in ('yes', 'no')
), people_unknown as (
  select asset_id, flag('people_unknown') from state where people not in ('yes', 'no')
), model_release_missing as (
  select asset_id, flag('model_release_missing') from state where people = 'yes' and covers_ai is null
), model_release_no_ai as (
  select asset_id, flag('model_release_no_ai') from state where people = 'yes' and not covers_ai
), property_not_released as (
  select asset_id, flag('property_not_released') from state where property = 'not released'
), property_unknown as (
  select asset_id, flag('property_unknown') from state
  where property not in ('not released', 'released', 'not needed')
), heard as (
  select asset_id, recorded_at_ms, case
    when kind = 'note' then flag('signal_noted')
    when trust = 'tampered' then flag('signal_tampered')
    when trust = 'unreadable' then flag('signal_unreadable')
    when value = 'unspecified' then 0
    when trust <> 'trusted' then flag('signal_untrusted')
    when value = 'notAllowed' then flag('do_not_train')
    when value = 'allowed' then 0
    else flag('signal_unclear') end as flag
  from signal
), signals as (
  select asset_id, flag from heard
), ruled_out as (
  select asset_id, flag('ruled_out') from ruling_now where decision <> 'allow'
), found as (
  from outside_purpose union all from outside_kind union all from outside_short_side
  union all from outside_collection union all from on_hold
  union all from consent union all from consent_denied union all from editorial union all from editorial_unknown
  union all from people_unknown union all from model_release_missing union all from model_release_no_ai
  union all from property_not_released union all from property_unknown union all from signals union all from ruled_out
), findings as (
  select asset_id, bit_or(flag) as mask from found group by asset_id
), allowed as (
  select asset_id, bit_or(flag(finding)) & getvariable('rulable') as mask
  from ruling_now where decision = 'allow' group by asset_id
), unseen as (
  select h.asset_id, bit_or(h.flag) as mask from heard h
  join ruling_now r on r.asset_id = h.asset_id and r.decision = 'allow' and flag(r.finding) = h.flag
  where h.recorded_at_ms > r.recorded_at_ms group by h.asset_id
)
select s.asset_id, coalesce(f.mask, 0) as mask, coalesce(f.mask & r.mask & ~coalesce(u.mask, 0), 0) as taken_back
from state s left join findings f on f.asset_id = s.asset_id left join allowed r on r.asset_id = s.asset_id
left join unseen u on u.asset_id = s.asset_id
"""

# few patterns of findings occur, so each is judged and spelled out once, in the reference's order
PATTERN = """
create temp table pattern as
with seen as (
  select mask, taken_back, count(*) as assets from decision group by mask, taken_back
)
select mask, taken_back, assets,
  case when mask & ~taken_back & getvariable('denies') <> 0 then 'DENY'
    when mask & ~taken_back & getvariable('reviews') <> 0 then 'REVIEW' else 'ALLOW' end as outcome,
  list_filter(getvariable('codes'), lambda code: mask & ~taken_back & flag(code) & ~getvariable('notes') <> 0)
    || list_filter(getvariable('codes'), lambda code: mask & flag(code) & (taken_back | getvariable('notes')) <> 0)
    as findings,
  list_filter(getvariable('codes'), lambda code: mask & ~taken_back & flag(code) & getvariable('reviews') <> 0) as waits
from seen
"""

STEPS = (CO_OWNER, OWNER, OPTED_OUT, WORD, SILENT_YES, REFUSED, NEARER, STATE, RULING, DECISION, PATTERN)

RESULT = """
select d.asset_id, p.outcome, p.findings, p.waits
from decision d join pattern p using (mask, taken_back) order by d.asset_id
"""
COUNTS = "select outcome, sum(assets)::bigint from pattern group by outcome"
FOUND = "select unnest(findings) as code, sum(assets)::bigint from pattern group by code"
