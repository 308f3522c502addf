"""Speed beside peers, side by side on the same texts: `make bench`."""
