"""What ours is measured beside, each as somebody would write it who does only that, and the client that asks."""
