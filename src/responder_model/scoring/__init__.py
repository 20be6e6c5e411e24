"""Score files of any size: streamed, resumable, written all at once or not at all."""

from responder_model.scoring.file import Progress, ScoredFile, score_file

__all__ = ["Progress", "ScoredFile", "score_file"]
