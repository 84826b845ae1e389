"""Tests that only PostgreSQL and Redis can pass or fail; `make test-scale` runs them, `make test` does not."""
