"""Origins are compared as origins, and those of the settings are brought into the spelling of browsers or refused."""

import pytest

from app.core import origins
from app.core.origins import Origin


@pytest.mark.parametrize(
    "text, same",
    [
        ("https://chat.example.com", "https://chat.example.com"),
        ("HTTPS://Chat.Example.COM", "https://chat.example.com"),
        ("https://chat.example.com:443", "https://chat.example.com"),
        ("http://chat.example.com:80/", "http://chat.example.com"),
        ("wss://chat.example.com", "https://chat.example.com"),
        ("ws://chat.example.com:8000", "http://chat.example.com:8000"),
        ("https://chat.example.com:08443", "https://chat.example.com:8443"),
        ("https://chat.example.com/app?a=1#b", "https://chat.example.com"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("Ionic://LocalHost/", "ionic://localhost"),
        ("file://", "file://"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("null", "null"),
    ],
)
def test_an_origin_has_one_spelling(text: str, same: str) -> None:
    found = Origin.parse(text)
    assert str(found) == same
    assert Origin.parse(same) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chat.example.com",
        "https:chat.example.com",
        "https://",
        "https://a..example",
        "https://localhost@evil.example",
        "https://*.example.com",
        "https://a.example, https://b.example",
        "https://a.example https://b.example",
        "https://a.example:99999",
        "https://a.example:443.evil.example",
        "https://[::zz]",
        "https://[1.2.3.4]",
        "https://" + "a" * 70 + "ü.example",
        "javascript:alert(1)",
        "https://a.example\\@evil.example",
        " null",
        "NULL",
    ],
)
def test_what_is_no_origin_is_not_guessed(text: str) -> None:
    assert Origin.parse(text) is None


@pytest.mark.parametrize("text", ["capacitor://localhost", "tauri://localhost", "file://", "app://-", "null"])
def test_no_page_of_the_web_has_the_origin_of_an_app(text: str) -> None:
    found = Origin.parse(text)
    assert found is not None
    assert not found.is_web
    assert not found.is_local


@pytest.mark.parametrize(
    "page, host, is_encrypted, is_own",
    [
        ("https://chat.example.com", "chat.example.com", False, True),
        ("wss://chat.example.com", "chat.example.com:443", True, True),
        ("https://chat.example.com:443", "CHAT.example.com", True, True),
        ("http://chat.example.com", "chat.example.com:80", False, True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", False, True),
        ("http://chat.example.com", "chat.example.com", True, False),
        ("http://chat.example.com", "chat.example.com:443", False, False),
        ("https://chat.example.com:8443", "chat.example.com", False, False),
        ("https://evil.example", "chat.example.com", False, False),
        ("https://chat.example.com", "", False, False),
        ("https://chat.example.com", "evil.example/chat.example.com", False, False),
    ],
)
def test_a_page_is_the_servers_own_by_host_and_port(
    page: str, host: str, is_encrypted: bool, is_own: bool
) -> None:
    found = Origin.parse(page)
    assert found is not None
    assert found.is_served_by(host, is_encrypted=is_encrypted) is is_own


def test_a_list_of_origins_is_normalised() -> None:
    assert origins.read_list("HTTPS://A.example:443/, capacitor://localhost ,, wss://b.example,*,null") == [
        "https://a.example",
        "capacitor://localhost",
        "https://b.example",
        "*",
        "null",
    ]
    assert origins.read_list("") == []


@pytest.mark.parametrize(
    "text, advice",
    [
        ("chat.example.com", "write it as https://chat.example.com"),
        ("//chat.example.com:8443/x", "write it as https://chat.example.com:8443"),
        ("https://user@chat.example.com", "write it as https://chat.example.com"),
        ("https//chat.example.com", "write it as https://chat.example.com"),
        ("https://*.example.com", "write each one in full, separated by commas"),
        ("https://a.example https://b.example", "separate origins with commas"),
        ("https://", "write it as https://chat.example.com"),
    ],
)
def test_an_unusable_origin_is_refused_with_its_right_spelling(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match="is not an origin") as refused:
        origins.read_list(text)
    assert advice in str(refused.value)
