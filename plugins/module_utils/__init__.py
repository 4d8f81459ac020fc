"""What the action plugins share, imported as `plugins.module_utils.…`."""
