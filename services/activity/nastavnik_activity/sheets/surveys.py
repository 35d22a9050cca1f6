"""The table of a questionnaire: that of surveys, and a column for each of its items."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands import questionnaires
from nastavnik_activity.domain.questionnaires import Questionnaire, pick
from nastavnik_activity.sheets.lines import ANSWER
from nastavnik_common.sheets import journals
from nastavnik_common.sheets.table import Column, Table


async def asked(tx: AsyncSession, code: str) -> Questionnaire:
    """The latest version. 422 ``questionnaire.unknown``."""
    return pick(await questionnaires.known(tx, [code]), code, None)


def table(found: Questionnaire) -> Table:
    base = journals.table("surveys")
    items = tuple(
        Column(
            field=ANSWER + item.code,
            title=item.text.ru,
            synonyms=(item.code,),
            kind="integer",
            required=True,
            low=item.min,
            high=item.max,
            note=f"Целое число от {item.min} до {item.max}",
        )
        for item in found.items
    )
    return msgspec.structs.replace(
        base, title=base.title, columns=base.columns + items, about=(found.title.ru, *base.about)
    )
