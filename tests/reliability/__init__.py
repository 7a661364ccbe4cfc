"""Proof that nothing is lost.

The history checker (the idea is Jepsen's): many clients with random behaviour, a real server that is killed with
`kill -9` and started again while they go on, and afterwards a verdict over everything that was observed.

    python -m tests.reliability --minutes 10 --seed 7

says for each minute what happened and stops at the first thing that is wrong, with the database left to look at. A
seed gives the same clients with the same intentions; the scheduler of the machine adds its own, so a seed that failed
once is a good place to look and not a promise. `make soak` is the same.

What reads in which order:

- `replica` is a copy of a room made from events alone; `history` is what was observed. Both pure.
- `verdict` names the laws; they stand in `order` (what streams may look like) and `promises` (what an acknowledgement
  is worth). Pure too, and tried on small histories in `test_verdict`.
- `clients` come and go, `actions` is what they do meanwhile, `line` is one socket of theirs, `follower` keeps their
  replicas, `rest` asks over HTTP, `world` is what they share.
- `run` puts a run together; `nursery` makes servers that start in a moment; `faults` are what the checker has to see.

A run in which no kill hit an operation, no resume replayed anything or no retry was recognised proves nothing, and
fails: see `verdict.proves_nothing`.
"""
