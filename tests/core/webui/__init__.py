"""Tests of core.webui: real local servers, the playground's webui, and raw sockets where neither is odd enough."""
