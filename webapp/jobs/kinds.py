"""What each kind of job is called, and what a user reads when one has ended."""

from collections.abc import Mapping

from webapp.jobs.models import Job

TITLES: Mapping[str, str] = {
    "project.create": "Create project",
    "project.update": "Change project",
    "project.delete": "Delete project",
    "project.archive": "Archive project",
    "project.wake": "Wake project",
    "application.plan": "Plan application",
    "application.create": "Create application",
    "application.update": "Change application",
    "application.restart": "Restart application",
    "application.stop": "Stop application",
    "application.start": "Start application",
    "application.rollback": "Roll back application",
    "application.delete": "Delete application",
}
SUCCESSES: Mapping[str, str] = {
    "project.create": "Project '{}' is ready.",
    "project.update": "Project '{}' has its new settings.",
    "project.delete": "Project '{}' is gone, with everything in it.",
    "project.archive": "Project '{}' is archived: nothing of it runs until it is woken.",
    "project.wake": "Project '{}' is awake, and its applications run again.",
    "application.plan": "The plan for application '{}' is ready; nothing was changed.",
    "application.create": "Application '{}' is ready.",
    "application.update": "Application '{}' runs with its new settings.",
    "application.restart": "Application '{}' runs in new pods.",
    "application.stop": "Application '{}' is stopped; its settings and volumes stay.",
    "application.start": "Application '{}' runs again.",
    "application.rollback": "Application '{}' runs with its earlier settings again.",
    "application.delete": "Application '{}' is gone, with everything that belonged to it.",
}


def title_of(job: Job) -> str:
    """Name a job as a user would: "Create application web"."""
    return f"{TITLES.get(job.kind, job.kind)} {job.application_name or job.project_name}"


def success_of(kind: str, name: str) -> str:
    """Return the sentence for a job of this kind about the project or application `name` that succeeded."""
    return SUCCESSES.get(kind, "Done.").format(name)


def message_of(job: Job) -> str:
    """Say how a job ended, in a sentence; empty while it has not."""
    # "Done" is what workers wrote before they said more.
    if job.state == "succeeded" and job.message in ("", "Done"):
        return success_of(job.kind, job.application_name or job.project_name)
    return job.message
