"""How films degrade: a model of what happens to a picture from the lens to the compressed file, seeded, in torch."""
