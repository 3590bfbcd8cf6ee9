"""The papers that are reproduced: which tables and figures they show, their numbers beside ours."""
