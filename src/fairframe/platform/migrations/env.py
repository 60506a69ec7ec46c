"""Runs the migrations on the connection that fairframe.platform.migrate hands over."""

from alembic import context

from fairframe.platform.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
