"""What each kind of owner adds to the cells: pure functions of its facts.

People are counted at home, once, whatever the number of pairs and sessions; mentorships and their
sessions where they are run; programmes, gatherings and contributions at their organisation.
"""
