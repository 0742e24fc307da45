"""The model workshop: estimate, make-data, train, evaluate, export."""
