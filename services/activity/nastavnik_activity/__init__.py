"""The activity service: what mentors and mentees do together.

Owns local forms, mentorships and sessions, by pseudonymous ids only.
Emits `mentorship` and `session` states; a session lives in the partition of its mentorship.
Consumes `organization` and `participant` states, to know which ids exist.
"""
