"""Why a message was not taken, in sentences. Each view that refuses keeps the text."""

NOT_ALL_HERE = "This chat is not all here yet. Send this when it is."
SENT = "This message has gone out already. Your text is still here: send it as another one."
NOT_FOR_ROLE = (
    "Your role in this team may not use {}. Your text is still here: choose another model."
)
CHANGED = (
    "You changed this message in another window. This is what you wrote here: save it to keep this."
)
FULL = "So many messages wait here already that no more fit. Remove one, or send this when one has gone."
USED_FORM = "This form was already sent with another text. Send again if you mean this one too."
MOVED = "This was decided already, or the chat has gone on. What is open now is shown below."
MOVED_ON = (
    "This was decided already, or the chat has gone on without it. What was decided is shown above."
)
EXPIRED_CARD = "This form was too old. What you filled in is still here: send it again."
CLOSED = "v0 takes nothing for this chat any more. Send this to start a new chat with it."
