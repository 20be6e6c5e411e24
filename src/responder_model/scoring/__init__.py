"""Score files of any size: streamed, resumable, written all at once or not at all."""

from .file import Progress, ScoredFile, score_file
from .frame import checked_rows, score_frame

__all__ = ["Progress", "ScoredFile", "checked_rows", "score_file", "score_frame"]
