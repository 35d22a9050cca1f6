"""The registry: who and what there is.

Owns org units, participants with their dated memberships, trainings and consents, programmes,
targets, official headcounts, outside ids and roster imports.
Emits `organization`, `participant`, `programme`, `target` and `reference_count` states. Consumes
nothing.
Names, contacts, birth dates, consents, numbers of documents and outside ids stay here: no event or
log line carries them.
"""
