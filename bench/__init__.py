"""What README's figures come from. Each module is a command that prints its own; none runs in CI."""
