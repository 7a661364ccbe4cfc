"""A TCP proxy that resets a connection before or after its k-th packet, in either direction."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST instead of FIN."""


class CuttingProxy:
    """Forwards packets to a database server; `cut` arms it for one reset."""

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int] | str) -> None:
        self._family, self._address = family, address
        self._lock = threading.Lock()
        self._until_cut = 0
        """Packets that still pass, counted in both directions; 0 if no cut is armed."""
        self._delivers_last = False
        self.has_cut = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def cut(self, packet: int, *, delivered: bool) -> Iterator[None]:
        """Reset the connection at this packet (1 is the next one), before or after it is delivered."""
        with self._lock:
            self._until_cut, self._delivers_last, self.has_cut = packet, delivered, False
        try:
            yield
        finally:
            with self._lock:
                self._until_cut = 0

    def redirect(self, address: tuple[str, int] | str) -> None:
        """Reset every connection, and connect the next ones to another server of the same family."""
        self._address = address
        for pair in self._pairs:
            self._reset(pair)

    def close(self) -> None:
        self._listener.close()
        for pair in self._pairs:
            self._reset(pair)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(self._family, socket.SOCK_STREAM)
                server.connect(self._address)
                pair = client, server
                self._pairs.append(pair)
                for source, target in (pair, (server, client)):
                    threading.Thread(target=self._forward, args=(source, target, pair), daemon=True).start()

    def _forward(
        self, source: socket.socket, target: socket.socket, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    is_cut = self._until_cut == 1
                    self._until_cut = max(0, self._until_cut - 1)
                    self.has_cut |= is_cut
                if not is_cut or self._delivers_last:
                    target.sendall(data)
                if is_cut:
                    break
        self._reset(pair)

    def _reset(self, pair: tuple[socket.socket, socket.socket]) -> None:
        for end in pair:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                end.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()
