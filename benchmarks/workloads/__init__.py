"""The workloads: what the load does and counts. Each module has `async def run(spec) -> dict`."""
