"""Misspelt settings are noticed, and the names of other programs are left alone."""

from pathlib import Path

import pytest

from app.core.misspelt import misspelt

pytestmark = pytest.mark.usefixtures("nothing_set")

STRANGERS = [
    "PATH",
    "HOME",
    "HOSTNAME",
    "HOSTS",
    "PORTS",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TERM",
    "PWD",
    "SHELL",
    "EDITOR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "NODE_ENV",
    "DATABASE",
    "DATABASE_HOST",
    "DATABASE_PORT",
    "POSTGRES_PASSWORD",
    "PGHOST",
    "PGPORT",
    "PGOPTIONS",
    "MYSQL_HOST",
    "REDIS_URL",
    "SECRET_KEY_BASE",
    "AWS_SECRET_ACCESS_KEY",
    "LOG_DIR",
    "LOGGING_LEVEL",
    "RUST_LOG",
    "DEBUG",
    "CI",
    "GITHUB_ENV",
    "RUNNER_ENVIRONMENT",
    "KUBERNETES_PORT",
    "KUBERNETES_SERVICE_HOST",
    "CHAT_PORT",
    "CHAT_SERVICE_HOST",
    "WEB_CONCURRENCY",
    "COMPOSE_PROJECT_NAME",
    "DJANGO_ALLOWED_HOSTS",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "SSH_CONNECTION",
    "XDG_RUNTIME_DIR",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "CORS_ALLOWED_ORIGINS",
    "COMMANDS",
    "HEROKU_APP_NAME",
    "DYNO",
    "VERCEL_ENV",
    "RAILWAY_ENVIRONMENT",
]
TYPOS = {
    "DATABSE_URL": "DATABASE_URL",
    "DATABASE_UR": "DATABASE_URL",
    "ENVIROMENT": "ENVIRONMENT",
    "SECRETKEY": "SECRET_KEY",
    "SECRET_KEYS": "SECRET_KEY",
    "CORS_ORIGIN": "CORS_ORIGINS",
    "cors_orgins": "CORS_ORIGINS",
    "ACCESS_TOKEN_EXPIRES_MINUTES": "ACCESS_TOKEN_EXPIRE_MINUTES",
    "FORWARDED_ALLOW_IP": "FORWARDED_ALLOW_IPS",
    "SAMPLES_DATA": "SAMPLE_DATA",
}


@pytest.fixture
def no_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize("name", TYPOS)
def test_a_misspelt_setting_is_noticed_in_the_file_and_in_the_environment(no_file: Path, name: str) -> None:
    assert list(misspelt(no_file, {name: "x"})) == [(name, TYPOS[name], "environment")]
    no_file.write_text(f"{name}=x\n")
    assert list(misspelt(no_file, {})) == [(name.upper(), TYPOS[name], str(no_file))]


@pytest.mark.parametrize("name", STRANGERS)
def test_a_name_of_another_program_is_left_alone(no_file: Path, name: str) -> None:
    assert list(misspelt(no_file, {name: "x"})) == []


def test_names_that_are_right_are_no_news(no_file: Path) -> None:
    no_file.write_text("port=1\nSOMETHING_ELSE=1\n")
    assert list(misspelt(no_file, {"DATABASE_URL": "x", "secret_key": "x"})) == []


def test_a_name_beside_the_one_that_it_resembles_belongs_to_another_program(no_file: Path) -> None:
    assert list(misspelt(no_file, {"DATABASE_URI": "x", "DATABASE_URL": "x"})) == []
    no_file.write_text("DATABASE_URL=sqlite:///./chat.db\n")
    assert list(misspelt(no_file, {"DATABASE_URI": "x"})) == []
