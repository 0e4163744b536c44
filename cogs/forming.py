"""“Edit” and “Use as image” under a result: each asks with a form, and what is sent becomes a job. No policy is made
here.

A form has to be the first answer to a press, so nothing slow comes before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import discord
from discord.ext import commands

from cogs.acts import find_or_ask, origin_of, reply_to
from cogs.answers import answer_privately, answering, put_off
from cogs.asking import AskingCog, Desk
from cogs.drafts import REOPEN_EVENT, Drafts, handed_back, reopen_view
from cogs.found import Finder, Found
from cogs.modals import FORM_ID, Field, build_modal, form_id, join_inputs, read_modal, split_texts
from cogs.originals import Originals
from cogs.picture_buttons import EDIT, USE, Verb
from cogs.reply import guild_of
from core import derive
from core.errors import Mistakes, UserError
from core.forms import edit_form, read_edit, read_use, use_form
from core.request import GenerationRequest

PROMPT = Field("prompt", "Prompt", "What you would like to see", long=True, required=True)
NUMBER_ROOM = 40


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked about a picture, and in which fields."""

    verb: Verb
    title: str
    fields: Sequence[Field]

    def labels(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The texts by the fields' labels."""
        return {field.label: texts.get(field.name, "") for field in self.fields}


FORMS = {
    form.verb.name: form
    for form in (
        Form(
            EDIT,
            "Edit the picture",
            (
                PROMPT,
                Field("negative_prompt", "Negative prompt", "What should not be in it", long=True),
                Field("seed", "Seed", "Any", most=NUMBER_ROOM),
                Field("settings", "Settings, one key:value a line", "steps:20", long=True),
            ),
        ),
        Form(
            USE,
            "Draw over the picture",
            (PROMPT, Field("strength", "How much may change", "0 nothing, 1 everything", most=NUMBER_ROOM)),
        ),
    )
}


class FormsCog(AskingCog):
    """Listens for presses on results of any age, and for forms that are sent, also after a restart."""

    def __init__(self, desk: Desk, finder: Finder, originals: Originals) -> None:
        super().__init__(desk)
        self._finder = finder
        self._originals = originals
        self._drafts = Drafts()

    @commands.Cog.listener(f"on_{EDIT.event}")
    async def on_edit(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """A form with all that was said for the picture."""
        async with answering(press):
            await self._open(FORMS[EDIT.name], press, job_id, number)

    @commands.Cog.listener(f"on_{USE.event}")
    async def on_use(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """A form with its prompt, and how much of the picture may change."""
        async with answering(press):
            await self._open(FORMS[USE.name], press, job_id, number)

    @commands.Cog.listener(f"on_{REOPEN_EVENT}")
    async def on_reopen(self, press: discord.Interaction, verb: str, job_id: str, number: int, draft_id: str) -> None:
        """The form as it was typed; as the picture was, where that is forgotten."""
        async with answering(press):
            form, inputs = FORMS[verb], self._drafts.get(draft_id)
            if inputs is None:
                await self._open(form, press, job_id, number)
            else:
                await _show(form, press, job_id, number, inputs)

    @commands.Cog.listener()
    async def on_interaction(self, sent: discord.Interaction) -> None:
        """The library would look for the form's object, which a restart loses: its custom_id is enough."""
        if sent.type is not discord.InteractionType.modal_submit or sent.data is None:
            return
        found = FORM_ID.fullmatch(str(sent.data.get("custom_id")))
        form = None if found is None else FORMS.get(found["verb"])
        if found is not None and form is not None:
            async with answering(sent):
                await self._take(form, sent, found["job"], int(found["number"]))

    async def _open(self, form: Form, press: discord.Interaction, job_id: str, number: int | None) -> None:
        found = await find_or_ask(self._finder, form.verb, press, job_id, number, at_once=True)
        if found is None:
            return
        if form.verb is EDIT:
            await self._intake.keep_longer(found.source.request)
        texts = edit_form(found.source) if form.verb is EDIT else use_form(found.source)
        await _show(form, press, job_id, found.number, split_texts(texts))

    async def _take(self, form: Form, sent: discord.Interaction, job_id: str, number: int) -> None:
        """What can't be carried out is handed back as it was typed."""
        inputs = read_modal(sent.data)
        texts = join_inputs(inputs)
        try:
            found = await self._finder.find(sent, job_id, number, of_one=True, as_image=form.verb.as_image)
            await (self._edit if form.verb is EDIT else self._use)(sent, job_id, found, texts)
        except UserError as error:
            draft_id = str(sent.id)
            self._drafts.put(draft_id, inputs)
            content, files = handed_back(error, form.labels(texts))
            view = reopen_view(form.verb.name, job_id, number, draft_id)
            await answer_privately(sent, content, view=view, files=files)

    async def _edit(self, sent: discord.Interaction, job_id: str, found: Found, texts: Mapping[str, str]) -> None:
        edited = read_edit(found.source, texts)
        request = edited.request
        if edited.mistakes:
            raise Mistakes([*edited.mistakes, *await self._refusals(request, guild_of(sent))])
        await self._intake.keep_longer(request)
        await self.submit(sent, request, reply_to(sent, request, found), origin_of(EDIT, job_id, found))

    async def _refusals(self, request: GenerationRequest, guild_id: str | None) -> list[str]:
        """Why what could be read would not be drawn either, so that nobody mends one thing after the other."""
        try:
            await self._studio.understand(request, guild_id)
        except UserError as error:
            return [str(error).removesuffix(".")]
        return []

    async def _use(self, sent: discord.Interaction, job_id: str, found: Found, texts: Mapping[str, str]) -> None:
        """Reading and storing a large picture may take longer than Discord waits, so the answer is put off."""
        over, source = read_use(texts), found.source
        reply = reply_to(sent, source.request, found)
        if not sent.response.is_done():
            await put_off(sent, private=source.request.private)
        data = await self._originals.read(job_id, found.number, kept=found.kept, job=found.job, message=found.message)
        stored = await self._intake.take(data)
        source = replace(source, width=stored.width, height=stored.height)
        request = over.of(derive.drawn_over(source, stored.key))
        await self.submit(sent, request, reply, origin_of(USE, job_id, found))


async def _show(form: Form, press: discord.Interaction, job_id: str, number: int, inputs: Mapping[str, str]) -> None:
    custom_id = form_id(form.verb.name, job_id, number)
    await press.response.send_modal(build_modal(custom_id, form.title, form.fields, inputs))
