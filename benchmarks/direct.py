"""What somebody would write without a bot: ask the webui, `r.json()`, base64, write the file. A process of its own.

`python -m benchmarks.direct <webui url> <folder>` draws one picture for each line it reads, and answers each with the
monotonic time at which the file was written. Session and imports are ready before the first line, as the bot's are.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from pathlib import Path

import aiohttp


async def main(url: str, folder: Path) -> None:
    """Until there are no more lines."""
    async with aiohttp.ClientSession() as session:
        number = 0
        while await asyncio.to_thread(sys.stdin.readline):
            number += 1
            payload = {"prompt": "a quiet harbour at dawn", "steps": 20, "width": 1024, "height": 1024}
            async with session.post(f"{url}/sdapi/v1/txt2img", json=payload) as response:
                answer = await response.json()
            (folder / f"{number}.png").write_bytes(base64.b64decode(answer["images"][0]))
            print(time.monotonic(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
