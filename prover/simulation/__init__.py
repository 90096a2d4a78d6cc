"""A day at the clearing house: a model of its state machine, and a simulation in which chain and model must agree."""
