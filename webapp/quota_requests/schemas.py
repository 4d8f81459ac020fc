"""What users write about quota: wishes and answers."""

from pydantic import Field

from webapp.projects.schemas import Quota
from webapp.schemas import Spec


class QuotaWish(Spec):
    """A wish for more quota."""

    quota: Quota = Field(description="The whole quota that the project is to have")
    reason: str = Field(
        min_length=1,
        max_length=1000,
        description="What it is for, in a sentence or two",
        examples=["The shop needs a second search server"],
    )


class Answer(Spec):
    """A word for who asked."""

    answer: str = Field(
        "", max_length=1000, description="A word for who asked", examples=["Fine until the end of the term"]
    )


class Refusal(Spec):
    """Why not."""

    answer: str = Field(
        min_length=1,
        max_length=1000,
        description="Why not, and what to do instead",
        examples=["The nodes are full; ask again in May"],
    )
