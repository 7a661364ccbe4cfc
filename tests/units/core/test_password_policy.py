"""New passwords: not the most common ones, and not made of a name."""

import pytest

from app.core.security.password_policy import (
    CommonPassword,
    PasswordFromName,
    PasswordPolicy,
    common_passwords,
)
from app.services import samples
from tools.common_passwords import COUNT, MIN_LENGTH, most_common

STRICT = PasswordPolicy(accepts_documented=False)
DEVELOPMENT = PasswordPolicy(accepts_documented=True)


def test_the_list_has_the_ten_thousand_most_common_passwords_that_are_long_enough() -> None:
    assert len(common_passwords()) == COUNT == 10_000
    assert all(
        len(password) >= MIN_LENGTH and password == password.lower() for password in common_passwords()
    )


@pytest.mark.parametrize(
    "password", ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou", "1q2w3e4r"]
)
@pytest.mark.parametrize("policy", [STRICT, DEVELOPMENT])
def test_a_common_password_is_refused_in_any_case(policy: PasswordPolicy, password: str) -> None:
    with pytest.raises(CommonPassword):
        policy.check(password, "alice")


@pytest.mark.parametrize("password", sorted({password for _, password in samples.ACCOUNTS}))
def test_what_the_documents_show_is_accepted_in_development_only(password: str) -> None:
    DEVELOPMENT.check(password, "alice")
    with pytest.raises(CommonPassword):
        STRICT.check(password, "alice")


@pytest.mark.parametrize(
    "password", ["alicia1990", "AliciaAlicia", "1alicia!", "chat12345678", "ChatBackend", "chat of alicia"]
)
def test_little_more_than_a_name_is_refused(password: str) -> None:
    with pytest.raises(PasswordFromName):
        STRICT.check(password, "Alicia")


@pytest.mark.parametrize(
    "password",
    ["correct horse", "alicia in wonderland", "8203948571", "日本語のパスワード", "chattering teeth"],
)
def test_any_other_password_is_accepted(password: str) -> None:
    STRICT.check(password, "Alicia")
    STRICT.check(password, "al")


def test_the_tool_takes_the_first_of_every_list_in_turns() -> None:
    lists = (["short", "Longer one", "later1234"], ["longer two", "longer one"])
    assert most_common(*lists) == ["later1234", "longer one", "longer two"]
