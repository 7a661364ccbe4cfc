"""The section "Project Structure" of the document."""

import importlib

import pytest
from fastapi import FastAPI

from tests.support.server import ROOT


@pytest.mark.parametrize("folder", ["core", "models", "routers", "schemas", "services", "websocket"])
def test_the_folders_exist_and_each_has_a_docstring(folder: str) -> None:
    package = importlib.import_module(f"app.{folder}")
    assert (ROOT / "app" / folder / "__init__.py").is_file()
    assert package.__doc__


def test_main_py_creates_the_fastapi_application() -> None:
    """test_development.py starts it as `app.main:app`."""
    main = importlib.import_module("app.main")
    assert main.create_app.__annotations__["return"] is FastAPI
