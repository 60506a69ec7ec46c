"""Deployment settings, from environment variables only."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairframe.core.errors import InputError


class Settings(BaseSettings):
    """FAIRFRAME_* variables. Work itself is configured by TOML recipes, never here."""

    model_config = SettingsConfigDict(env_prefix="FAIRFRAME_", extra="ignore", frozen=True)

    workspace: Path = Path()
    """The workspace folder where --workspace is not given."""
    database_url: SecretStr | None = None
    """PostgreSQL URL (postgresql+psycopg://...) instead of the workspace's own SQLite file."""
    passphrase: SecretStr | None = None
    """What the workspace's private keys are, or are to be, encrypted under."""
    passphrase_file: Path | None = None
    """A file whose first line is the passphrase, as secret stores mount one."""
    new_passphrase: SecretStr | None = None
    """The next passphrase, for `fairframe keys passphrase`."""
    new_passphrase_file: Path | None = None
    workers: int = Field(default=2, ge=1, le=1024)
    """Processes that measure and cut clips at the same time."""
    media_seconds: int = Field(default=120, ge=1, le=86_400)
    """CPU seconds that one untrusted file may cost in its child process."""
    media_memory_bytes: int = Field(default=4 * 1024**3, ge=1, le=1 << 50)
    """Address space of a child process that opens an untrusted file."""
    incident_days: int = Field(default=30, ge=1, le=3_650)
    """Days in which an incident, which a contributor's backdated no opens, is to be settled."""
    incident_answers: str = Field(default="rights desk", min_length=1, max_length=200)
    """Who has to answer for one: a role rather than a person, for it stands in the audit tree."""

    def __init__(self, **values: Any) -> None:
        """Raises InputError that names the variable, and never its value: a URL holds a password."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            found = error.errors(include_input=False)[0]
            name = "_".join(("FAIRFRAME", *(str(part).upper() for part in found["loc"])))
            raise InputError(
                f"{name}: {found['msg']}", code="input.settings", remedy="Set it right, or unset it"
            ) from None
