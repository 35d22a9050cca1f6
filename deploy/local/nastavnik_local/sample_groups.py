"""Forming pairs and groups so that a wanted share of pupils and of staff takes part."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from nastavnik_local.sample_model import Person, Scale

_CURATED = 0.5  # groups of pupils with a teacher as curator, who by the rules does not count
_TWICE = 0.06  # groups joined by somebody who is in another one already
_SENIOR = 9  # grade from which pupils are mentors
_BY_SENIORS = 0.62
_BY_EMPLOYERS = 0.24
_STUDENTS_ENGAGED = {"vocational": 0.55, "higher": 0.2}


class Group(msgspec.Struct, frozen=True):
    form: str
    members: tuple[tuple[str, str], ...]


class Company(msgspec.Struct, frozen=True):
    """The people of a municipality by home, and its willing employers and students."""

    homes: Mapping[str, Sequence[Person]]
    employers: Sequence[str]
    students: Sequence[str]

    def at(self, org: str) -> Sequence[Person]:
        return self.homes[org]


def pupil_groups(
    folk: Sequence[Person], share: float, scale: Scale, company: Company, rng: random.Random
) -> list[Group]:
    """Older pupils, employers and students as mentors of `share` of the school's pupils."""
    pupils = [person for person in folk if person.grade]
    wanted = round(len(pupils) * min(1.0, max(0.1, share + rng.uniform(-0.08, 0.08))))
    engaged = rng.sample(pupils, wanted)
    seniors = [p.sid for p in engaged if p.grade >= _SENIOR]
    juniors = [p.sid for p in engaged if p.grade < _SENIOR]
    teachers = [p.sid for p in folk if p.teaching_since]
    busy: list[str] = []
    found = []
    while juniors or len(seniors) > 1:
        form, mentor = _pupils_mentor(seniors, juniors, company, busy, rng)
        source = juniors or seniors
        mentees = [source.pop() for _ in range(min(_size(scale, rng), len(source)))]
        if not mentees:
            break
        if busy and rng.random() < _TWICE:
            mentees.append(rng.choice(busy))
        curators = [rng.choice(teachers)] if teachers and rng.random() < _CURATED else []
        busy += mentees
        found.append(_group(form, mentor, mentees, curators))
    return found


def _pupils_mentor(
    seniors: list[str], juniors: list[str], company: Company, busy: list[str], rng: random.Random
) -> tuple[str, str]:
    chance = rng.random()
    if chance >= _BY_SENIORS or not seniors:
        if company.employers and (chance < _BY_SENIORS + _BY_EMPLOYERS or not company.students):
            return "employer_pupil", rng.choice(company.employers)
        if company.students:
            return "university_student_pupil", rng.choice(company.students)
    return "student_student", (seniors or juniors).pop()


def _size(scale: Scale, rng: random.Random) -> int:
    """Mentees of the next mentorship: 1 so often that `scale.pairs` of the pupils are in pairs."""
    mean = sum(scale.group) / 2 + 1
    pairs = scale.pairs * mean / (2 * (1 - scale.pairs) + scale.pairs * mean)
    return 1 if rng.random() < pairs else rng.randint(*scale.group)


def staff_groups(folk: Sequence[Person], share: float, rng: random.Random) -> list[Group]:
    """Experienced teachers with young ones first; one group led by the head of the school."""
    teachers = [person for person in folk if person.teaching_since]
    wanted = round(len(teachers) * min(1.0, max(0.1, share + rng.uniform(-0.1, 0.1))))
    newest = max((p.teaching_since for p in teachers if p.teaching_since), default=None)
    ranked = sorted(teachers, key=lambda p: rng.random() - 0.3 * _is_young(p, newest))
    engaged = sorted(ranked[:wanted], key=lambda p: p.teaching_since or p.born)
    return list(_staff(engaged, rng))


def _is_young(person: Person, newest: date | None) -> bool:
    since = person.teaching_since
    return since is not None and newest is not None and since.year >= newest.year - 3


def _staff(engaged: Sequence[Person], rng: random.Random) -> Iterator[Group]:
    """`engaged` by experience, the oldest hand first: mentors from the front, mentees behind."""
    line = [person.sid for person in engaged]
    form = "leader_teacher"
    while len(line) > 1:
        mentor, *line = line
        size = min(len(line), rng.choice((2, 3, 4)) if form == "leader_teacher" else _few(rng))
        yield _group(form, mentor, [line.pop() for _ in range(size)], [])
        form = "teacher_teacher"


def _few(rng: random.Random) -> int:
    return rng.choice((1, 1, 1, 2, 3))


def student_groups(
    kind: str, folk: Sequence[Person], scale: Scale, company: Company, rng: random.Random
) -> list[Group]:
    """Employers with students of colleges and universities; none where no employer takes part."""
    learners = [p.sid for p in folk if p.teaching_since is None]
    wanted = round(len(learners) * _STUDENTS_ENGAGED.get(kind, 0.0))
    if not company.employers or not wanted:
        return []
    line = rng.sample(learners, wanted)
    found = []
    while line:
        mentees = [line.pop() for _ in range(min(len(line), rng.randint(*scale.group)))]
        found.append(_group("employer_student", rng.choice(company.employers), mentees, []))
    return found


def _group(form: str, mentor: str, mentees: list[str], curators: list[str]) -> Group:
    """Each person once; the mentor is never a mentee of the own group."""
    roles = {sid: "mentee" for sid in mentees if sid != mentor}
    members = [(mentor, "mentor"), *roles.items(), *((sid, "curator") for sid in curators)]
    return Group(form, tuple(members))
