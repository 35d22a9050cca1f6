"""The metrics service: indicators of coverage and effectiveness, exact at every moment.

Owns: facts taken from events, cells folded from them, indicator values and their history.
Consumes: organizations, participants, targets, mentorships, sessions.
Emits: ``nastavnik.indicators``, one event per changed value.
"""
