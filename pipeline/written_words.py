"""An answer that is read and not heard: of each message of the model's only the words stay. Pure."""

from google.genai.types import LiveServerContent, Transcription


def as_transcript(content: LiveServerContent) -> None:
    """Leave the sound out, and have what is written be a transcript, as of something that was said.

    Thoughts stay what they are. So all models look the same from here on, those that write and
    those that speak.
    """
    turn = content.model_turn
    if turn is None:
        return
    parts = turn.parts or []
    words = "".join(part.text for part in parts if part.text and not part.thought)
    if words:
        said = content.output_transcription
        content.output_transcription = Transcription(text=((said and said.text) or "") + words)
    turn.parts = [part for part in parts if part.thought]
    if not turn.parts:
        content.model_turn = None
