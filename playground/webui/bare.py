"""What the dialects share whose server asks for no credentials and keeps no options. No sockets, no request keys."""

from playground.webui.dialect import Answer, Call, Dialect, Site
from playground.webui.drawing import Cleanup, Commission, Drawing, Drawn, Encoder, Prepare


async def run_drawing(
    site: Site, call: Call, commission: Commission, prepare: Prepare, encoder: Encoder, cleanup: Cleanup | None = None
) -> Drawn:
    """Draw for one request, to the end even if its client leaves. Raises CrashError, RefusedError, DroppedError."""
    drawn = await site.run(Drawing(site.machine, commission).run(prepare, encoder, cleanup))
    if call.client_gone():
        drawn.render.state = "discarded"
        site.machine.changes.notify()
    return drawn


class Bare(Dialect):
    """A server without credentials, compression and timing header."""

    server = ""
    gzip_from = None

    def method_not_allowed(self) -> Answer:
        """Routes are told apart by method and path alone."""
        return self.not_found()

    def check_credentials(self, call: Call) -> None:
        """Nobody is asked."""
