"""The forms of requests for more quota."""

from typing import Any, ClassVar

from webapp.pages.forms import Form, Texts


class QuotaForm(Form):
    """What is asked for, and what for."""

    labels: ClassVar[Texts] = {
        "quota": "Quota",
        "quota.cpu": "CPU",
        "quota.memory": "Memory",
        "quota.storage": "Storage",
        "quota.pods": "Pods",
        "reason": "What it is for",
    }

    @classmethod
    def of(cls, quota: dict[str, Any]) -> "QuotaForm":
        """Return a form that begins with the present quota."""
        return cls({"quota": quota})


class AnswerForm(Form):
    """An administrator's word."""

    labels: ClassVar[Texts] = {"answer": "A word for who asked"}
