"""What a test can make go wrong: answers, rate limits, uploads, the gateway. Knows no command and no message."""

from __future__ import annotations

import re

from playground.discord.faults import Fault, Faults
from playground.discord.gateway import Gateway
from playground.discord.memory import Memory


class Trouble:
    """Failures on demand; each happens once unless it says how often."""

    def __init__(self, memory: Memory, gateway: Gateway, faults: Faults) -> None:
        self._memory = memory
        self._gateway = gateway
        self._faults = faults

    def fail(
        self,
        method: str,
        path_regex: str,
        *,
        status: int = 0,
        code: int = 0,
        times: int = 1,
        delay: float = 0.0,
        drop: bool = False,
        after: bool = False,
    ) -> None:
        """The next `times` matching requests fail; the path is searched without `/api/v10`, `*` is any method.

        `after` carries the request out first, so the effect is there and the client never learns. `drop` cuts the
        connection; with neither `status` nor `drop` the answer is only late by `delay` seconds.
        """
        fault = Fault(
            method=method,
            path=re.compile(path_regex),
            status=status,
            code=code,
            times=times,
            delay=delay,
            drop=drop,
            after=after,
        )
        self._faults.add(fault)

    def limit(
        self, method: str, path_regex: str, *, retry_after: float = 1.0, times: int = 1, scope: str = "user"
    ) -> None:
        """The next `times` matching requests get a 429; `scope` is user, shared or global."""
        pattern = re.compile(path_regex)
        fault = Fault(method=method, path=pattern, times=times, retry_after=retry_after, scope=scope)
        self._faults.add(fault)

    def heal(self) -> None:
        """Forgets all failures that have not happened yet."""
        self._faults.clear()

    def expire_attachments(self) -> None:
        """Everything uploaded until now answers 404."""
        self._memory.gone_attachments |= set(self._memory.attachments)

    async def reconnect_clients(self) -> None:
        self._gateway.reconnect_clients()

    async def invalidate_sessions(self, *, resumable: bool) -> None:
        self._gateway.invalidate(resumable=resumable)

    async def drop_gateways(self) -> None:
        self._gateway.drop_all()

    def duplicate_next_event(self) -> None:
        self._gateway.next_event_times(2)

    def lose_next_event(self) -> None:
        self._gateway.next_event_times(0)
