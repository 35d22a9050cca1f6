"""Reports: a unit hands in its school year, those above return or accept it, and it is frozen.

A frozen report keeps its figures and what they were made of; what differs from the live figures
later is a restatement, never a change of the report.
"""
