"""Why a run may not begin now. Owns the errors that budgets and levers raise; `words` has them in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chats.models import Limit


class Refused(Exception):
    """A run may not begin now: nothing was written.

    ├─ OverLimit   a budget is used up
    ├─ Closed      the installation takes no new runs
    ├─ TooFast     somebody has sent as many within a minute as they may
    └─ TooMany     as many of somebody's runs are on as may be at once
    """


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit that applies to somebody in a chat, and how far it is used: whole numbers of 10^-12 credit.

    `most` is what counts at present, an override included, which then ends at `override_until`; `ends_at` is
    when its day or month is over.
    """

    limit: Limit
    most: int
    spent: int
    reserved: int
    ends_at: datetime
    override_until: datetime | None = None

    @property
    def left(self) -> int:
        """What nobody has spent or put aside; never negative."""
        return max(0, self.most - self.spent - self.reserved)

    @property
    def is_used_up(self) -> bool:
        return self.spent + self.reserved >= self.most

    @property
    def is_near(self) -> bool:
        """80 % or more of it is spent or put aside."""
        return (self.spent + self.reserved) * 5 >= self.most * 4


class OverLimit(Refused):
    def __init__(self, standing: Standing) -> None:
        super().__init__(str(standing.limit))
        self.standing = standing


class Closed(Refused):
    """`words` are what the administrator says about it, "" for nothing."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class TooFast(Refused):
    """`most` sends a minute; the next one may go `again` seconds from now."""

    def __init__(self, most: int, again: int) -> None:
        super().__init__(str(most))
        self.most, self.again = most, again


class TooMany(Refused):
    """`most` runs at once."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most
