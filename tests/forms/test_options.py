"""The options of a message: what v0 would refuse is refused here, with a sentence, and given back."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from pytest_django.fixtures import Settings

from chats.forms.acts import LONG_TITLE
from chats.forms.options import (
    MANY_ENTRIES,
    MANY_SERVERS,
    MANY_SKILLS,
    METADATA,
    NO_MODEL,
    ODD_SERVER,
    ODD_SKILL,
    Filled,
    Options,
    OptionsForm,
)
from chats.models import Chat, Composer, Instructions, Person
from chats.models.messages import OURS


def form(is_new: bool = True, /, **fields: str | list[str]) -> OptionsForm:
    data = QueryDict(mutable=True)
    data["options"] = "1"
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return OptionsForm(data, Options(), is_new=is_new)


EMOJI = "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "v1-huge"}, NO_MODEL),
        ({"skill": ["a", "b", "c"], "skills": "d"}, MANY_SKILLS),
        ({"skills": "a, b c\nd"}, MANY_SKILLS),
        ({"skills": "<script>"}, ODD_SKILL),
        ({"skills": "x" * 201}, ODD_SKILL),
        ({"mcp": "chosen", "server": [f"mcp_{n}" for n in range(11)]}, MANY_SERVERS),
        ({"mcp": "chosen", "server": ["../chats"]}, ODD_SERVER),
        ({"mcp": "chosen", "server": [""]}, ODD_SERVER),
        ({"title": "x" * 201}, LONG_TITLE),
        ({"system": "x" * 100_001}, "The instructions are 100,001 characters long; 100,000 is the most."),
        ({"metadata": "\n".join(f"k{n}=v" for n in range(METADATA + 1))}, MANY_ENTRIES),
        ({"metadata": "a=b\nnothing"}, "Metadata, line 2: write a name, = and a value."),
        ({"metadata": "=b"}, "Metadata, line 1: write a name, = and a value."),
        ({"metadata": f"{'k' * 41}=v"}, "Metadata, line 1: a name has at most 40 characters."),
        ({"metadata": f"{EMOJI * 21}=v"}, "Metadata, line 1: a name has at most 40 characters."),
        ({"metadata": f"k={'v' * 501}"}, "Metadata, line 1: a value has at most 500 characters."),
        ({"metadata": f"k={EMOJI * 251}"}, "Metadata, line 1: a value has at most 500 characters."),
        ({"metadata": "a=1\n\na=2"}, "Metadata, line 3: a is there twice."),
        ({"metadata": f"{OURS}=x"}, f"Metadata, line 1: {OURS} is a name of ours. Choose another one."),
    ],
    ids=str,
)  # fmt: skip
def test_what_v0_would_not_take_is_refused_in_a_sentence(
    fields: dict[str, str | list[str]], sentence: str
) -> None:
    assert form(**fields).sentence == sentence


def test_the_most_that_v0_takes_is_taken() -> None:
    lines = [f"{f'k{n}'.ljust(40, '-')}={'v' * 500}" for n in range(METADATA)]
    found = form(
        model="v0-auto",
        images="on",
        mcp="chosen",
        server=[f"mcp_{n}" for n in range(10)],
        skill=["one/two/three", "four"],
        skills="https://skills.sh/five/six, four",
        system="Be brief.\r\nBe kind.",
        title="  A  title ",
        metadata="\r\n".join(lines),
    )
    assert found.sentence == ""
    payload = found.options.payload()
    assert payload["model"] == "v0-auto"
    assert payload["images"] is True
    assert payload["mcp"] == [f"mcp_{n}" for n in range(10)]
    assert [skill["id"] for skill in payload["skills"]] == ["one/two/three", "four", "five/six"]
    assert payload["system"] == "Be brief.\nBe kind."
    assert len(payload["metadata"]) == METADATA
    assert found.options.of_chat() == {
        "system": "Be brief.\nBe kind.",
        "title": "A title",
        "title_given": True,
    }


def test_what_was_not_touched_is_not_said() -> None:
    assert form(model="v0-pro").options.payload() == {"model": "v0-pro"}
    assert form(mcp="", server=["mcp_1"]).options.mcp is None
    assert form(mcp="chosen").options.payload() == {"mcp": []}


def test_title_and_metadata_are_of_a_new_chat() -> None:
    found = form(False, title="x" * 300, metadata="no entry")
    assert found.sentence == ""
    assert (found.options.title, found.options.metadata) == ("", {})


def test_what_was_filled_in_is_kept_as_it_was() -> None:
    found = form(skills="a b c d", metadata="no entry", server=["x y"], mcp="chosen", system=" s ")
    assert found.filled == Filled(
        mcp="chosen",
        servers=("x y",),
        more_skills="a b c d",
        system=" s",
        metadata="no entry",
    )


def test_a_form_without_options_goes_on_with_the_last_ones(settings: Settings) -> None:
    settings.V0_MODELS = ["v0-mini", "v0-max"]
    person = Person()
    Composer(
        person=person, options={"model": "v0-mini", "mcp": [], "skills": ["a"], "images": True}
    )
    chat = Chat(model="v0-max")
    Instructions(chat=chat, text="Be brief.")
    start = Options.start(person, chat)
    assert OptionsForm(QueryDict(), start, is_new=False).options == start
    assert start == Options(model="v0-max", images=True, mcp=(), skills=("a",), system="Be brief.")
    settings.V0_MODELS = ["v0-mini"]
    assert Options.start(person, chat).model == "v0-mini"
    settings.V0_MODELS = ["v0-pro"]
    assert Options.start(person, chat).model == ""


def test_skills_are_remembered_newest_first() -> None:
    person = Person()
    Composer(
        person=person, options={"known_skills": [f"s{n}" for n in range(12)], "skills": ["s0"]}
    )
    kept = Options(skills=("new", "s3")).remembered(person)
    assert kept["skills"] == ["new", "s3"]
    assert kept["known_skills"][:4] == ["new", "s3", "s0", "s1"]
    assert len(kept["known_skills"]) == 12
    assert "mcp" not in kept
