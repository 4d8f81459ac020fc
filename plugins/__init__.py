"""Ansible plugins of Croft and the code that they share."""
