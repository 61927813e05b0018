"""A set-up that other processes can import."""
