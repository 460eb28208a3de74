"""The doors: each turns the outside world into calls on core and projects, and holds no rule of its own."""
