"""The works: what is done to a server and what is counted. Each module has `async def run(spec) -> dict`."""
