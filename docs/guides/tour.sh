#!/usr/bin/env bash
# A walk through a running system (`make run`): a region, a school, three pupils and a teacher, a
# pair that meets once. Shows the coverage of the school after the meeting, after its correction
# and after it is voided. Every id is new, so it can be walked again.
#
#     bash docs/guides/tour.sh
#
# TOKEN: a bearer token of an integrator for everything; made by `nastavnik token` if not given.
set -euo pipefail

REGISTRY=${REGISTRY:-http://127.0.0.1:8001}
ACTIVITY=${ACTIVITY:-http://127.0.0.1:8002}
METRICS=${METRICS:-http://127.0.0.1:8003}
PYTHON=${PYTHON:-python3}
TOKEN=${TOKEN:-$(.venv/bin/nastavnik token --role integrator --data-dir "${DATA_DIR:-.data}")}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT

new_id() { "$PYTHON" -c 'import uuid; print(uuid.uuid4())'; }
field() { "$PYTHON" -c 'import functools, json, sys
path = [int(p) if p.isdigit() else p for p in sys.argv[2].split(".")]
print(functools.reduce(lambda node, part: node[part], path, json.load(open(sys.argv[1]))))' "$ANSWER" "$1"; }
pretty() { "$PYTHON" -m json.tool --no-ensure-ascii <"$ANSWER"; }
say() { printf '\n# %s\n' "$*"; }

# show METHOD URL [BODY]: the command as one would type it
show() {
    printf "$ curl -H \"authorization: Bearer \$TOKEN\" %s'%s'" "$([ "$1" = GET ] || printf -- '-X %s ' "$1")" "$2"
    [ $# -lt 3 ] || printf " \\\\\n    -H 'content-type: application/json' -d '%s'" "$3"
    printf '\n'
}

# call METHOD URL [BODY]: answer → $ANSWER, status → $STATUS
call() {
    local body=(-H "authorization: Bearer $TOKEN")
    [ $# -lt 3 ] || body+=(-H 'content-type: application/json' -d "$3")
    STATUS=$(curl -sS -X "$1" "$2" "${body[@]}" -o "$ANSWER" -w '%{http_code}')
}

# ask METHOD URL [BODY]: show, call, print the answer; stop at an error. What the registry has just
# taken in reaches the other services a moment later: until then they answer `….unknown`.
ask() {
    show "$@"
    local try
    for try in $(seq 60); do
        call "$@"
        [ "$STATUS" = 422 ] && [[ $(field code) == *.unknown ]] || break
        sleep 0.5
    done
    pretty
    [ "$STATUS" -lt 400 ] || { printf 'stopped: status %s\n' "$STATUS" >&2; exit 1; }
}

# coverage UNIT NUMERATOR DENOMINATOR: wait until the figure says so, and print it
coverage() {
    local url="$METRICS/indicators/coverage.students/values?unit=$1&school_year=$YEAR" try
    show GET "$url"
    for try in $(seq 60); do
        call GET "$url"
        if [ "$STATUS" = 200 ] && [ "$(field items.0.numerator)/$(field items.0.denominator)" = "$2/$3" ]; then
            pretty
            return
        fi
        sleep 0.5
    done
    pretty
    printf 'stopped: expected %s of %s pupils\n' "$2" "$3" >&2
    exit 1
}

# The meeting was yesterday; the pair began a week before it; the pupils came in September.
read -r DAY BEGAN YEAR SEPTEMBER < <("$PYTHON" -c '
from datetime import UTC, datetime, timedelta
day = datetime.now(UTC).date() - timedelta(days=1)
year = day.year if day.month >= 9 else day.year - 1
print(day, day - timedelta(days=7), f"{year}/{(year + 1) % 100:02d}", f"{year}-09-01")')

REGION=$(new_id) CITY=$(new_id) SCHOOL=$(new_id)
ANNA=$(new_id) BORIS=$(new_id) VERA=$(new_id) TEACHER=$(new_id)
PAIR=$(new_id) MEETING=$(new_id)

say "A region, a municipality in it, a school there"
ask POST "$REGISTRY/organizations" '{"id": "'"$REGION"'", "level": "region", "name": "Верхневолжская область"}'
ask POST "$REGISTRY/organizations" '{"id": "'"$CITY"'", "level": "municipality", "name": "Город Верхневолжск", "parent_id": "'"$REGION"'"}'
ask POST "$REGISTRY/organizations" '{"id": "'"$SCHOOL"'", "level": "organization", "kind": "general", "name": "Школа № 12", "parent_id": "'"$CITY"'"}'

say "Three pupils and a teacher"
person() { # ID FAMILY GIVEN BORN KIND
    ask POST "$REGISTRY/participants" '{"id": "'"$1"'", "family_name": "'"$2"'", "given_name": "'"$3"'", "birth_date": "'"$4"'", "memberships": [{"organization_id": "'"$SCHOOL"'", "kind": "'"$5"'", "since": "'"$SEPTEMBER"'"}]}'
}
person "$ANNA" Белова Анна 2010-03-14 student
person "$BORIS" Громов Борис 2013-11-02 student
person "$VERA" Соколова Вера 2012-06-30 student
person "$TEACHER" Ильина Мария 1988-01-25 teacher

say "Nobody is engaged yet"
coverage "$SCHOOL" 0 3

say "Anna becomes Boris's mentor, the teacher is their curator"
ask POST "$ACTIVITY/mentorships" '{"id": "'"$PAIR"'", "organization_id": "'"$SCHOOL"'", "type": "pair", "form": "student_student", "active_from": "'"$BEGAN"'", "members": [{"participant_id": "'"$ANNA"'", "role": "mentor"}, {"participant_id": "'"$BORIS"'", "role": "mentee"}, {"participant_id": "'"$TEACHER"'", "role": "curator"}]}'

say "They meet for 45 minutes; both came"
ask POST "$ACTIVITY/sessions" '{"id": "'"$MEETING"'", "mentorship_id": "'"$PAIR"'", "starts_at": "'"$DAY"'T12:30:00+03:00", "duration_minutes": 45, "technology": "project"}'

say "Two of the three pupils are engaged; the same in the region"
coverage "$SCHOOL" 2 3
coverage "$REGION" 2 3

say "A correction: Boris had not come"
ask PATCH "$ACTIVITY/sessions/$MEETING" '{"attendance": [{"participant_id": "'"$ANNA"'", "attended": true}, {"participant_id": "'"$BORIS"'", "attended": false}]}'
coverage "$SCHOOL" 1 3

say "The meeting is voided: the figures are as if it had never been logged"
ask POST "$ACTIVITY/sessions/$MEETING:void" '{"reason": "entered_by_mistake"}'
coverage "$SCHOOL" 0 3

say "Sending the session again changes nothing and says why"
show POST "$ACTIVITY/sessions" '{"id": "'"$MEETING"'", …}'
call POST "$ACTIVITY/sessions" '{"id": "'"$MEETING"'", "mentorship_id": "'"$PAIR"'", "starts_at": "'"$DAY"'T12:30:00+03:00", "duration_minutes": 45}'
pretty
[ "$STATUS" = 409 ] || { printf 'expected status 409, got %s\n' "$STATUS" >&2; exit 1; }
