"""What limits each figure, as profiles have shown (`--profile`) and PostgreSQL's statement log
(`log_min_duration_statement = 0`). Measured, not guessed: look again when the code has changed."""

_LATENCY = """
Each session is the first meeting of a pair, logged a random while (up to 0.3 s) after the figure
before it was seen. The floor does once what any outbox has to: a commit, a record acknowledged and
consumed, a commit. The way to the stream has two commits more and crosses three processes.

What limits it is the number of steps one after another, not work. In the statement log one session
makes 63 statements, nearly all of them under 0.1 ms; only the commits, each waiting 1.3 to 2.5 ms
for the disk, take longer. Of 38 to 40 ms from the request to the value on the stream, 11 to 13 ms
pass until the answer (5 to 7 ms of it before the first row is written: HTTP, validation and one
dispatch after another), 6 to 11 ms from the relay's read to the projector's lock (a bare client
needs 5), 5 to 7 ms in the projector's 17 statements, and 13 ms in announcing and reading the change
for the stream. The worst cases on the stream are the pauses the announcer makes so that a flood of
changes cannot keep it busy: a change that meets one waits for up to 0.1 s.
"""

_BATCH = """
Requests of 5,000 lines, one after another, while relay, replica and projector work at the same
time on the same processors. The figure is what a client sees; the last line is the rate until every
session is counted.

Python limits it. Of the samples in the request 46 % are in writing (21 % encoding the events for
the outbox, 18 % turning states into rows), 14 % in the rules, 11 % in drawing random ids
(a client that supplies ids saves that), 12 % in decoding and answering lines, and 8 % in COPY.
PostgreSQL takes a third as long as Python: a batch of 2,000 took 121 ms, of which 30 ms were the
COPY into `session` (its exclusion constraint costs half of that, as the first two floors show) and
9 ms the COPY into `outbox`. The relay, which shares the process and its one thread, had 19 % of all
samples.
"""

_ROSTER = """
A package is sent, checked, staged and applied; the time is the client's, from sending it to seeing
it completed. `COPY of all rows` writes what a first import writes: people, memberships, outside
ids, outbox. A re-import writes nothing, but must read and compare everybody.

Clean files of people are read by columns: checked, hashed and compared with the hashes of the last
import in 1.2 s of processor time for 200,000 people (the check row by row alone takes 1.7 s), a
third of it inflating and parsing. Only who differs reaches the database, 20,000 at a time; a file
with a fault, a package of changes and OneRoster 1.1 still go row by row.

PostgreSQL limits a first import. In the one statement that registers a portion (EXPLAIN ANALYZE),
28 % of the time are the two foreign keys of memberships, which the floors do not have, 13 %
inserting the memberships, 10 % composing the events and 8 % storing them, 9 % the outside ids, 8 %
the trace of the import and 7 % the people. A re-import has no such floor: what it does beside COPY
is inflating, validating and hashing every row. A small package also pays for the worker's start and
for being found by the queue.
"""

_RELAY = """
Rows that are committed already, until the commit that removes the last of them; the floor hands
the same records, made up beforehand, to the same producer.

Python limits it: most of the relay's samples are in the producer's own sending and its futures
(asking for the running loop alone is 14 %) and in decoding headers; the hash that chooses the
partition was a fifth of it and is remembered now. Broker and database wait for it. It handles one
batch after another: while one is acknowledged, the next is not read.
"""

_CATCH_UP = """
A district of 60 schools: people, pairs and sessions, all there before the projector starts; timed
from the assignment of the partitions to the commit of the last record. Two others do a part of the
job on the same log. The naive handler keeps the same facts in one transaction per event through
SQLModel, on 2,000 events taken evenly, and counts no figures. quixstreams keeps the newest version
of each aggregate and counts who attended what, by person, in RocksDB with changelog topics; it
joins nothing, so it has no homes, years or cells. The last lines are the other end: so many events
a second, sent by another process, from the moment an event is due until a reader of the database
sees it counted.

Facts that are alike give the same pattern of cells, worked out once; an owner refers to it, a cell
is moved by how many owners changed from one to another, and is written once for up to ten batches.
What is left is work on every event: of the processor time of folding 43,000 (cProfile, which
overstates small functions; batches of 5,000, the garbage collector relaxed as in the service, where
it had taken half) 45 % is facts and sessions, 35 % finding the owners concerned and their patterns,
14 % decoding and validating records, 3 % keeping the newest of each, 2 % the cells. Across these,
looking patterns up is an eighth, where working out cells took 55 % before; the driver's parameters
and rows are a quarter (half of it asking of every element whether it is a list), and hashing ids a
tenth. Without the profiler an event costs Python 63 µs and PostgreSQL 24 µs. Lists handed over as
text took a ninth of Python's time away and gave the server as much, so they stay lists. Decoding
goes on in a thread while the database works; fold and database take turns otherwise.

At 500 events a second a batch has a few records, and the time is that of its statements, one after
another, and its commit. Near what the projector can do batches are full, it takes several in one
transaction as when catching up, and a record waits for the whole of it: there it is throughput that
is bought, with seconds.
"""

_REGION = """
As many schools as a real region has, 1,403, and a part of its people and sessions. Each line is
what somebody waits for: a new installation reading the log; every value of every unit announced,
and those that one school moves (200 stale units a round, the pauses between rounds left out); every
figure recomputed from the facts and compared; shares and cells made anew after an upgrade; the
figures counted again from the log into tables beside the live ones, compared and taken over.

The rebuild runs in a metrics service, in the process that answers requests, next to the auditor and
the announcer; a client asks it for one school's figure after another, 20 ms apart, before and
meanwhile. A batch is folded on the loop that answers, so a reader may wait for part of one. Values
are never half rebuilt: the rows that differ are replaced in one transaction. The audit works every
owner out by itself, without shared patterns: that makes it a check, and slower.
"""

_GROWTH = """
The rate of catching up with a log ten times as long, of the same people, pairs and schools, and
with one of the same length from ten times as many organisations; the base is the floor, so 1.00
says that size does not matter. A short log pays relatively more for meeting each pattern first, so
a long one may well be faster.
"""

_MEMORY = """
The most each process ever had resident (Linux's `VmHWM`) after all the runs above in the same
processes, beside what it had taken to be ready. Most of it is the libraries, before any work. What
is added is bounded by batches: the lines of one request, the records of one poll, one chunk of an
import. The worker of the imports holds the columns of people of one package, if these are not
larger than `NASTAVNIK_IMPORT_COLUMNS_MAX_BYTES`, in up to four times as much memory; larger ones it
never holds whole.
"""

LIMITS = {
    "latency": _LATENCY,
    "batch": _BATCH,
    "roster": _ROSTER,
    "relay": _RELAY,
    "catch_up": _CATCH_UP,
    "region": _REGION,
    "growth": _GROWTH,
    "memory": _MEMORY,
}
