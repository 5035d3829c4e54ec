"""The MGRD pipeline: its stages as components, the compiled template, and the runners that execute it."""
