"""The one neighbour "webui": addresses, catalog, payload, HTTP, answers, and which webui is free. Knows no Discord."""
