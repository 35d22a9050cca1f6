"""Whoever has a part of the tree writes and sees only there, by sheets and journals, too."""

import httpx
from fastapi import FastAPI

from nastavnik_common.auth import Role
from tests import tokens
from tests.activity import make, talk
from tests.activity.test_journals import SESSIONS, did, formed, line


async def test_another_school_can_neither_add_nor_see_nor_resolve(
    app: FastAPI, client: httpx.AsyncClient, school: make.School
) -> None:
    await formed(client, school)
    made = await talk.batch(client, [line("1"), line("2", "2025-10-01T14:30:00+03:00")], SESSIONS)
    assert did(made) == ["created", "waiting"]
    elsewhere = tokens.headers(Role.SCHOOL, school.people[0])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://activity", headers=elsewhere
    ) as other:
        again = await talk.batch(other, [line("1"), line("2"), line("3")], SESSIONS)
        assert {result["status"] for result in again} == {"error"}
        assert (await other.get("/sessions/reviews")).json()["items"] == []
        place = f"/sessions/reviews/{made[1]['id']}:resolve"
        answer = await other.post(place, json={"resolution": "keep"})
        assert talk.code(answer) == (404, "session_review.not_found")
        csv = "Ключ встречи;Ключ пары;Дата;Начало;Минут\n4;П-1;02.10.2025;10:00;45".encode()
        sheet = await other.post("/sheets/sessions?source=dnevnik", content=csv)
        assert talk.code(sheet) == (422, "sheet.refused")
        (finding,) = sheet.json()["report"]["findings"]
        assert (finding["row"], finding["code"]) == (2, "out_of_scope")
    assert len((await client.get("/sessions")).json()["items"]) == 1
