"""The gateway: WebSocket sessions, their sequence numbers and replay. Knows nothing of commands or messages."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from playground.discord import wire
from playground.discord.connection import Connection
from playground.discord.memory import Memory
from playground.discord.messages import Json

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
_IGNORED: Final = frozenset({3, 4, 8, 31})
"""Presence, voice state, member requests and soundboard: accepted and not modelled."""
GUILDS: Final = 1 << 0
GUILD_MESSAGES: Final = 1 << 9
DIRECT_MESSAGES: Final = 1 << 12
_PRIVILEGED: Final = (1 << 1) | (1 << 8) | (1 << 15)
_SENDS_PER_MINUTE: Final = 120
_PAYLOAD_BYTES: Final = 4096
_EVENTS_KEPT: Final = 1000
_CLOSE_SECONDS: Final = 1.0
IDENTIFIES_PER_DAY: Final = 1000


@dataclass(slots=True, eq=False)
class Session:
    """What survives a broken connection: the events that were sent, and who may have them again."""

    id: str
    intents: int
    connection: Connection | None
    shard: tuple[int, int] = (0, 1)
    seq: int = 0
    log: deque[tuple[int, Json]] = field(default_factory=lambda: deque(maxlen=_EVENTS_KEPT))
    lost_at: float | None = None

    def concerns(self, guild: int | None) -> bool:
        """Whether events of this guild come here; those of direct messages (None) go to the first shard."""
        number, count = self.shard
        return number == (0 if guild is None else (guild >> 22) % count)

    def send(self, event: str, data: Any) -> None:
        self.seq += 1
        payload = {"op": DISPATCH, "t": event, "s": self.seq, "d": data}
        self.log.append((self.seq, payload))
        if self.connection is not None:
            self.connection.send(payload)

    def replay(self, after: int) -> None:
        if self.connection is not None:
            for seq, payload in self.log:
                if seq > after:
                    self.connection.send(payload)


class GatewayClose(Exception):
    """The connection must be closed with this code (documentation, "Gateway Close Event Codes")."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gateway:
    """All sessions of the bot."""

    def __init__(self, memory: Memory, heartbeat_seconds: float) -> None:
        self._memory = memory
        self._heartbeat = heartbeat_seconds
        self._connections: set[Connection] = set()
        self.sessions: dict[str, Session] = {}
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self._copies: deque[int] = deque()

    @property
    def url(self) -> str:
        return self._memory.base_url.replace("http://", "ws://") + "/"

    def connected(self) -> bool:
        return any(session.connection is not None for session in self.sessions.values())

    def dispatch(self, event: str, data: Any, *, intent: int = 0) -> None:
        """Sends to every session of the guild's shard that asked for it; over a broken connection, once it resumes."""
        copies = self._copies.popleft() if self._copies else 1
        self._forget_old_sessions()
        for session in self.sessions.values():
            if session.concerns(_guild_of(event, data)) and (not intent or session.intents & intent):
                for _ in range(copies):
                    session.send(event, data)

    def next_event_times(self, count: int) -> None:
        """The next event is sent `count` times: 2 is a duplicate, 0 a loss."""
        self._copies.append(count)

    def reconnect_clients(self) -> None:
        for connection in self._connections:
            connection.send({"op": RECONNECT, "s": None, "t": None, "d": None})

    def invalidate(self, *, resumable: bool) -> None:
        connections = [session.connection for session in self.sessions.values()]
        if not resumable:
            self.sessions.clear()
        for connection in connections:
            if connection is not None:
                connection.send({"op": INVALID_SESSION, "s": None, "t": None, "d": resumable})

    def drop_all(self) -> None:
        """Cuts every connection without a word, as a broken network does."""
        for connection in self._connections:
            connection.abort()

    async def close_all(self) -> None:
        for connection in list(self._connections):
            await connection.close(1001, "going away")

    def _forget_old_sessions(self) -> None:
        oldest = time.monotonic() - self._memory.rules.session_seconds
        for session in list(self.sessions.values()):
            if session.lost_at is not None and session.lost_at < oldest:
                del self.sessions[session.id]

    async def serve(self, http: web.Request) -> web.WebSocketResponse:
        """One connection from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=_PAYLOAD_BYTES * 4, compress=False, timeout=_CLOSE_SECONDS)
        await socket.prepare(http)
        connection = Connection(socket, http.transport, compressed=http.query.get("compress") == "zlib-stream")
        self._connections.add(connection)
        connection.start()
        hello = {"heartbeat_interval": int(self._heartbeat * 1000)}
        connection.send({"op": HELLO, "s": None, "t": None, "d": hello})
        try:
            await self._listen(connection, socket)
        except GatewayClose as closing:
            await connection.close(closing.code, closing.reason)
        except TimeoutError:
            await connection.close(4009, "Session timed out.")
        finally:
            self._connections.discard(connection)
            self._detach(connection, socket.close_code)
            await connection.finish()
            self._memory.changed()
        return socket

    async def _listen(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        sent: deque[float] = deque(maxlen=_SENDS_PER_MINUTE)
        while True:
            message = await socket.receive(timeout=self._heartbeat * 2)
            if message.type is not WSMsgType.TEXT:
                return
            now = time.monotonic()
            if len(sent) == sent.maxlen and now - sent[0] < 60:
                raise GatewayClose(4008, "Rate limited.")
            sent.append(now)
            self._receive(connection, message.data)
            self._memory.changed()

    def _receive(self, connection: Connection, text: str) -> None:
        try:
            payload = json.loads(text)
        except ValueError:
            raise GatewayClose(4002, "Error while decoding payload.") from None
        if len(text.encode()) > _PAYLOAD_BYTES or not isinstance(payload, dict):
            raise GatewayClose(4002, "Error while decoding payload.")
        handlers: dict[int, Callable[[Connection, Any], None]] = {
            HEARTBEAT: self._on_heartbeat,
            IDENTIFY: self._on_identify,
            RESUME: self._on_resume,
        }
        operation = payload.get("op")
        if operation in _IGNORED:
            if self._session_of(connection) is None:
                raise GatewayClose(4003, "Not authenticated.")
            return
        if operation not in handlers:
            raise GatewayClose(4001, "Unknown opcode.")
        handlers[operation](connection, payload.get("d"))

    def _on_heartbeat(self, connection: Connection, _data: Any) -> None:
        self.heartbeats += 1
        connection.send({"op": ACK, "s": None, "t": None, "d": None})

    def _on_identify(self, connection: Connection, data: Json) -> None:
        if self._session_of(connection) is not None:
            raise GatewayClose(4005, "Already authenticated.")
        self._authenticate(data)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0:
            raise GatewayClose(4013, "Invalid intent(s).")
        if intents & _PRIVILEGED & ~self._memory.rules.privileged_intents:
            raise GatewayClose(4014, "Disallowed intent(s).")
        self.identifies += 1
        session = Session(secrets.token_hex(16), intents, connection, _shard(data.get("shard")))
        self.sessions[session.id] = session
        session.send("READY", self._ready(session, data.get("shard")))
        if intents & GUILDS:
            for guild in filter(lambda guild: session.concerns(guild.id), self._memory.guilds.values()):
                members = len(self._memory.members) + 1
                session.send("GUILD_CREATE", wire.guild_json(guild, self._memory.bot_user, members))

    def _ready(self, session: Session, shard: Any) -> Json:
        ready: Json = {
            "v": 10,
            "user": self._memory.bot_user | {"mfa_enabled": False, "verified": True, "email": None},
            "guilds": [{"id": str(one), "unavailable": True} for one in self._memory.guilds if session.concerns(one)],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._memory.application_id), "flags": 0},
        }
        return ready | ({"shard": shard} if shard else {})

    def _on_resume(self, connection: Connection, data: Json) -> None:
        self._authenticate(data)
        self._forget_old_sessions()
        session = self.sessions.get(str(data.get("session_id")))
        after = data.get("seq")
        if session is None or not isinstance(after, int):
            connection.send({"op": INVALID_SESSION, "s": None, "t": None, "d": False})
            return
        if after > session.seq:
            raise GatewayClose(4007, "Invalid seq.")
        self.resumes += 1
        session.connection, session.lost_at = connection, None
        session.replay(after)
        session.send("RESUMED", {"_trace": []})

    def _authenticate(self, data: Any) -> None:
        if not isinstance(data, dict) or str(data.get("token")).removeprefix("Bot ") != self._memory.token:
            raise GatewayClose(4004, "Authentication failed.")

    def _session_of(self, connection: Connection) -> Session | None:
        return next((s for s in self.sessions.values() if s.connection is connection), None)

    def _detach(self, connection: Connection, code: int | None) -> None:
        """A client that closes with 1000 or 1001 gives its session up; any other end leaves it resumable."""
        session = self._session_of(connection)
        if session is None:
            return
        session.connection, session.lost_at = None, time.monotonic()
        if code in (1000, 1001) and not connection.closed_here:
            del self.sessions[session.id]


def _guild_of(event: str, data: Any) -> int | None:
    """The guild that an event is about; None for direct messages."""
    if not isinstance(data, dict):
        return None
    found = data.get("guild_id") or (data.get("id") if event.startswith("GUILD_") else None)
    return None if found is None else int(found)


def _shard(asked: Any) -> tuple[int, int]:
    """`[number, count]` of IDENTIFY; closes with 4010 where that can't be."""
    if asked is None:
        return 0, 1
    if not (isinstance(asked, list) and len(asked) == 2 and all(isinstance(one, int) for one in asked)):
        raise GatewayClose(4010, "Invalid shard.")
    number, count = asked
    if not 0 <= number < count:
        raise GatewayClose(4010, "Invalid shard.")
    return number, count
