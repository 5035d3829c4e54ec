"""The nano base: trained from nothing on the sound world, as the paper's base was given to it."""
