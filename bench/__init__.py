"""What is measured: each module prints the table that docs/ quotes."""
