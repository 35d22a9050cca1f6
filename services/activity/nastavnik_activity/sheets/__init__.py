"""Mentorships, sessions and surveys as spreadsheets. People are ids in them: names, which clerks
write, are replaced in the registry before a file comes here."""
