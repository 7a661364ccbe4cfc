"""The close codes, and what a client does after each according to the protocol."""

from app.schemas.close_codes import CLOSES
from tests.protocol.document import tables


def test_every_code_is_listed_once_with_a_reason_that_fits_into_a_close_frame() -> None:
    codes = [close.code for close in CLOSES]
    assert codes == sorted(set(codes))
    for close in CLOSES:
        assert 0 < len(close.reason.encode()) <= 123  # RFC 6455 section 5.5: 125 bytes with the code


def test_the_protocol_agrees_on_the_codes_after_which_a_client_reconnects() -> None:
    advice = {int(row[0]): row[2] for row in tables("code") if row[0].isdigit()}
    assert {close.code: close.comes_back for close in CLOSES} == {
        code: words.startswith("yes") for code, words in advice.items()
    }
