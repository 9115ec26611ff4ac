"""Answers for people to print and to calculate with: PDF and XLSX in their language."""

from __future__ import annotations

from fastapi import Request, Response

from api.answers import Answers, known_tags
from api.errors import NotReady
from api.formats import representation
from api.formats.choosing import Form
from reports.documents import rendering
from reports.documents.paper import Paper
from reports.documents.typesetting import NotTypeset
from reports.documents.words import Words
from reports.messages import Language


def document(request: Request, shown: Paper, form: Form, language: Language) -> Response:
    """For people, or 304; the transaction ends before it is made, which may take seconds."""
    answers: Answers = request.app.state.answers
    tag = answers.tag("report", form.name, language, rendering.program(), shown)
    name = f"{shown.said['number']}-{shown.said['revision']}-{language}"
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Content-Language": language}
    headers |= representation(form, name)
    headers["Vary"] += ", Accept-Language"
    request.state.finish()
    if known_tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    body = answers.get(tag)
    if body is None:
        try:
            body = rendering.render(shown, Words(language), form.name)
        except NotTypeset as error:
            raise NotReady(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        answers.put(tag, body)
    return Response(body, media_type=form.media_type, headers=headers)
