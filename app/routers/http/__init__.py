"""What every endpoint shares: dependencies, strict JSON, problem documents, middleware."""
