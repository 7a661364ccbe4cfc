"""A TCP proxy that does something to the k-th packet, in either direction: resets the connection, delays the packet, or
swallows it and all that follow."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST instead of FIN."""


Pair = tuple[socket.socket, socket.socket]


class CuttingProxy:
    """Forwards packets to a database server; `cut`, `delay` and `swallow` arm it for one fault."""

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int] | str) -> None:
        self._family, self._address = family, address
        self._lock = threading.Lock()
        self._until_fault = 0
        """Packets that still pass, counted in both directions; 0 if no fault is armed."""
        self._fault = ""
        self._delay = 0.0
        self._silent: set[Pair] = set()
        """Connections whose packets disappear, for good."""
        self._is_silent = False
        """Whether packets of all connections disappear."""
        self.has_cut = False
        """Whether the fault took place."""
        self.packets = 0
        """How many have been read."""
        self._pairs: list[Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def cut(self, packet: int, *, delivered: bool) -> Iterator[None]:
        """Reset the connection at this packet (1 is the next one), before or after it is delivered."""
        with self._armed("after" if delivered else "before", packet):
            yield

    @contextmanager
    def delay(self, packet: int, seconds: float) -> Iterator[None]:
        """Deliver this packet, and what follows it on its connection, so much later."""
        self._delay = seconds
        with self._armed("delay", packet):
            yield

    @contextmanager
    def swallow(self, packet: int) -> Iterator[None]:
        """From this packet on nothing arrives any more, and nothing is refused either. At the end new connections work;
        those that exist stay silent, as if a firewall had forgotten them."""
        with self._armed("swallow", packet):
            yield
        with self._lock:
            if self._is_silent:
                self._is_silent = False
                self._silent.update(self._pairs)

    def forget(self) -> None:
        """Let all connections that exist be silent from now on."""
        with self._lock:
            self._silent.update(self._pairs)

    def redirect(self, address: tuple[str, int] | str) -> None:
        """Reset every connection, and connect the next ones to another server of the same family."""
        self._address = address
        for pair in self._pairs:
            self._reset(pair)

    def close(self) -> None:
        self._listener.close()
        for pair in self._pairs:
            self._reset(pair)

    @contextmanager
    def _armed(self, fault: str, packet: int) -> Iterator[None]:
        with self._lock:
            self._fault, self._until_fault, self.has_cut = fault, packet, False
        try:
            yield
        finally:
            with self._lock:
                self._until_fault = 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(self._family, socket.SOCK_STREAM)
                pair = client, server
                try:
                    server.connect(self._address)
                except OSError:  # the server is down
                    self._reset(pair)
                    continue
                self._pairs.append(pair)
                for source, target in (pair, (server, client)):
                    threading.Thread(target=self._forward, args=(source, target, pair), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, pair: Pair) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                fault = self._fault_of_next(pair)
                if fault == "delay":
                    time.sleep(self._delay)
                if fault not in {"before", "swallow"}:
                    target.sendall(data)
                if fault in {"before", "after"}:
                    break
        if not self._is_lost(pair):
            self._reset(pair)

    def _fault_of_next(self, pair: Pair) -> str:
        """What happens to the packet that was just read; nothing, as a rule."""
        with self._lock:
            self.packets += 1
            is_due = self._until_fault == 1
            self._until_fault = max(0, self._until_fault - 1)
            self.has_cut |= is_due
            if is_due and self._fault == "swallow":
                self._is_silent = True
            if self._is_silent or pair in self._silent:
                return "swallow"
            return self._fault if is_due else ""

    def _is_lost(self, pair: Pair) -> bool:
        with self._lock:
            return self._is_silent or pair in self._silent

    def _reset(self, pair: Pair) -> None:
        for end in pair:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                end.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()
