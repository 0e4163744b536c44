"""A Discord on loopback, spoken to over real HTTP and WebSocket. Knows Discord's public wire formats and no bot."""

from playground.discord.errors import NotSendable
from playground.discord.interaction import Callback, Choice, Interaction
from playground.discord.local import LocalDiscord
from playground.discord.memory import Request
from playground.discord.messages import Attachment, Edit, File, Message, Upload
from playground.discord.openapi import OpenApiCheck
from playground.discord.places import EVERYTHING, ORDINARY, Channel, Guild, Member, Permission, Role
from playground.discord.rules import Rules

__all__ = [
    "EVERYTHING",
    "ORDINARY",
    "Attachment",
    "Callback",
    "Channel",
    "Choice",
    "Edit",
    "File",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Member",
    "Message",
    "NotSendable",
    "OpenApiCheck",
    "Permission",
    "Request",
    "Role",
    "Rules",
    "Upload",
]
