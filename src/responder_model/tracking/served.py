"""Script that MLflow runs to load a tracked model: data in, no pickle anywhere."""

from __future__ import annotations

from typing import Any

import mlflow.models
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext


class ServedModel(PythonModel):
    """A model folder behind MLflow's ``predict``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model folder; refuses an altered one."""
        from responder_model.artifact import load_model

        self.model = load_model(context.artifacts["model_folder"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Answer each row by itself; see ``score_served``."""
        from responder_model.tracking.serve import score_served

        return score_served(self.model, model_input)


mlflow.models.set_model(ServedModel())
