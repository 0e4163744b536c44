"""Prompts that hold choices: their syntax, the wildcards they name, one draw of them or all. No Discord, no webui."""
