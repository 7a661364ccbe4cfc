"""JSON Schema (draft 2020-12) of frames as they are sent: a key that is never null is not declared nullable."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

COMPONENTS = "#/components/schemas/{model}"

SchemaField = core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField


class _WireSchema(GenerateJsonSchema):
    """Events leave out keys that are None: a field that may be None is optional, and every other one is required."""

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        if (
            self.mode == "serialization"
            and inner["type"] == "nullable"
            and schema.get("default", ...) is None
        ):
            inner = inner["schema"]
        return self.generate_inner(inner)

    def field_is_required(self, field: SchemaField, total: bool) -> bool:
        if self.mode == "validation":
            return super().field_is_required(field, total)
        inner = field["schema"]
        return inner["type"] != "default" or inner.get("default", ...) is not None


def schemas(
    models: Iterable[type[BaseModel]], mode: Literal["validation", "serialization"]
) -> dict[str, JsonSchemaValue]:
    """The schemas, by name, of received (`validation`) or sent (`serialization`) models and of their parts."""
    _, found = models_json_schema(
        [(model, mode) for model in models], ref_template=COMPONENTS, schema_generator=_WireSchema
    )
    definitions: dict[str, JsonSchemaValue] = found["$defs"]
    return definitions
