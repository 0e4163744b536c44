"""`bot.py check`: asks Discord, the webuis and the disk, and says in plain words what is missing. It mends nothing."""

from __future__ import annotations

import asyncio
import logging
import sys
from urllib.parse import urlsplit

import aiohttp
import discord

from core.checkup import Finding, Section, bad, check_data, check_understanding, check_webuis, good, hint
from core.settings import Settings

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
)
"""Replies need none. A picture that takes longer than the 15 minutes of an interaction is a message of its own: that
takes the first four, and the last lets a bot that was interrupted see whether it has sent it already."""
SCOPES = ("bot", "applications.commands")
PATIENCE = 20.0
"""Seconds for Discord's answers."""


async def check(settings: Settings) -> int:
    """Write all findings to standard output; 0 only if a picture could be drawn now, else 1."""
    logging.basicConfig(handlers=[logging.NullHandler()])  # the findings say it all
    discord_half, webuis, reading, data = await asyncio.gather(
        check_discord(settings), check_webuis(settings.webuis), check_understanding(settings), check_data(settings)
    )
    for section in (discord_half, *webuis, reading, data):
        _write(section.title, *(f"  {finding.mark.value} {finding.sentence}" for finding in section.findings), "")
    ready = discord_half.usable and reading.usable and data.usable and any(webui.usable for webui in webuis)
    if ready:
        _write("Pictures can be drawn. Start the bot with: python bot.py")
        return 0
    _write("No picture can be drawn yet: mend what is marked ✗, then check again.")
    return 1


async def check_discord(settings: Settings) -> Section:
    """Whether the token is good, whose it is, and how to invite the bot."""
    discord.http.Route.BASE = settings.discord_api_url
    host = urlsplit(settings.discord_api_url).hostname
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            async with asyncio.timeout(PATIENCE):
                await client.login(settings.discord_token.get_secret_value())
                application = await client.application_info()
        except discord.LoginFailure:
            findings = [bad("DISCORD_TOKEN is refused: copy it again from the developer portal (Bot, Reset Token).")]
        except discord.HTTPException as error:
            findings = [bad(f"Discord answers {error.status}: see https://discordstatus.com and try again.")]
        except (aiohttp.ClientError, OSError) as error:
            findings = [bad(f"{host} can't be reached ({type(error).__name__}): look at network, proxy and firewall.")]
        else:
            findings = _describe(application)
    return Section("Discord", tuple(findings))


def invite_link(application_id: int) -> str:
    """The page on which a server's administrator adds the bot, with what it needs and no more."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=SCOPES)


def _describe(application: discord.AppInfo) -> list[Finding]:
    servers = application.approximate_guild_count
    findings = [good(f"The token is accepted: {application.name}, application {application.id}.")]
    if application.interactions_endpoint_url:
        findings.append(
            bad(
                "An Interactions Endpoint URL is set in the developer portal, so that commands go there and never "
                "reach this bot: General Information, empty that field, save."
            )
        )
    if servers:
        findings.append(good(f"It is in {servers} server{'s' if servers > 1 else ''}."))
    else:
        findings.append(hint("It is in no server yet: open the link below and choose one."))
    findings.append(good("It needs no privileged intent and asks for none."))
    return [*findings, hint(f"To invite it: {invite_link(application.id)}")]


def _write(*lines: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")
