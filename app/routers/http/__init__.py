"""Shared by all endpoints: dependencies, strict JSON, problem documents, middleware."""
