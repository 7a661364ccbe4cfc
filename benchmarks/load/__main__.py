"""One run: reads a spec as JSON from standard input, writes the figures as JSON to standard output."""

import gc
import importlib
import sys
from typing import Any

import orjson
import uvloop

from benchmarks.load.meter import pin
from benchmarks.load.run import Spec, Void
from benchmarks.load.wire import ProtocolError
from benchmarks.machine import raise_file_limit


async def measure(spec: Spec) -> dict[str, Any]:
    workload = importlib.import_module(f"benchmarks.workloads.{spec.workload}")
    try:
        measured: dict[str, Any] = await workload.run(spec)
    except (Void, ProtocolError, TimeoutError, OSError) as error:
        return {"void": str(error) or type(error).__name__}
    return measured


def main() -> None:
    given = orjson.loads(sys.stdin.buffer.read())
    pin(given.pop("core"))
    raise_file_limit()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(Spec(**given)))))


main()
