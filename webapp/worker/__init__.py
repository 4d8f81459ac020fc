"""The worker: claims jobs and runs their playbooks. Start it with `python -m webapp.worker`.

Processes: the worker (webapp.worker.loop) alone holds the database and the secrets. It starts one launcher
(webapp.worker.launcher) with a scrubbed environment, which keeps Ansible loaded and forks one child per
job; that child (webapp.worker.play) drives ansible-runner and reports events through a pipe.
"""
