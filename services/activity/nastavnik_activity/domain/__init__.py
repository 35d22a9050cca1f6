"""Pure rules by noun: facts and now in, a state of the event contract or a DomainError out."""
