"""What ``scripts/trials`` tries."""
