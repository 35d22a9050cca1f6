"""The activity service: what mentors and mentees do together, and what comes of it.

Owns local forms, mentorships, sessions, questionnaires, surveys, assessments, contributions and
gatherings, by pseudonymous ids only.
Emits their states, but those of forms and questionnaires; what is about a mentorship lives in
its partition.
Consumes `organization` and `participant` states, to know which ids exist.
"""
