"""What all of Nastavnik's services need, and nothing that only one does.

The event contract (`events`, `contract`), the way state and events are written together
(`db`, `outbox`, `idempotency`), the way they travel (`kafka`, `dead_letters`) and the face every
service shows (`http`, `errors`, `logs`, `settings`).
"""
