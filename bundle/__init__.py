"""What Croft installs on machines, and how it is obtained."""
