"""A pooler in transaction mode, as PgBouncer is one: clients take turns on one session of PostgreSQL.

It speaks the protocol only as far as psycopg needs it: no TLS, no password, no cancelling.
"""

import contextlib
import socket
import struct
import threading
from pathlib import Path
from typing import Self

SSL_REQUEST = 80_877_103
VERSION_3 = 196_608
IDLE = b"I"
POOLER_PID = 7


class TransactionPooler:
    """Listens on a free port. A client keeps the session until its transaction ends."""

    def __init__(self, server_socket: Path, user: str, database: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._turn = threading.Lock()
        self._session = socket.socket(socket.AF_UNIX)
        self._session.connect(str(server_socket))
        body = struct.pack("!I", VERSION_3) + f"user\0{user}\0database\0{database}\0\0".encode()
        self._session.sendall(struct.pack("!I", len(body) + 4) + body)
        self._greeting = b""
        """What the server said of itself, without the process that serves."""
        while (message := read_message(self._session))[:1] != b"Z":
            self._greeting += message if message[:1] in b"RS" else b""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._session.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        has_turn = False
        try:
            while struct.unpack("!I", read_start(client)[:4])[0] != VERSION_3:
                client.sendall(b"N")  # no TLS
            process = b"K" + struct.pack("!III", 12, POOLER_PID, 1)
            client.sendall(self._greeting + process + b"Z" + struct.pack("!I", 5) + IDLE)
            while (message := read_message(client))[:1] != b"X":
                if not has_turn:
                    has_turn = self._turn.acquire()
                self._session.sendall(message)
                if message[:1] in b"QS":  # a query, or the end of a series
                    while (answer := read_message(self._session))[:1] != b"Z":
                        client.sendall(answer)
                    if answer[-1:] == IDLE:
                        self._turn.release()
                        has_turn = False
                    client.sendall(answer)
        except OSError:
            pass  # the client is gone
        finally:
            if has_turn:
                self._turn.release()
            client.close()


def read_start(connection: socket.socket) -> bytes:
    """The first messages of a client have no type."""
    return read(connection, struct.unpack("!I", read(connection, 4))[0] - 4)


def read_message(connection: socket.socket) -> bytes:
    head = read(connection, 5)
    return head + read(connection, struct.unpack("!I", head[1:])[0] - 4)


def read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data
