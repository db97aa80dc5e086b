"""Integer matrices by their residues: eliminated modulo word-sized primes, lifted, then verified.

What is found modulo a prime is a bound or a candidate; every answer is proved over the integers.
"""
