"""model: checkpoints, what they are made of, what they may be used for."""

from fairframe.cli import model_external, model_list, model_merge, model_release
from fairframe.cli.shell import group

app = group("Checkpoints: their ancestors, and what they permit.")
for part in (model_list, model_merge, model_release):
    app.add_typer(part.app)
app.add_typer(model_external.app, name="external")
