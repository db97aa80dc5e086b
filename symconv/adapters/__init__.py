"""Other frameworks' descriptions read as symconv's layers and networks: one framework a file."""
