"""Deploying the contracts, and checking what is deployed."""
