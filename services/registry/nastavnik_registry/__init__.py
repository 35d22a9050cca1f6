"""The registry: who and what there is.

Owns org units, participants with their dated memberships, targets, outside ids and roster imports.
Emits `organization`, `participant` and `target` states. Consumes nothing.
Names, contacts, birth dates and outside ids stay here: no event or log line carries them.
"""
