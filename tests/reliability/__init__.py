"""Proof that nothing is lost.

A history checker in the manner of Jepsen: many clients behave at random, a real server is killed with `kill -9` and
restarted while they go on, and afterwards everything that was observed is checked.

    python -m tests.reliability --minutes 10 --seed 7

prints a summary for each minute and stops at the first violation, leaving the database for inspection. The same seed
creates the same clients with the same intentions, but scheduling differs between runs, so a seed that failed once may
pass the next time. `make soak` runs the same command.

A reading order:

- `replica` is a copy of a room made from events alone; `history` records what was observed. Both are pure.
- `verdict` lists the laws, which are in `order` (streams of events) and `promises` (acknowledgements). They are pure
  too, and tested on small histories in `test_verdict`.
- `clients` connect and reconnect, `actions` are the commands they send, `checked_socket` is one of their sockets,
  `follower` keeps their replicas, `rest` is their HTTP client, `run_state` is shared by all of them.
- `run` puts a run together; `fork_server` makes servers that start instantly; `faults` are bugs that the checker must
  find.

A run in which no kill hit an operation, no resume replayed an event or no retry was recognised proves nothing and
fails: see `verdict.proves_nothing`.
"""
