"""Why a message was not taken, in sentences. Each view that refuses keeps the text."""

BUSY = "An answer is still running. Wait for it or stop it, then send this."
USED_FORM = "This form was already sent with another text. Send again if you mean this one too."
MOVED = "This was decided already, or the chat has gone on. What is open now is shown below."
MOVED_ON = (
    "This was decided already, or the chat has gone on without it. What was decided is shown above."
)
EXPIRED_CARD = "This form was too old. What you filled in is still here: send it again."
CLOSED = "v0 takes nothing for this chat any more. Send this to start a new chat with it."
