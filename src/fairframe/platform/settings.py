"""Deployment settings, from environment variables only."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """FAIRFRAME_* variables. Work itself is configured by TOML recipes, never here."""

    model_config = SettingsConfigDict(env_prefix="FAIRFRAME_", extra="ignore", frozen=True)

    workspace: Path = Path()
    """The workspace folder where --workspace is not given."""
    database_url: SecretStr | None = None
    """PostgreSQL URL (postgresql+psycopg://...) instead of the workspace's own SQLite file."""
    workers: int = 2
    """Processes that measure and cut clips at the same time."""
    media_seconds: int = 120
    """CPU seconds that one untrusted file may cost in its child process."""
    media_memory_bytes: int = 4 * 1024**3
    """Address space of a child process that opens an untrusted file."""
