"""Projects that sleep: archived, woken, and archived by themselves when they expire."""

from webapp.auth.models import User
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.projects import services
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSettings


def archive(user: User, name: str) -> tuple[Project, Job]:
    """Let everything in the project sleep: store that, and the job that scales it to zero.

    Raises Problem: project-not-found, role-too-low, or state-conflict when it sleeps already or is being
    deleted. A failed archiving can be tried again.
    """
    return _turn(user, name, asleep=True)


def wake(user: User, name: str) -> tuple[Project, Job]:
    """Let everything in the project run again; an expiry that has passed is dropped.

    Raises Problem as `archive` does.
    """
    return _turn(user, name, asleep=False)


def _turn(user: User, name: str, *, asleep: bool) -> tuple[Project, Job]:
    def settle(project: Project) -> ProjectSettings:
        if project.archived is asleep and project.state != "failed":
            words = "is archived already" if asleep else "is awake already"
            raise Problem("state-conflict", f"Project '{name}' {words}.")
        return services.settings_with(project, {"archived": asleep})

    return services.change(user, name, settle, kind="project.archive" if asleep else "project.wake")
