"""The one tree of errors: every class has its sentence, and is drawn in the module's picture."""

from collections.abc import Iterator

import core.errors
from core.errors import ConfigurationError, EaselError, NoApi, NoPlace, UserError, WebuiError


def descendants(kind: type[EaselError]) -> Iterator[type[EaselError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def test_every_error_is_drawn_in_the_tree() -> None:
    own = [kind for kind in descendants(EaselError) if kind.__module__ == core.errors.__name__]
    assert len(own) > 10
    for name in ("EaselError", *(kind.__name__ for kind in own)):
        assert name in (core.errors.__doc__ or "")


def test_every_way_a_webui_fails_has_a_sentence_of_its_own() -> None:
    kinds = [kind for kind in descendants(WebuiError) if issubclass(kind, WebuiError)]
    assert NoApi in kinds
    sentences = [kind.sentence for kind in kinds if issubclass(kind, WebuiError)]
    assert len(set(sentences)) == len(sentences)
    for sentence in sentences:
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_the_detail_is_for_the_log_and_not_in_the_sentence() -> None:
    error = WebuiError("gpu.internal said no")
    assert str(error) == error.detail == "gpu.internal said no"
    assert "gpu" not in error.sentence
    assert str(WebuiError()) == WebuiError.sentence


def test_a_configuration_error_holds_one_sentence_for_each_mistake() -> None:
    error = ConfigurationError("One.", "Two.")
    assert error.problems == ("One.", "Two.")
    assert str(error) == "One.\nTwo."


def test_a_person_s_error_is_no_webui_s() -> None:
    assert not issubclass(UserError, WebuiError)
    assert not issubclass(WebuiError, UserError)


def test_a_full_queue_is_a_person_s_error_that_knows_when_to_come_back() -> None:
    error = NoPlace("You have 10 jobs in the queue.", 160.0)
    assert isinstance(error, UserError)
    assert (str(error), error.again_at) == ("You have 10 jobs in the queue.", 160.0)
    assert NoPlace("Full.", None).again_at is None
