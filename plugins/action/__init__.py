"""Action plugins: tasks that run inside Ansible's own process, which costs a tenth of a module."""
