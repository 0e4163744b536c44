"""The faults that answer before the webui itself would: proxies, limits, crashes at the door. No sockets."""

import json
from typing import Any

from playground.webui.dialect import Answer, Call, Dialect
from playground.webui.errors import CrashError, InvalidError, RefusedError
from playground.webui.faults import Fault, Planned

_ECHO_BYTES = 5 * 1024 * 1024
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center>{1}</body></html>"
_LEAKY = """HTTPSConnectionPool(host='gpu-box.studio.internal', port=8443): Max retries exceeded with url: \
/models?token=hunter2 (Caused by NewConnectionError)
Traceback (most recent call last):
  File "/home/operator/stable-diffusion-webui/modules/processing.py", line 847, in process_images
    res = process_images_inner(p)
  File "/home/operator/stable-diffusion-webui/modules/sd_models.py", line 613, in reload_model_weights
    raise ConnectionError(e, request=request)
ConnectionError: operator:hunter2@gpu-box.studio.internal:8443"""


def early_answer(planned: Planned, call: Call, dialect: Dialect) -> Answer | None:
    """The answer given instead of the webui's own; None where the fault comes later or is none of these."""
    match planned.fault:
        case Fault.NO_API:
            return dialect.not_found()
        case Fault.UNAUTHORIZED:
            return dialect.refused(RefusedError(401, "Incorrect username or password"))
        case Fault.LEAKY_ERROR:
            return dialect.crashed(CrashError("ConnectionError", _LEAKY))
        case Fault.VALIDATION_ECHO:
            return dialect.invalid(InvalidError([_echo(call)]))
        case Fault.TOO_MANY_REQUESTS:
            body = json.dumps({"detail": "Too many requests"}).encode()
            return Answer(429, body, headers={"Retry-After": f"{planned.amount or 1:g}"})
        case Fault.UNAVAILABLE:
            return Answer(503, b'{"detail":"Service Unavailable"}')
        case _:
            return _page(planned.fault)


def _page(fault: Fault) -> Answer | None:
    pages = {
        Fault.HTML_200: (200, "Welcome", "<p>Please sign in to use this network.</p>"),
        Fault.HTML_502: (502, "502 Bad Gateway", "<hr><center>nginx/1.24.0</center>"),
        Fault.HTML_504: (504, "504 Gateway Time-out", "<hr><center>nginx/1.24.0</center>"),
        Fault.HTML_524: (524, "A timeout occurred", "<p>Error code 524. cloudflare</p>"),
    }
    if fault not in pages:
        return None
    status, title, text = pages[fault]
    return Answer(status, _PAGE.format(title, text).encode(), "text/html", timed=False)


def _echo(call: Call) -> dict[str, Any]:
    body = call.body.decode("utf-8", "replace")
    document = body + " " * max(_ECHO_BYTES - len(body), 0)
    message = "Expecting ',' delimiter"
    context = {"msg": message, "doc": document, "pos": len(body), "lineno": 1, "colno": len(body) + 1}
    return {
        "loc": ["body", len(body)],
        "msg": f"{message}: line 1 column {len(body) + 1} (char {len(body)})",
        "type": "value_error.jsondecode",
        "ctx": context,
    }
