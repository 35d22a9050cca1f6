"""What clients send and get, by noun."""
