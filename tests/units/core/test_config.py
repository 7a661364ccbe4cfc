"""Settings: their names and defaults, the values that are refused, and that `.env.example` agrees."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.config import Settings
from app.core.origins import Origin
from tests.support.server import ROOT

pytestmark = pytest.mark.usefixtures("nothing_set")

LINE = re.compile(r"^(?P<unset># )?(?P<name>[A-Z][A-Z_]+)=(?P<value>\S*)\s*(?P<comment>#? ?.*)$")


def examples() -> dict[str, tuple[str | None, str]]:
    """Every setting of `.env.example`: its value (None where it is commented out) and its comment."""
    lines = (LINE.match(line) for line in (ROOT / ".env.example").read_text().splitlines())
    found = [match.groupdict() for match in lines if match]
    assert len({one["name"] for one in found}) == len(found), "each setting occurs once"
    return {one["name"]: (None if one["unset"] else one["value"], one["comment"]) for one in found}


def given(**values: object) -> Settings:
    return Settings.model_validate(values)


def origin(text: str) -> Origin:
    found = Origin.parse(text)
    assert found is not None
    return found


def test_the_example_lists_exactly_the_settings() -> None:
    assert set(examples()) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_shows_the_default(name: str) -> None:
    value, _ = examples()[name.upper()]
    default = Settings.model_fields[name].default
    if value is None:
        assert default is None, "only a setting without a default is commented out"
    else:
        assert getattr(given(**{name: value} if value else {}), name) == default


def test_an_unchanged_copy_of_the_example_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    from_file = Settings()
    (tmp_path / ".env").unlink()
    assert from_file == Settings()


def test_the_deployment_guide_states_the_defaults() -> None:
    told = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    assert "PASSWORD_QUEUE" in dict(told)
    for name, default in told:
        assert Settings.model_fields[name.lower()].default == int(default), name


def test_the_three_variables_of_the_specification_are_a_complete_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DATABASE_URL=sqlite:///./chat.db\n"
        "SECRET_KEY=your-secret-key-change-this-in-production\n"
        "ACCESS_TOKEN_EXPIRE_MINUTES=1440\n"
    )
    settings = Settings()
    assert settings.secret_key == "your-secret-key-change-this-in-production"
    assert settings.access_token_expire_minutes == 1440


def test_the_environment_takes_precedence_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=0.0.0.0\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("PORT", "2222")
    assert (Settings().port, Settings().host) == (2222, "0.0.0.0")


@pytest.mark.parametrize(
    "wrong",
    [
        {"environment": "prod"},
        {"database_url": "chat.db"},
        {"database_url": "sqlite:///file:chat.db?uri=true"},
        {"database_url": "sqlite:///file:chat?mode=memory&cache=shared&uri=true"},
        {"database_url": "sqlite:///chat.db?timeout=10"},
        {"database_url": "sqlite://chat.db"},
        {"database_url": "mongodb://localhost/chat"},
        {"database_url": "postgresql+asyncpg://localhost/chat"},
        {"database_url": "postgresql+psycopg2://localhost/chat"},
        {"database_url": "postgresql://localhost:99999/chat"},
        {"database_url": "postgresql://localhost:many/chat"},
        {"database_url": "postgresql://localhost/chat?autocommit=true"},
        {"database_url": "mysql://localhost/chat?charset=latin1"},
        {"forwarded_allow_ips": "nginx"},
        {"forwarded_allow_ips": "10.0.0.1/8"},
        {"port": 70_000},
        {"database_pool_size": 0},
        {"access_token_expire_minutes": -1},
        {"commands_per_second": -1},
        {"ping_interval_seconds": 0},
        {"log_level": "loud"},
        {"cors_origins": "*", "cors_credentials": True},
        {"cors_origins": "null", "cors_credentials": True},
        {"cors_origins": "chat.example.com"},
        {"cors_origins": "https://*.example.com"},
    ],
    ids=str,
)
def test_an_invalid_value_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        given(**wrong)


@pytest.mark.parametrize(
    "url, driver",
    [
        ("postgresql://u:p@db/chat", "postgresql+psycopg"),
        ("postgres://u:p@db/chat", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@db/chat", "postgresql+psycopg"),
        ("mysql://u:p@db/chat", "mysql+pymysql"),
        ("mariadb://u:p@db/chat", "mariadb+pymysql"),
        ("sqlite:///./chat.db", "sqlite"),
    ],
)
def test_a_database_url_needs_no_driver(url: str, driver: str) -> None:
    ready = given(database_url=url).url
    assert ready.drivername == driver
    assert ready.password == (None if driver == "sqlite" else "p")
    assert ready.query.get("charset") == ("utf8mb4" if "pymysql" in driver else None)


def test_origins_are_separated_by_commas_and_brought_into_one_spelling() -> None:
    settings = given(cors_origins="https://a.example/, wss://B.example:443,", environment="production")
    assert settings.cors_origins == ["https://a.example", "https://b.example"]
    assert settings.allows_origin(origin("https://b.example/"))
    assert settings.allows_origin(origin("https://A.example:443"))


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example",
        "https://a.example.evil.example",
        "http://a.example",
        "https://a.example:8443",
        "null",
        "capacitor://localhost",
        "http://localhost.evil.example",
    ],
)
@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_page_of_another_origin_may_not_call(page: str, environment: str) -> None:
    assert not given(cors_origins="https://a.example", environment=environment).allows_origin(origin(page))


def test_proxies_are_addresses_and_networks() -> None:
    assert given(forwarded_allow_ips=" 10.0.0.0/8, ::1,").forwarded_allow_ips == ["10.0.0.0/8", "::1"]
    assert given(forwarded_allow_ips="*").forwarded_allow_ips == ["*"]
    with pytest.raises(
        ValidationError, match=r"10\.0\.0\.1/8 is not an address or a network; write 10\.0\.0\.0/8"
    ):
        given(forwarded_allow_ips="10.0.0.1/8")


def test_the_options_of_an_address_are_kept() -> None:
    url = given(database_url="postgresql://db/chat?sslmode=require&options=-csearch_path%3Dmine").url
    assert dict(url.query) == {"sslmode": "require", "options": "-csearch_path=mine"}
    assert given(database_url="mysql://db/chat?charset=utf8mb4").url.query == {"charset": "utf8mb4"}


def test_every_origin_may_call_if_the_setting_says_so() -> None:
    assert given(cors_origins="*", environment="production").allows_origin(origin("https://a.example"))


def test_pages_of_this_machine_may_call_in_development_only() -> None:
    for page in ("http://localhost:5173", "http://127.0.0.1", "https://[::1]:3000"):
        assert given().allows_origin(origin(page))
        assert not given(environment="production").allows_origin(origin(page))


@pytest.mark.parametrize("sample_data", [True, None])
def test_production_never_has_sample_accounts(sample_data: bool | None) -> None:
    assert not given(environment="production", sample_data=sample_data).with_samples
    assert given(sample_data=sample_data).with_samples
    assert not given(sample_data=False).with_samples
