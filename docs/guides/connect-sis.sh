#!/usr/bin/env bash
# The steps of connect-sis.md against a running system (`make run`): a source is described, its
# first roster imported, the next one planned and applied, a cut one held, a faulty one applied in
# parts, and an import undone. The source is a new one each time, so it can be run again.
#
#     bash docs/guides/connect-sis.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

REGISTRY=${REGISTRY:-http://127.0.0.1:8001}
PYTHON=${PYTHON:-python3}
TOKEN=${TOKEN:-$(.venv/bin/nastavnik token --role integrator --data-dir "${DATA_DIR:-.data}")}
SOURCE=${SOURCE:-sis-$(date +%s)}
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT

say() { printf '\n# %s\n' "$*"; }
call() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }
# pick EXPRESSION: of the JSON on stdin, as `d`
pick() { "$PYTHON" -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
# wait ID: until the import has come to rest
rest() {
    local status
    for _ in $(seq 240); do
        status=$(call "$REGISTRY/imports/$1" | pick "d['status']")
        case $status in queued | checking | applying) sleep 0.5 ;; *) break ;; esac
    done
    call "$REGISTRY/imports/$1" | pick "d['status'], d['changes'] and {k: v for k, v in d['changes']['participants'].items() if v}, d['held'], d['quarantined']"
}
# send FILE [QUERY]: an import; its id → $ID
send() {
    ID=$(call "$REGISTRY/imports?source=$SOURCE${2:-}" -H 'content-type: application/zip' \
        --data-binary "@$FOLDER/$1" | pick "d['id']")
    rest "$ID"
}
# decide VERB: apply, confirm or undo the last import; the import that does so → $ID
decide() {
    ID=$(call -X POST "$REGISTRY/imports/$ID:$1" | pick "d['id']")
    rest "$ID"
}
describe() {
    call -X PUT "$REGISTRY/import-sources/$SOURCE" -H 'content-type: application/json' -d "$1" |
        pick "d['version'], d['vanished'], d['breaker_percent'], d['partial']"
}

"$PYTHON" docs/guides/roster.py "$FOLDER"
say "The source: who is gone from its rosters has left; a fifth may leave at once"
describe '{"system": "School journal", "vanished": "end_membership", "breaker_percent": 20}'
say "The first roster"
send first.zip
say "The next one, as a plan"
send next.zip "&dry_run=true"
call "$REGISTRY/imports/$ID/changes" |
    pick "'\n'.join(f\"{c['action']:8} {c['external_id']:4} {c['file']}:{c['line']} {c['fields']}\" for c in d['items'])"
say "Applied"
decide apply
NEXT=$ID
say "A roster cut in half is held; nothing has changed"
send cut.zip
say "Given up"
call -X POST "$REGISTRY/imports/$ID:discard" | pick "d['status']"
say "A roster with a fault is refused, and says where"
send faulty.zip
call "$REGISTRY/imports/$ID" | pick "[(f['code'], f['file'], f['line'], f['column']) for f in d['report']['findings']]"
call "$REGISTRY/imports/$ID/report?lang=ru" | grep -o 'Слова нет в перечне' | head -1
say "The same, where the source may be applied in parts"
describe '{"system": "School journal", "breaker_percent": 20, "partial": true}'
send faulty.zip
call "$REGISTRY/import-quarantine?source=$SOURCE&released=false" |
    pick "[(q['external_id'], q['code'], q['file'], q['line']) for q in d['items']]"
say "The second import is taken back, but for what has changed since"
ID=$NEXT
decide undo
call "$REGISTRY/imports/$ID/changes?action=kept" | pick "[(c['external_id'], c['after']['reason']) for c in d['items']]"
