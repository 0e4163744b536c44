"""Reading WEBUI_URLS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigurationError
from core.webui.address import Login, WebuiAddress, parse_addresses

ESCAPE = "webui 1 has an @ after a /, ? or #: in a user or password write them as %40, %2F, %3F and %23."


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse_addresses(text)
    return caught.value.problems


def test_an_address_loses_its_credentials_and_its_slash_and_keeps_its_base_path() -> None:
    (address,) = parse_addresses("http://ann:s3cret@Box.local:7860/sub/path/")
    assert address.url == address.key == "http://box.local:7860/sub/path"
    assert address.login == Login("ann", "s3cret")
    assert address.name == "webui 1"


def test_credentials_are_percent_decoded() -> None:
    (address,) = parse_addresses("http://a%40b:p%2Cw%2F%C3%BC@h:7860")
    assert address.login == Login("a@b", "p,w/ü")
    assert address.login.header == "Basic YUBiOnAsdy/DvA=="


def test_an_escaped_at_in_the_base_path_is_kept() -> None:
    assert parse_addresses("http://ann:p@h:7860/%40me")[0].url == "http://h:7860/@me"


def test_addresses_are_numbered_in_their_order() -> None:
    first, second = parse_addresses(" http://a:1 , https://b/ ,")
    assert (first, second) == (
        WebuiAddress("http://a:1", None, "webui 1"),
        WebuiAddress("https://b", None, "webui 2"),
    )


def test_an_ipv6_address_is_kept() -> None:
    assert parse_addresses("http://[::1]:7860")[0].url == "http://[::1]:7860"


def test_a_password_is_in_no_repr() -> None:
    (address,) = parse_addresses("http://ann:s3cret@h:7860")
    assert "s3cret" not in repr(address)
    assert "ann" not in repr(address)
    assert "s3cret" not in f"{address.login}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("127.0.0.1:7860", "127.0.0.1:7860 has no scheme: write http://127.0.0.1:7860."),
        ("localhost", "localhost has no scheme: write http://localhost."),
        ("ftp://h:1", "webui 1 has the scheme 'ftp', which no webui speaks: use http or https."),
        ("http://", "webui 1 has a URL without a host: write it like http://127.0.0.1:7860."),
        ("http://a b:1", "webui 1 has a URL without a host: write it like http://127.0.0.1:7860."),
        ("http://h:banana", "webui 1 has a URL with a bad host or port: write it like http://127.0.0.1:7860."),
        ("http://h:99999", "webui 1 has a URL with a bad host or port: write it like http://127.0.0.1:7860."),
        ("http://[::1:7", "webui 1 has a URL with a bad host or port: write it like http://127.0.0.1:7860."),
        ("http://h:0", "webui 1 has the port 0: a port is a number from 1 to 65535."),
        ("http://h:1/?a=b", "webui 1 has a URL with ? or #: give only the address, like http://127.0.0.1:7860."),
        ("http://h:1/#x", "webui 1 has a URL with ? or #: give only the address, like http://127.0.0.1:7860."),
        ("http://ann:12/34@h:1", ESCAPE),
        ("http://ann:12?34@h:1", ESCAPE),
        ("http://ann:12#34@h:1", ESCAPE),
        ("http://ann:pa/ss@h:1", ESCAPE),
        ("http://ann/ss@h:1", ESCAPE),
        ("", "No webui URL is given: write for example http://127.0.0.1:7860."),
        (" , ", "No webui URL is given: write for example http://127.0.0.1:7860."),
        ("http://H:80/,http://u:p@h", "http://h is given twice."),
    ],
)
def test_a_mistake_gets_its_own_sentence(text: str, sentence: str) -> None:
    assert _problems(text) == (sentence,)


def test_all_mistakes_are_named_at_once() -> None:
    assert len(_problems("127.0.0.1:7860,http://ok:1,ftp://x,http://h:0")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "ann:s3cret@h:7860",
        "http://ann:s3cret@h:banana",
        "http://ann:x,s3cret@h:7860",
        "http://ann:s3cret,x@h:7860",
        "ftp://ann:s3cret@h",
        "http://ann:s3cret@",
        "http://ann:s3cret@h/?s3cret",
        "http://ann:pa@s3cret@h:banana",
        "h?token=s3cret",
        "http://ann:12/s3cret@h:7860",
        "http://s3cret:12/34@h:7860",
        "http://ann:12?s3cret@h:7860",
    ],
)
def test_a_password_is_in_no_sentence(text: str) -> None:
    assert not any("s3cret" in problem for problem in _problems(text))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_sentences(text: str) -> None:
    try:
        addresses = parse_addresses(text)
    except ConfigurationError as error:
        assert error.problems
        assert all(problem.endswith(".") for problem in error.problems)
    else:
        assert all(address.url.startswith(("http://", "https://")) for address in addresses)
