"""How operators run: the explicit matrix, the matrix-free plan, and exact number systems."""
