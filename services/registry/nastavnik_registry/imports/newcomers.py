"""People who are new, from the staging tables to all that an import writes, in one statement."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common import db
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.registry import Membership
from nastavnik_common.outbox import Outbox
from nastavnik_registry.aggregates import states
from nastavnik_registry.imports import personal
from nastavnik_registry.imports.ledger import Target
from nastavnik_registry.imports.notes import PERSON
from nastavnik_registry.imports.peoplestore import PERSONAL

_NAMES = ", ".join(PERSONAL)
_FRESH = """
    with fresh as materialized (
        select gen_random_uuid() as id, u.*, d.birth_date
        from s_user u left join s_demographics d using (outside) where u.known is null
    )
"""
_TRACED = """
    insert into import_change
        (import_id, seq, kind, entity_id, version, action, outside, file, line)
    select $1, $2 + row_number() over (order by line), 'participant', id, 1, 'added', outside,
           'users.csv', line
    from fresh
"""
# as mapping.memberships has it: equal ones once; home is the role at `home`, else the first primary
_LOAD = f"""
    {_FRESH},
    traced as ({_TRACED}),
    people as (
        insert into participant (id, version, deleted, {_NAMES})
        select id, 1, false, {_NAMES} from fresh
    ),
    named as (
        insert into external_id (source, kind, external_id, entity_id, content_hash)
        select $3, 'participant', outside, id, hash from fresh
    ),
    ranked as (
        select f.id, r.*, coalesce(r.organization_id = f.home, false) as at_home,
               row_number() over (partition by f.id order by
                   coalesce(r.organization_id = f.home, false) desc, r.first desc, r.seq) as rank
        from fresh f join s_role r using (outside)
    ),
    placed as materialized (
        select id, organization_id, kind, since, until,
               bool_or(rank = 1 and (at_home or first)) as "primary"
        from ranked group by id, organization_id, kind, since, until
    ),
    members as (
        insert into membership (participant_id, organization_id, kind, "primary", since, until)
        select id, organization_id, kind, "primary", since, until from placed
    ),
    listed as (
        select id, string_agg(
            format($4, organization_id, kind, to_json("primary")::text,
                   coalesce(to_json(since)::text, 'null'), coalesce(to_json(until)::text, 'null')),
            ',' order by "primary" desc, coalesce(since, '0001-01-01'),
            coalesce(until, '9999-12-31'), organization_id, kind collate "C") as memberships
        from placed group by id
    ),
    told as (
        insert into outbox (topic, key, partition_key, headers, value)
        select $5, id::text, id::text, convert_to(format($6, id), 'UTF8'),
               convert_to(format($7, id, coalesce(date_part('year', birth_date)::text, 'null'),
                   coalesce(date_part('year', teaching_since)::text, 'null'), memberships), 'UTF8')
        from fresh left join listed using (id) order by line
    )
    select count(*) from fresh
"""  # noqa: S608 - names of columns
_PLAN = f"{_FRESH}, traced as ({_TRACED}) select count(*) from fresh"  # noqa: S608


async def load(target: Target) -> int:
    """Register all of `s_user` who are not known; returns how many. A dry run only lists them."""
    raw = await db.driver(target.tx)
    ledger = target.ledger
    await personal.leave_out_erased(target)
    seq = ledger.seq
    trace = (ledger.import_id, seq)
    if ledger.dry:
        added = int(await raw.fetchval(_PLAN, *trace))
    else:
        texts = _templates(target.outbox)
        added = int(await raw.fetchval(_LOAD, *trace, target.source, *texts))
        await personal.came(target, seq)
        await target.outbox.wake(target.tx)
    ledger.counted(PERSON, "added", added)
    return added


class _Templates(NamedTuple):
    """What events are made of, for PostgreSQL's `format`."""

    membership: str
    topic: str
    headers: str
    state: str


_NOBODY = UUID(int=0)
_BORN, _TEACHING = 1111, 2222
_SOMEWHERE = Membership(
    organization_id=_NOBODY,
    kind="student",
    primary=True,
    since=date(_BORN, 1, 1),
    until=date(_TEACHING, 1, 1),
)


def _templates(outbox: Outbox) -> _Templates:
    """Made of an event of nobody, so that they follow the event contract."""
    state = states.participant_state(
        _NOBODY, 1, _SOMEWHERE.since, _SOMEWHERE.until, (_SOMEWHERE,), ()
    )
    topic, _, _, headers, value = outbox.rows([outbox.event(PARTICIPANT, "registered", state)])[0]
    assert value is not None
    member = msgspec.json.encode(_SOMEWHERE).decode()
    nobody = str(_NOBODY)
    return _Templates(
        _format(
            member, nobody, "student", "true", f'"{_SOMEWHERE.since}"', f'"{_SOMEWHERE.until}"'
        ),
        topic,
        _format(headers.decode(), nobody),
        _format(value.decode().replace(member, "*"), nobody, str(_BORN), str(_TEACHING), "*"),
    )


def _format(text: str, *samples: str) -> str:
    """`text` with the place of the n-th argument where the n-th sample stands."""
    text = text.replace("%", "%%")
    for at, sample in enumerate(samples, 1):
        assert sample in text
        text = text.replace(sample, f"%{at}$s")
    return text
